/** Labels of a repository, and on its pull requests. */
import { invalid, notFound } from "../errors.ts";
import type { Actor, Label, PullRequest, Repository } from "../model/index.ts";
import { emit, register, repository, required, type World } from "../world.ts";
import { note } from "./timeline.ts";

export interface LabelFields {
  readonly name: string;
  /** Six hex digits. */
  readonly color?: string;
  readonly description?: string | null;
}

export function labelByName(repo: Repository, name: string): Label | null {
  const wanted = name.toLowerCase();
  for (const label of repo.labels.values()) if (label.name.toLowerCase() === wanted) return label;
  return null;
}

/** @throws WorldError invalid: taken, too long, no color */
export function createLabel(world: World, actor: Actor, repo: Repository, fields: LabelFields): Label {
  checkFields(fields);
  if (labelByName(repo, fields.name) !== null)
    throw invalid("Validation Failed", { resource: "Label", code: "already_exists", field: "name" });
  const id = world.ids.next("Label");
  const label: Label = {
    id,
    nodeId: world.ids.node("Label", id),
    repositoryId: repo.id,
    name: fields.name,
    color: fields.color ?? "ededed",
    description: fields.description ?? null,
    createdAt: world.now(),
  };
  repo.labels.set(id, label);
  register(world, { type: "Label", value: label });
  emit(world, { kind: "label", action: "created", actor, repository: repo, label, from: {} });
  return label;
}

export function editLabel(
  world: World,
  actor: Actor,
  repo: Repository,
  label: Label,
  fields: Partial<LabelFields>,
): void {
  const next = { name: label.name, color: label.color, description: label.description, ...fields };
  checkFields(next);
  const taken = labelByName(repo, next.name);
  if (taken !== null && taken.id !== label.id)
    throw invalid("Validation Failed", { resource: "Label", code: "already_exists", field: "name" });
  const from = {
    ...(next.name === label.name ? {} : { name: label.name }),
    ...(next.color === label.color ? {} : { color: label.color }),
    ...(next.description === label.description ? {} : { description: label.description }),
  };
  Object.assign(label, next);
  emit(world, { kind: "label", action: "edited", actor, repository: repo, label, from });
}

/** Takes it off every pull request first. */
export function deleteLabel(world: World, actor: Actor, repo: Repository, label: Label): void {
  for (const pull of repo.pulls.values()) if (pull.labelIds.has(label.id)) removeLabels(world, actor, pull, [label]);
  repo.labels.delete(label.id);
  world.nodes.delete(label.nodeId);
  emit(world, { kind: "label", action: "deleted", actor, repository: repo, label, from: {} });
}

function checkFields(fields: LabelFields): void {
  const bad = (field: string, message?: string) =>
    invalid("Validation Failed", {
      resource: "Label",
      code: "invalid",
      field,
      ...(message === undefined ? {} : { message }),
    });
  if (fields.name.trim() === "" || fields.name.length > 50)
    throw bad("name", "name is too long (maximum is 50 characters)");
  if (fields.color !== undefined && !/^[0-9a-fA-F]{6}$/.test(fields.color)) throw bad("color");
  if ((fields.description?.length ?? 0) > 100)
    throw bad("description", "description is too long (maximum is 100 characters)");
}

/** Labels that it has already change nothing and send nothing. */
export function addLabels(world: World, actor: Actor, pull: PullRequest, labels: readonly Label[]): void {
  const repo = repository(world, pull.repositoryId);
  for (const label of labels) {
    if (pull.labelIds.has(label.id)) continue;
    pull.labelIds.add(label.id);
    note(world, actor, pull, { event: "labeled", labelName: label.name, labelColor: label.color });
    emit(world, { kind: "pull_request", action: "labeled", actor, repository: repo, pull, label });
  }
}

export function removeLabels(world: World, actor: Actor, pull: PullRequest, labels: readonly Label[]): void {
  const repo = repository(world, pull.repositoryId);
  for (const label of labels) {
    if (!pull.labelIds.delete(label.id)) continue;
    note(world, actor, pull, { event: "unlabeled", labelName: label.name, labelColor: label.color });
    emit(world, { kind: "pull_request", action: "unlabeled", actor, repository: repo, pull, label });
  }
}

/** By name, as REST does: unknown names become new labels. */
export function addLabelsByName(world: World, actor: Actor, pull: PullRequest, names: readonly string[]): void {
  const repo = repository(world, pull.repositoryId);
  addLabels(
    world,
    actor,
    pull,
    names.map((name) => labelByName(repo, name) ?? createLabel(world, actor, repo, { name })),
  );
}

/** @throws WorldError not_found: it does not carry the label */
export function removeLabelByName(world: World, actor: Actor, pull: PullRequest, name: string): void {
  const label = labelByName(repository(world, pull.repositoryId), name);
  if (label === null || !pull.labelIds.has(label.id)) throw notFound("Label does not exist");
  removeLabels(world, actor, pull, [label]);
}

export function labelsOn(world: World, pull: PullRequest): Label[] {
  const repo = repository(world, pull.repositoryId);
  return [...pull.labelIds].map((id) => required(repo.labels.get(id)));
}
