/** Repositories: what they are, who may do what in them, and what is in them. */
import { branch, contentDirectory, contentFile, findDirectory, gitRef, shortBranch } from "../shapes/code.ts";
import { commitShape, commitWithFiles, gitCommit } from "../shapes/commits.ts";
import { simpleUser } from "../shapes/people.ts";
import { pullSimple } from "../shapes/pulls.ts";
import { fullRepository, permissionFlags } from "../shapes/repositories.ts";
import {
  accountByLogin,
  ancestors,
  atLeast,
  blobSha,
  type Commit,
  changedFiles,
  commit,
  commitFiles,
  createRef,
  deleteRef,
  dispatchRepository,
  editTree,
  filesBetween,
  makeCommit,
  notFound,
  permissionOf,
  type Repository,
  removeCollaborator,
  renameRepository,
  requireBranch,
  required,
  resolveRef,
  setCollaborator,
  setRef,
  type World,
  WorldError,
} from "../world/index.ts";
import { chosen } from "./commit-filter.ts";
import { created, list, noContent, ok, page, type Route, reads, repoRoute, writes } from "./route.ts";

export function commitAt(world: World, repo: Repository, ref: string): Commit {
  const sha = resolveRef(world, repo, ref);
  if (sha === null) throw new WorldError("invalid", `No commit found for SHA: ${ref}`);
  return commit(world, sha);
}

/** Of one commit, and of a comparison: GitHub pages them only beyond so many. */
const filesShown = 300;
const commitsCompared = 250;

const contents = reads("contents");
const writesContents = writes("write", "contents");

/** The older name of the level, which `permission` still uses. */
function legacy(level: ReturnType<typeof permissionOf>): "admin" | "write" | "read" | "none" {
  if (level === "maintain") return "write";
  return level === "triage" ? "read" : level;
}

const bare = { kind: "repository", permissions: ["metadata"], level: "read", person: "read" } as const;

