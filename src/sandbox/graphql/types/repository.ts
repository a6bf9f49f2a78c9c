/** Repositories, refs, trees and labels. */

import { repositoryObject as shape } from "../../shapes/repositories.ts";
import { iso } from "../../shapes/urls.ts";
import {
  account,
  atLeast,
  blobSha,
  type Commit,
  commit,
  type Directory,
  directoryOf,
  type File,
  fullName,
  labelByName,
  type PullRequest,
  permissionOf,
  type Repository,
  repository,
  resolveRef,
  treeSha,
} from "../../world/index.ts";
import {
  type Context,
  connection,
  type Defined,
  define,
  failure,
  type Optional,
  type PageArgs,
  reading,
  upper,
} from "../define.ts";
import { CommitType, EnvironmentType, LabelType, PullRequestType, RepositoryType, TreeType } from "../entities.ts";
import { mergeQueue } from "./merge-queue.ts";
import { actorEntity, User } from "./people.ts";

interface LabelOrder {
  readonly field: "CREATED_AT" | "NAME";
  readonly direction: "ASC" | "DESC";
}

export interface PullFilter extends PageArgs {
  readonly states?: Optional<readonly ("OPEN" | "CLOSED" | "MERGED")[]>;
  readonly labels?: Optional<readonly string[]>;
  readonly headRefName?: Optional<string>;
  readonly baseRefName?: Optional<string>;
  readonly orderBy?: Optional<{ field: "CREATED_AT" | "UPDATED_AT" | "COMMENTS"; direction: "ASC" | "DESC" }>;
}

export function stateOf(pull: PullRequest): "OPEN" | "CLOSED" | "MERGED" {
  return pull.merged ? "MERGED" : pull.state === "open" ? "OPEN" : "CLOSED";
}

export function filterPulls(repo: Repository, pulls: readonly PullRequest[], by: PullFilter): PullRequest[] {
  const wanted = by.labels?.map((name) => labelByName(repo, name)?.id);
  const found = pulls.filter(
    (pull) =>
      (!by.states || by.states.includes(stateOf(pull))) &&
      (!by.headRefName || pull.head.ref === by.headRefName) &&
      (!by.baseRefName || pull.base.ref === by.baseRefName) &&
      (!wanted || wanted.some((id) => id !== undefined && pull.labelIds.has(id))),
  );
  const { orderBy } = by;
  if (!orderBy) return found;
  const keys = {
    CREATED_AT: (p: PullRequest) => p.number,
    UPDATED_AT: (p: PullRequest) => p.updatedAt,
    COMMENTS: (p: PullRequest) => p.comments.length,
  };
  const key = keys[orderBy.field];
  return found.sort((a, b) => (orderBy.direction === "ASC" ? key(a) - key(b) : key(b) - key(a)));
}

function pullAt(repo: Repository, number: number) {
  const pull = repo.pulls.get(number);
  if (pull === undefined)
    throw failure("NOT_FOUND", `Could not resolve to a PullRequest with the number of ${number}.`);
  return PullRequestType(pull);
}

function readPulls(context: Context, repo: Repository): void {
  reading(context, repo, "pull_requests");
}

