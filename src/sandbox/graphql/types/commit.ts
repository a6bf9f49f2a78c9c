/** Commits, their statuses, and the rollup over all that is said of them. */

import { iso, isoOrNull, repoHtml } from "../../shapes/urls.ts";
import {
  account,
  ancestors,
  type CheckRun,
  checkRunsOn,
  commit,
  directoryOf,
  emailOf,
  filesBetween,
  latestRuns,
  latestStatuses,
  lineCounts,
  type Repository,
  runsOfSuite,
  type Status,
  suitesOn,
} from "../../world/index.ts";
import { type Context, connection, type Defined, define, type Optional, type PageArgs, reading } from "../define.ts";
import {
  CheckRunType,
  CheckSuiteType,
  CommitType,
  type CommitValue,
  PullRequestType,
  RepositoryType,
  TreeType,
} from "../entities.ts";
import { actorById, User } from "./people.ts";
import { entryAt, filterPulls, type PullFilter } from "./repository.ts";

function gitActor({ world }: Context, id: number, at: number) {
  const who = account(world, id);
  return {
    name: who.name ?? who.login,
    email: emailOf(who),
    date: iso(at),
    user: who.type === "User" ? User(who) : null,
    avatarUrl: `${world.baseUrl}/_avatars/${who.id}`,
  };
}

function changes({ commit: made }: CommitValue, { world }: Context) {
  return filesBetween(world, made.parents[0] ?? null, made.sha);
}

const commitFields = define(CommitType, {
  id: ({ commit: made }) => made.nodeId,
  oid: ({ commit: made }) => made.sha,
  abbreviatedOid: ({ commit: made }) => made.sha.slice(0, 7),
  message: ({ commit: made }) => made.message,
  messageHeadline: ({ commit: made }) => made.message.split("\n")[0] ?? "",
  messageBody: ({ commit: made }) => made.message.split("\n").slice(1).join("\n").trim(),
  committedDate: ({ commit: made }) => iso(made.at),
  authoredDate: ({ commit: made }) => iso(made.at),
  // GitHub no longer tells when a commit was pushed.
  pushedDate: () => null,
  author: ({ commit: made }, _args: never, context) => gitActor(context, made.authorId, made.at),
  committer: ({ commit: made }, _args: never, context) => gitActor(context, made.committerId, made.at),
  url: ({ repo, commit: made }, _args: never, { world }) => repoHtml(world, repo, `/commit/${made.sha}`),
  commitUrl: ({ repo, commit: made }, _args: never, { world }) => repoHtml(world, repo, `/commit/${made.sha}`),
  repository: ({ repo }) => RepositoryType(repo),
  tree: ({ repo, commit: made }) => TreeType({ repo, directory: directoryOf(made.files), path: "" }),
  file: ({ repo, commit: made }, args: { path: string }, context) => {
    reading(context, repo, "contents");
    return entryAt(repo, made, args.path);
  },
  changedFilesIfAvailable: (value, _args: never, context) => changes(value, context).length,
  additions: (value, _args: never, context) =>
    changes(value, context).reduce((sum, one) => sum + lineCounts(one).additions, 0),
  deletions: (value, _args: never, context) =>
    changes(value, context).reduce((sum, one) => sum + lineCounts(one).deletions, 0),
  parents: ({ repo, commit: made }, args: PageArgs, { world }) =>
    connection("parents", made.parents, args, (sha) => CommitType({ repo, commit: commit(world, sha) })),
  history: ({ repo, commit: made }, args: PageArgs, { world }) =>
    connection("history", [...ancestors(world, made.sha)], args, (sha) =>
      CommitType({ repo, commit: commit(world, sha) }),
    ),
  associatedPullRequests: ({ repo, commit: made }, args: PullFilter, context) => {
    reading(context, repo, "pull_requests");
    const found = [...repo.pulls.values()].filter(
      (pull) => pull.head.sha === made.sha || pull.mergeCommitSha === made.sha,
    );
    return connection("associatedPullRequests", filterPulls(repo, found, args), args, PullRequestType);
  },
  checkSuites: (
    { repo, commit: made },
    args: PageArgs & { filterBy?: Optional<{ appId?: Optional<number>; checkName?: Optional<string> }> },
    context,
  ) => {
    reading(context, repo, "checks");
    const { appId, checkName } = args.filterBy ?? {};
    const found = suitesOn(context.world, repo, made.sha)
      .filter((suite) => !appId || suite.appId === appId)
      .filter((suite) => !checkName || runsOfSuite(context.world, suite).some((run) => run.name === checkName));
    return connection("checkSuites", found, args, CheckSuiteType);
  },
  statusCheckRollup: (value, _args: never, context) => rollup(value, context),
  status: (value, _args: never, context) => {
    reading(context, value.repo, "statuses");
    const statuses = latestStatuses(context.world, value.repo, value.commit.sha);
    return statuses.length === 0 ? null : StatusType({ ...value, statuses });
  },
});