export const repositoryRoutes: readonly Route[] = [
  repoRoute("GET /repos/{owner}/{repo}", bare, (call, repo) =>
    ok(fullRepository(call.world, repo, call.caller.kind === "user" ? call.caller.account : null)),
  ),
  repoRoute("PATCH /repos/{owner}/{repo}", writes("admin", "administration"), (call, repo) => {
    const unknown = Object.keys(call.body ?? {}).filter(
      (key) => key !== "name" && key !== "default_branch" && key !== "description",
    );
    if (unknown.length > 0)
      throw new WorldError(
        "not_implemented",
        `not implemented in the sandbox: repository settings ${unknown.join(", ")}`,
      );
    if (call.body?.name !== undefined) renameRepository(call.world, call.actor, repo, call.body.name);
    if (call.body?.description !== undefined) repo.description = call.body.description;
    if (call.body?.default_branch !== undefined) {
      requireBranch(repo, call.body.default_branch);
      repo.defaultBranch = call.body.default_branch;
    }
    return ok(fullRepository(call.world, repo, call.actor.account));
  }),
  repoRoute("GET /repos/{owner}/{repo}/collaborators/{username}/permission", bare, (call, repo) => {
    const user = accountByLogin(call.world, call.path.username);
    if (user === null) throw new WorldError("not_found", `${call.path.username} is not a user`);
    const level = permissionOf(call.world, repo, user);
    const flags = permissionFlags(level);
    return ok({
      permission: legacy(level),
      role_name: level,
      user: { ...simpleUser(call.world, user), permissions: flags, role_name: level },
    });
  }),
  repoRoute("GET /repos/{owner}/{repo}/collaborators/{username}", bare, (call, repo) => {
    const user = required(accountByLogin(call.world, call.path.username));
    const member =
      repo.ownerId === user.id ||
      repo.collaborators.has(user.id) ||
      atLeast(permissionOf(call.world, repo, user), "triage");
    if (!member) throw notFound();
    return noContent;
  }),
  repoRoute("PUT /repos/{owner}/{repo}/collaborators/{username}", writes("admin", "administration"), (call, repo) => {
    const levels = {
      pull: "read",
      read: "read",
      triage: "triage",
      push: "write",
      write: "write",
      maintain: "maintain",
      admin: "admin",
    } as const;
    const wanted = call.body?.permission ?? "push";
    const level = Object.entries(levels).find(([name]) => name === wanted)?.[1];
    if (level === undefined) throw new WorldError("invalid", `permission ${wanted} is not known`);
    // The sandbox's people accept every invitation at once.
    setCollaborator(call.world, call.actor, repo, required(accountByLogin(call.world, call.path.username)), level);
    return noContent;
  }),
  repoRoute(
    "DELETE /repos/{owner}/{repo}/collaborators/{username}",
    writes("admin", "administration"),
    (call, repo) => {
      removeCollaborator(call.world, call.actor, repo, required(accountByLogin(call.world, call.path.username)));
      return noContent;
    },
  ),
  repoRoute("GET /repos/{owner}/{repo}/contents/{path}", contents, (call, repo) => {
    const ref = call.query.ref ?? repo.defaultBranch;
    const sha = resolveRef(call.world, repo, ref);
    if (sha === null) throw new WorldError("not_found", `No commit found for the ref ${ref}`);
    const at = commit(call.world, sha);
    const path = call.path.path.replace(/(?<!\/)\/+$/, "");
    const file = at.files.get(path);
    if (file !== undefined)
      return ok(call.media === "raw" ? file.bytes : contentFile(call.world, repo, path, ref, file));
    const directory = findDirectory(at, path);
    if (directory === null) throw notFound();
    if (call.media === "raw")
      throw new WorldError("not_implemented", "not implemented in the sandbox: the media type raw of a directory");
    return ok(contentDirectory(call.world, repo, path, ref, directory));
  }),
  repoRoute("PUT /repos/{owner}/{repo}/contents/{path}", writesContents, (call, repo) => {
    const name = call.body.branch ?? repo.defaultBranch;
    if (repo.refs.size > 0) requireBranch(repo, name);
    const sha = resolveRef(call.world, repo, `refs/heads/${name}`);
    const known = sha === null ? undefined : commit(call.world, sha).files.get(call.path.path);
    if (known !== undefined && call.body.sha === undefined)
      throw new WorldError("invalid", `Invalid request.\n\n"sha" wasn't supplied.`);
    if (known !== undefined && call.body.sha !== blobSha(known))
      throw new WorldError("conflict", `${call.path.path} does not match ${call.body.sha}`);
    const made = commitFiles(call.world, call.actor, repo, {
      branch: name,
      message: call.body.message,
      files: { [call.path.path]: Buffer.from(call.body.content, "base64") },
    });
    const file = required(made.files.get(call.path.path));
    const { content: _, encoding: __, ...shown } = contentFile(call.world, repo, call.path.path, name, file);
    const body = { content: shown, commit: gitCommit(call.world, repo, made) };
    return known === undefined ? created(body) : ok(body);
  }),
  repoRoute("GET /repos/{owner}/{repo}/branches", contents, (call, repo) => {
    const branches = [...repo.refs].filter(([ref]) => ref.startsWith("refs/heads/"));
    const wanted =
      call.query.protected === undefined
        ? branches
        : branches.filter(([ref]) => repo.protections.has(ref.slice(11)) === call.query.protected);
    return list(call, wanted, ([ref, sha]) => shortBranch(call.world, repo, ref.slice("refs/heads/".length), sha));
  }),
  repoRoute("GET /repos/{owner}/{repo}/branches/{branch}", contents, (call, repo) =>
    ok(branch(call.world, repo, call.path.branch, requireBranch(repo, call.path.branch))),
  ),
  repoRoute("GET /repos/{owner}/{repo}/commits", contents, (call, repo) => {
    const start = commitAt(call.world, repo, call.query.sha ?? repo.defaultBranch);
    const all = [...ancestors(call.world, start.sha)].map((sha) => commit(call.world, sha));
    return list(call, chosen(call.world, all, call.query), (one) => commitShape(call.world, repo, one));
  }),
  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}", contents, (call, repo) => {
    const found = commitAt(call.world, repo, call.path.ref);
    if (call.media === "sha") return ok(found.sha);
    const changes = filesBetween(call.world, found.parents[0] ?? null, found.sha);
    const { files, ...shown } = commitWithFiles(call.world, repo, found, changes);
    const { items, headers } = page(call, files, (file) => file, filesShown);
    return { status: 200, body: { ...shown, files: items }, headers };
  }),
  repoRoute("GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls", reads("pull_requests"), (call, repo) => {
    const { sha } = commitAt(call.world, repo, call.path.commit_sha);
    const found = [...repo.pulls.values()].filter(
      (pull) =>
        pull.mergeCommitSha === sha ||
        (ancestors(call.world, pull.head.sha).has(sha) && !ancestors(call.world, pull.base.sha).has(sha)),
    );
    return list(call, found, (pull) => pullSimple(call.world, pull));
  }),
  repoRoute("GET /repos/{owner}/{repo}/compare/{basehead}", contents, (call, repo) => {
    const [base, head] = call.path.basehead.split("...");
    if (base === undefined || head === undefined) throw notFound();
    const { commits, files, ...shown } = comparison(
      call.world,
      repo,
      commitAt(call.world, repo, base),
      commitAt(call.world, repo, head),
      call.url,
    );
    const { items, headers } = page(call, commits, (one) => one, commitsCompared);
    // The files stand on the first page alone.
    const body = { ...shown, commits: items, ...((call.query.page ?? 1) > 1 ? {} : { files }) };
    return { status: 200, body, headers };
  }),
  repoRoute("GET /repos/{owner}/{repo}/git/ref/{ref}", contents, (call, repo) => {
    const sha = repo.refs.get(`refs/${call.path.ref}`);
    if (sha === undefined) throw notFound();
    return ok(gitRef(call.world, repo, `refs/${call.path.ref}`, sha));
  }),
  repoRoute("GET /repos/{owner}/{repo}/git/matching-refs/{ref}", contents, (call, repo) => {
    const found = [...repo.refs].filter(([ref]) => ref.startsWith(`refs/${call.path.ref}`));
    return list(call, found, ([ref, sha]) => gitRef(call.world, repo, ref, sha));
  }),
  repoRoute("POST /repos/{owner}/{repo}/git/refs", writesContents, (call, repo) => {
    createRef(call.world, call.actor, repo, call.body.ref, call.body.sha);
    return created(gitRef(call.world, repo, call.body.ref, call.body.sha));
  }),
  repoRoute("PATCH /repos/{owner}/{repo}/git/refs/{ref}", writesContents, (call, repo) => {
    const ref = `refs/${call.path.ref}`;
    if (!repo.refs.has(ref)) throw new WorldError("invalid", "Reference does not exist");
    if (!call.world.commits.has(call.body.sha)) throw new WorldError("invalid", "Object does not exist");
    setRef(call.world, call.actor, repo, ref, call.body.sha, call.body.force ?? false);
    return ok(gitRef(call.world, repo, ref, call.body.sha));
  }),
  repoRoute("DELETE /repos/{owner}/{repo}/git/refs/{ref}", writesContents, (call, repo) => {
    deleteRef(call.world, call.actor, repo, `refs/${call.path.ref}`);
    return noContent;
  }),
  repoRoute("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", contents, (call, repo) => {
    const found = call.world.commits.get(call.path.commit_sha);
    if (found === undefined) throw notFound();
    return ok(gitCommit(call.world, repo, found));
  }),
  repoRoute("POST /repos/{owner}/{repo}/git/commits", writesContents, (call, repo) => {
    const source = [...call.world.commits.values()].find((one) => one.treeSha === call.body.tree);
    if (source === undefined) throw new WorldError("invalid", "Tree SHA does not exist");
    const parents = call.body.parents ?? [];
    for (const parent of parents)
      if (!call.world.commits.has(parent)) throw new WorldError("invalid", "Parent SHA does not exist");
    const made = makeCommit(call.world, {
      tree: editTree(source.files, {}),
      parents,
      message: call.body.message,
      author: call.actor.account,
    });
    return created(gitCommit(call.world, repo, made));
  }),
  repoRoute("POST /repos/{owner}/{repo}/dispatches", writesContents, (call, repo) => {
    const { event_type: eventType, client_payload: clientPayload = {} } = call.body;
    dispatchRepository(call.world, call.actor, repo, { eventType, clientPayload });
    return noContent;
  }),
];

function comparison(world: World, repo: Repository, base: Commit, head: Commit, url: URL) {
  const ahead = [...ancestors(world, head.sha)].filter((sha) => !ancestors(world, base.sha).has(sha));
  const behind = [...ancestors(world, base.sha)].filter((sha) => !ancestors(world, head.sha).has(sha));
  const origin = [...ancestors(world, head.sha)].find((sha) => ancestors(world, base.sha).has(sha));
  const from = origin === undefined ? base : commit(world, origin);
  const status =
    ahead.length > 0 ? (behind.length > 0 ? "diverged" : "ahead") : behind.length > 0 ? "behind" : "identical";
  const page = commitShape(world, repo, head).html_url.replace(/\/commit\/.*$/, `/compare/${base.sha}...${head.sha}`);
  return {
    url: `${url.origin}${url.pathname}`,
    html_url: page,
    permalink_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: commitShape(world, repo, base),
    merge_base_commit: commitShape(world, repo, from),
    status,
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    commits: ahead.reverse().map((sha) => commitShape(world, repo, commit(world, sha))),
    files: commitWithFiles(world, repo, head, changedFiles(from.files, head.files)).files,
  };
}