const repositoryFields = define(RepositoryType, {
  id: (repo) => repo.nodeId,
  databaseId: (repo) => repo.id,
  name: (repo) => repo.name,
  nameWithOwner: (repo, _args: never, { world }) => fullName(world, repo),
  owner: (repo, _args: never, { world }) => actorEntity(account(world, repo.ownerId)),
  url: (repo, _args: never, { world }) => shape(world, repo).html_url,
  resourcePath: (repo, _args: never, { world }) => `/${fullName(world, repo)}`,
  description: (repo) => repo.description,
  isPrivate: (repo) => repo.private,
  isFork: (repo) => repo.parentId !== null,
  isArchived: () => false,
  isDisabled: () => false,
  isEmpty: (repo) => repo.refs.size === 0,
  visibility: (repo) => (repo.private ? "PRIVATE" : "PUBLIC"),
  parent: (repo, _args: never, { world }) =>
    repo.parentId === null ? null : RepositoryType(repository(world, repo.parentId)),
  createdAt: (repo) => iso(repo.createdAt),
  updatedAt: (repo) => iso(repo.updatedAt),
  pushedAt: (repo) => iso(repo.pushedAt),
  autoMergeAllowed: ({ merging }) => merging.autoMerge,
  mergeCommitAllowed: ({ merging }) => merging.methods.includes("merge"),
  squashMergeAllowed: ({ merging }) => merging.methods.includes("squash"),
  rebaseMergeAllowed: ({ merging }) => merging.methods.includes("rebase"),
  deleteBranchOnMerge: () => false,
  viewerPermission: (repo, _args: never, { world, caller }) =>
    caller.kind === "user" ? upper(permissionOf(world, repo, caller.account)) : null,
  defaultBranchRef: (repo, _args: never, context) => refOrNull(context, repo, `refs/heads/${repo.defaultBranch}`),
  ref: (repo, args: { qualifiedName: string }, context) => {
    const names = args.qualifiedName.startsWith("refs/")
      ? [args.qualifiedName]
      : [`refs/heads/${args.qualifiedName}`, `refs/tags/${args.qualifiedName}`];
    return refOrNull(context, repo, names.find((name) => repo.refs.has(name)) ?? "");
  },
  refs: (repo, args: PageArgs & { refPrefix: string; query?: Optional<string> }, context) => {
    reading(context, repo, "contents");
    const found = [...repo.refs.keys()].filter(
      (ref) => ref.startsWith(args.refPrefix) && (!args.query || ref.includes(args.query)),
    );
    return connection("refs", found.sort(), args, (name) => RefType({ repo, name }));
  },
  object: (repo, args: { oid?: Optional<string>; expression?: Optional<string> }, context) => {
    reading(context, repo, "contents");
    return objectAt(context, repo, args.expression ?? args.oid ?? "");
  },
  mergeQueue: (repo, args: { branch?: Optional<string> }, context) => {
    reading(context, repo, "merge_queues");
    return mergeQueue(repo, args.branch ?? repo.defaultBranch);
  },
  pullRequest: (repo, args: { number: number }, context) => {
    readPulls(context, repo);
    return pullAt(repo, args.number);
  },
  issueOrPullRequest: (repo, args: { number: number }, context) => {
    readPulls(context, repo);
    return pullAt(repo, args.number);
  },
  pullRequests: (repo, args: PullFilter, context) => {
    readPulls(context, repo);
    return connection("pullRequests", filterPulls(repo, [...repo.pulls.values()], args), args, PullRequestType);
  },
  label: (repo, args: { name: string }, context) => {
    reading(context, repo, "issues", "pull_requests");
    const found = labelByName(repo, args.name);
    return found === null ? null : LabelType(found);
  },
  labels: (repo, args: PageArgs & { query?: Optional<string>; orderBy?: Optional<LabelOrder> }, context) => {
    reading(context, repo, "issues", "pull_requests");
    const { query, orderBy } = args;
    const found = [...repo.labels.values()].filter(
      (one) => !query || one.name.toLowerCase().includes(query.toLowerCase()),
    );
    if (orderBy?.field === "NAME") found.sort((a, b) => a.name.localeCompare(b.name));
    if (orderBy?.direction === "DESC") found.reverse();
    return connection("labels", found, args, LabelType);
  },
  collaborators: (repo, args: PageArgs & { login?: Optional<string>; query?: Optional<string> }, context) => {
    reading(context, repo, "metadata");
    const { world } = context;
    const people = [...world.accounts.values()].filter(
      (who) => who.type === "User" && collaborates(context, repo, who.id),
    );
    const found = people.filter(
      (who) =>
        (!args.login || who.login.toLowerCase() === args.login.toLowerCase()) &&
        (!args.query || who.login.includes(args.query)),
    );
    return connection("collaborators", found, args, User, {}, (who) => ({
      permission: upper(permissionOf(world, repo, who)),
    }));
  },
  environment: (repo, args: { name: string }) => {
    const found = repo.environments.get(args.name);
    return found === undefined ? null : EnvironmentType(found);
  },
  environments: (repo, args: PageArgs) =>
    connection("environments", [...repo.environments.values()], args, EnvironmentType),
});

function collaborates({ world }: Context, repo: Repository, id: number): boolean {
  const level = permissionOf(world, repo, account(world, id));
  return repo.collaborators.has(id) || atLeast(level, repo.private ? "read" : "triage");
}

const environmentFields = define(EnvironmentType, {
  id: (one) => one.nodeId,
  databaseId: (one) => one.id,
  name: (one) => one.name,
});

const labelFields = define(LabelType, {
  id: (label) => label.nodeId,
  name: (label) => label.name,
  color: (label) => label.color,
  description: (label) => label.description,
  isDefault: () => false,
  createdAt: (label) => iso(label.createdAt),
  updatedAt: (label) => iso(label.createdAt),
  url: (label, _args: never, { world }) =>
    `${shape(world, repository(world, label.repositoryId)).html_url}/labels/${encodeURIComponent(label.name)}`,
  repository: (label, _args: never, { world }) => RepositoryType(repository(world, label.repositoryId)),
  pullRequests: (label, args: PullFilter, context) => {
    const repo = repository(context.world, label.repositoryId);
    readPulls(context, repo);
    const found = [...repo.pulls.values()].filter((pull) => pull.labelIds.has(label.id));
    return connection("pullRequests", filterPulls(repo, found, args), args, PullRequestType);
  },
});

export interface RefValue {
  readonly repo: Repository;
  /** `refs/heads/main` */
  readonly name: string;
}

export function refOrNull(context: Context, repo: Repository, name: string) {
  reading(context, repo, "contents");
  return repo.refs.has(name) ? RefType({ repo, name }) : null;
}