type Rolled = CommitValue & { readonly runs: readonly CheckRun[]; readonly statuses: readonly Status[] };

/** Null where nothing was said of the commit. */
export function rollup(value: CommitValue, context: Context) {
  reading(context, value.repo, "checks", "statuses");
  const runs = latestRuns(checkRunsOn(context.world, value.repo, value.commit.sha));
  const statuses = latestStatuses(context.world, value.repo, value.commit.sha);
  return runs.length + statuses.length === 0 ? null : RollupType({ ...value, runs, statuses });
}

type StatusState = "ERROR" | "EXPECTED" | "FAILURE" | "PENDING" | "SUCCESS";

function combined(runs: readonly CheckRun[], statuses: readonly Status[]): StatusState {
  const bad = runs.some(
    (run) => run.conclusion !== null && !["success", "neutral", "skipped"].includes(run.conclusion),
  );
  if (statuses.some((one) => one.state === "error")) return "ERROR";
  if (bad || statuses.some((one) => one.state === "failure")) return "FAILURE";
  const open = runs.some((run) => run.status !== "completed") || statuses.some((one) => one.state === "pending");
  return open ? "PENDING" : "SUCCESS";
}

export const RollupType: Defined<Rolled> = define("StatusCheckRollup", {
  id: ({ commit: made }, _args: never, { world }) => world.ids.node("Status", `rollup:${made.sha}`),
  state: ({ runs, statuses }) => combined(runs, statuses),
  commit: (value) => CommitType(value),
  contexts: ({ repo, runs, statuses }, args: PageArgs) => {
    const all = [
      ...runs.map((run) => CheckRunType(run)),
      ...statuses.map((status) => StatusContextType({ repo, status })),
    ];
    return connection("contexts", all, args, (one) => one, {
      checkRunCount: runs.length,
      statusContextCount: statuses.length,
    });
  },
});

export const StatusType: Defined<CommitValue & { readonly statuses: readonly Status[] }> = define("Status", {
  id: ({ commit: made }, _args: never, { world }) => world.ids.node("Status", `combined:${made.sha}`),
  state: ({ statuses }) => combined([], statuses),
  commit: (value) => CommitType(value),
  contexts: ({ repo, statuses }) => statuses.map((status) => StatusContextType({ repo, status })),
  context: ({ repo, statuses }, args: { name: string }) => {
    const found = statuses.find((one) => one.context === args.name);
    return found === undefined ? null : StatusContextType({ repo, status: found });
  },
});

interface StatusValue {
  readonly repo: Repository;
  readonly status: Status;
}

export const StatusContextType: Defined<StatusValue> = define("StatusContext", {
  id: ({ status }) => status.nodeId,
  context: ({ status }) => status.context,
  state: ({ status }) => status.state.toUpperCase(),
  description: ({ status }) => status.description,
  targetUrl: ({ status }) => status.targetUrl,
  createdAt: ({ status }) => isoOrNull(status.createdAt),
  creator: ({ status }, _args: never, context) => actorById(context, status.creatorId),
  commit: ({ repo, status }, _args: never, { world }) => CommitType({ repo, commit: commit(world, status.sha) }),
  isRequired: ({ repo, status }, args: { pullRequestNumber?: Optional<number> }) =>
    isRequired(repo, status.context, null, args.pullRequestNumber),
});

/** Whether the base branch's protection asks for it. */
export function isRequired(
  repo: Repository,
  name: string,
  appId: number | null,
  pullNumber: Optional<number>,
): boolean {
  const pull = pullNumber ? repo.pulls.get(pullNumber) : undefined;
  const protection = repo.protections.get(pull?.base.ref ?? repo.defaultBranch);
  return (
    protection?.requiredChecks.some(
      (check) => check.context === name && (check.appId === null || check.appId === appId),
    ) ?? false
  );
}

export const commitTypes = [commitFields, RollupType, StatusType, StatusContextType];
