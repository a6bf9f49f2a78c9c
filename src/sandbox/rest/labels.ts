/** Labels of a repository and of its pull requests. */
import { label } from "../shapes/repositories.ts";
import {
  addLabelsByName,
  createLabel,
  deleteLabel,
  editLabel,
  type Label,
  labelByName,
  labelsOn,
  type PullRequest,
  type Repository,
  removeLabelByName,
  removeLabels,
  required,
} from "../world/index.ts";
import { created, list, noContent, ok, type Route, reads, repoRoute, writes } from "./route.ts";

const reading = reads("issues", "pull_requests");
const editing = writes("write", "issues", "pull_requests");
const labelling = writes("triage", "issues", "pull_requests");

function named(repo: Repository, name: string): Label {
  return required(labelByName(repo, name));
}

function pull(repo: Repository, number: number): PullRequest {
  return required(repo.pulls.get(number));
}

/** The body comes as `{labels: […]}` or as the list itself, of names or of objects with one. */
function namesOf(body: unknown): string[] {
  const listed = Array.isArray(body)
    ? body
    : typeof body === "object" && body !== null && "labels" in body
      ? body.labels
      : [];
  const names: string[] = [];
  for (const item of Array.isArray(listed) ? listed : []) {
    if (typeof item === "string") names.push(item);
    else if (typeof item === "object" && item !== null && "name" in item && typeof item.name === "string")
      names.push(item.name);
  }
  return names;
}

export const labelRoutes: readonly Route[] = [
  repoRoute("GET /repos/{owner}/{repo}/labels", reading, (call, repo) =>
    list(call, [...repo.labels.values()], (one) => label(call.world, one)),
  ),
  repoRoute("POST /repos/{owner}/{repo}/labels", editing, (call, repo) =>
    created(label(call.world, createLabel(call.world, call.actor, repo, call.body))),
  ),
  repoRoute("GET /repos/{owner}/{repo}/labels/{name}", reading, (call, repo) =>
    ok(label(call.world, named(repo, call.path.name))),
  ),
  repoRoute("PATCH /repos/{owner}/{repo}/labels/{name}", editing, (call, repo) => {
    const found = named(repo, call.path.name);
    const { new_name: name, ...rest } = call.body ?? {};
    editLabel(call.world, call.actor, repo, found, { ...rest, ...(name === undefined ? {} : { name }) });
    return ok(label(call.world, found));
  }),
  repoRoute("DELETE /repos/{owner}/{repo}/labels/{name}", editing, (call, repo) => {
    deleteLabel(call.world, call.actor, repo, named(repo, call.path.name));
    return noContent;
  }),
  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", reading, (call, repo) =>
    list(call, labelsOn(call.world, pull(repo, call.path.issue_number)), (one) => label(call.world, one)),
  ),
  repoRoute("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", labelling, (call, repo) => {
    const target = pull(repo, call.path.issue_number);
    addLabelsByName(call.world, call.actor, target, namesOf(call.body));
    return ok(labelsOn(call.world, target).map((one) => label(call.world, one)));
  }),
  repoRoute("PUT /repos/{owner}/{repo}/issues/{issue_number}/labels", labelling, (call, repo) => {
    const target = pull(repo, call.path.issue_number);
    const names = namesOf(call.body);
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    removeLabels(
      call.world,
      call.actor,
      target,
      labelsOn(call.world, target).filter((one) => !wanted.has(one.name.toLowerCase())),
    );
    addLabelsByName(call.world, call.actor, target, names);
    return ok(labelsOn(call.world, target).map((one) => label(call.world, one)));
  }),
  repoRoute("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels", labelling, (call, repo) => {
    const target = pull(repo, call.path.issue_number);
    removeLabels(call.world, call.actor, target, labelsOn(call.world, target));
    return noContent;
  }),
  repoRoute("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", labelling, (call, repo) => {
    const target = pull(repo, call.path.issue_number);
    removeLabelByName(call.world, call.actor, target, call.path.name);
    return ok(labelsOn(call.world, target).map((one) => label(call.world, one)));
  }),
];