function prefixOf(name: string): string {
  return /^refs\/(?:heads|tags|pull)\//.exec(name)?.[0] ?? "refs/";
}

export const RefType: Defined<RefValue> = define("Ref", {
  id: ({ repo, name }, _args: never, { world }) => world.ids.node("Ref", `${repo.id}:${name}`),
  name: ({ name }) => name.slice(prefixOf(name).length),
  prefix: ({ name }) => prefixOf(name),
  repository: ({ repo }) => RepositoryType(repo),
  target: ({ repo, name }, _args: never, { world }) => {
    const sha = repo.refs.get(name);
    return sha === undefined ? null : CommitType({ repo, commit: commit(world, sha) });
  },
  // What anybody who may read the branch may know of its protection; rulesets are not built here.
  refUpdateRule: ({ repo, name }) => {
    const protection = repo.protections.get(name.replace(/^refs\/heads\//, ""));
    return protection === undefined
      ? null
      : {
          pattern: name.slice(prefixOf(name).length),
          requiredApprovingReviewCount: protection.requiredApprovals === 0 ? null : protection.requiredApprovals,
          requiredStatusCheckContexts: protection.requiredChecks.map((each) => each.context),
          requiresCodeOwnerReviews: false,
          requiresConversationResolution: false,
          requiresLinearHistory: false,
          requiresSignatures: false,
          allowsDeletions: false,
          allowsForcePushes: false,
          blocksCreations: false,
        };
  },
  rules: (_ref, args: PageArgs) => connection("rules", [], args, () => null),
  associatedPullRequests: ({ repo, name }, args: PullFilter, context) => {
    readPulls(context, repo);
    const branch = name.replace(/^refs\/heads\//, "");
    const found = [...repo.pulls.values()].filter(
      (pull) => pull.head.ref === branch && pull.head.repositoryId === repo.id,
    );
    return connection("associatedPullRequests", filterPulls(repo, found, args), args, PullRequestType);
  },
});

/** `main:path/to/file`, `main:`, `main`, or an object id. */
function objectAt({ world }: Context, repo: Repository, expression: string) {
  const [revision = "", path] = expression.split(/:(.*)/s);
  const sha = resolveRef(world, repo, revision === "HEAD" ? repo.defaultBranch : revision);
  if (sha === null) return null;
  const at = commit(world, sha);
  if (path === undefined) return CommitType({ repo, commit: at });
  const file = at.files.get(path);
  if (file !== undefined) return BlobType({ repo, file });
  const tree = folder(at, path);
  return tree === null ? null : TreeType({ repo, directory: tree, path });
}

export function folder(at: Commit, path: string): Directory | null {
  let here = directoryOf(at.files);
  for (const part of path.split("/").filter((piece) => piece !== "")) {
    const next = here.get(part);
    if (!(next instanceof Map)) return null;
    here = next;
  }
  return here;
}

export const BlobType: Defined<{ readonly repo: Repository; readonly file: File }> = define("Blob", {
  id: ({ file }, _args: never, { world }) => world.ids.node("Commit", `blob:${blobSha(file)}`),
  oid: ({ file }) => blobSha(file),
  abbreviatedOid: ({ file }) => blobSha(file).slice(0, 7),
  byteSize: ({ file }) => file.bytes.length,
  isBinary: ({ file }) => file.bytes.includes(0),
  isTruncated: () => false,
  text: ({ file }) => (file.bytes.includes(0) ? null : file.bytes.toString("utf8")),
  repository: ({ repo }) => RepositoryType(repo),
});

const treeFields = define(TreeType, {
  id: ({ directory }, _args: never, { world }) => world.ids.node("Commit", `tree:${treeSha(directory)}`),
  oid: ({ directory }) => treeSha(directory),
  abbreviatedOid: ({ directory }) => treeSha(directory).slice(0, 7),
  repository: ({ repo }) => RepositoryType(repo),
  entries: ({ repo, directory, path }) =>
    [...directory].map(([name, entry]) => treeEntry(repo, name, path === "" ? name : `${path}/${name}`, entry)),
});

function treeEntry(repo: Repository, name: string, path: string, entry: File | Directory) {
  const isTree = entry instanceof Map;
  return {
    name,
    path,
    type: isTree ? "tree" : "blob",
    mode: isTree ? 0o40000 : entry.executable ? 0o100755 : 0o100644,
    oid: isTree ? treeSha(entry) : blobSha(entry),
    size: isTree ? 0 : entry.bytes.length,
    object: isTree ? TreeType({ repo, directory: entry, path }) : BlobType({ repo, file: entry }),
    repository: RepositoryType(repo),
  };
}

/** The file or folder at this path of a commit; null: there is none. */
export function entryAt(repo: Repository, at: Commit, path: string) {
  const name = path.split("/").at(-1) ?? path;
  const found = at.files.get(path) ?? folder(at, path);
  return found === null ? null : treeEntry(repo, name, path, found);
}

export const repositoryTypes = [repositoryFields, environmentFields, labelFields, RefType, BlobType, treeFields];
