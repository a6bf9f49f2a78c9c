/** Merge queues: what waits to be merged, in order, each with the commit of its merge group. */

import { iso, repoHtml } from "../../shapes/urls.ts";
import { commit, type PullRequest, type Repository, repository } from "../../world/index.ts";
import { type Context, connection, type Defined, define, type PageArgs } from "../define.ts";
import { CommitType, MergeQueueEntryType, PullRequestType, RepositoryType } from "../entities.ts";
import { actorById } from "./people.ts";

interface Queue {
  readonly repo: Repository;
  readonly branch: string;
}

/** Those that wait, the longest first. */
function waiting({ repo, branch }: Queue): PullRequest[] {
  const queued = [...repo.pulls.values()].filter((pull) => pull.queued !== null && pull.base.ref === branch);
  return queued.sort((a, b) => (a.queued?.at ?? 0) - (b.queued?.at ?? 0) || a.number - b.number);
}

/** Null: the branch has no queue. */
export function mergeQueue(repo: Repository, branch: string) {
  return repo.merging.queues.has(branch) ? MergeQueueType({ repo, branch }) : null;
}

const MergeQueueType: Defined<Queue> = define("MergeQueue", {
  id: ({ repo, branch }, _args: never, { world }) => world.ids.node("Repository", `queue:${repo.id}:${branch}`),
  url: ({ repo, branch }, _args: never, { world }) => repoHtml(world, repo, `/queue/${branch}`),
  repository: ({ repo }) => RepositoryType(repo),
  entries: (queue, args: PageArgs) => connection("entries", waiting(queue), args, MergeQueueEntryType),
});

const mergeQueueEntryFields = define(MergeQueueEntryType, {
  id: (pull, _args: never, { world }) => world.ids.node("PullRequest", `queued:${pull.id}`),
  position: (pull, _args: never, context) => place(pull, context).indexOf(pull) + 1,
  enqueuedAt: (pull) => iso(pull.queued?.at ?? 0),
  enqueuer: (pull, _args: never, context) => actorById(context, pull.queued?.byId ?? 0),
  headCommit: (pull, _args: never, context) => commitOf(pull, context, pull.queued?.group.headSha),
  baseCommit: (pull, _args: never, context) => commitOf(pull, context, pull.queued?.group.baseSha),
  jump: () => false,
  solo: () => false,
  state: () => "AWAITING_CHECKS",
  pullRequest: (pull) => PullRequestType(pull),
});

function place(pull: PullRequest, { world }: Context): PullRequest[] {
  return waiting({ repo: repository(world, pull.repositoryId), branch: pull.base.ref });
}

function commitOf(pull: PullRequest, { world }: Context, sha: string | undefined) {
  const repo = repository(world, pull.repositoryId);
  return sha === undefined ? null : CommitType({ repo, commit: commit(world, sha) });
}

export const mergeQueueTypes = [MergeQueueType, mergeQueueEntryFields];
