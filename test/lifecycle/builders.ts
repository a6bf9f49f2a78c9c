/** Short ways to write facts for tests. Times are minutes after the opening. */

import { evaluate } from "../../src/lifecycle/evaluation/evaluate.ts";
import type { Evaluation } from "../../src/lifecycle/evaluation/evaluation.ts";
import { type ActWithoutId, act, type Change, type CheckSeen, type PullKey } from "../../src/lifecycle/facts/change.ts";
import type { Act, Actor, Facts, Permissions, PullState } from "../../src/lifecycle/facts/facts.ts";
import { record } from "../../src/lifecycle/facts/record.ts";
import { type Origin, originOf, type RunOrigin } from "../../src/lifecycle/facts/run-origin.ts";
import type { SuiteSeen } from "../../src/lifecycle/facts/suites.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";

export const OPENED = Date.parse("2026-03-02T09:00:00Z");
export const OUR_APP_ID = 4242;

export function minute(n: number): number {
  return OPENED + n * 60_000;
}

const user = (id: number, login: string): Actor => ({ kind: "user", id, login });
const bot = (id: number, login: string): Actor => ({ kind: "bot", id, login });

export const rex = bot(11, "rex[bot]");
export const cleo = bot(12, "cleo[bot]");
export const tess = bot(13, "tess[bot]");
export const alice = user(21, "alice");
export const bob = user(22, "bob");
export const lead = user(23, "lead");
export const outsider = user(66, "outsider");
/** A person who chose a bot's name without its suffix. */
export const tessUser = user(67, "tess");

export const permissions: Permissions = {
  levels: {
    "user:21": "write",
    "user:22": "write",
    "user:23": "admin",
    "user:66": "read",
    "user:67": "read",
  },
  teams: {
    "org/leads": { "user:23": true, "user:21": false, "user:22": false, "user:66": false, "user:67": false },
    "org/quality": { "user:21": true, "user:22": false, "user:23": false, "user:66": false, "user:67": false },
    "org/testing": { "user:22": true, "user:21": false, "user:23": false, "user:66": false, "user:67": false },
  },
  identities: {
    "rex[bot]": rex,
    "cleo[bot]": cleo,
    "tess[bot]": tess,
    alice,
    bob,
    lead,
    outsider,
    tess: tessUser,
  },
};

export const pull: PullKey = {
  installationId: 1,
  repository: { id: 100, owner: "org", name: "repo", defaultBranch: "main", private: false },
  number: 7,
};

export function state(overrides: Partial<PullState> = {}): PullState {
  return {
    repository: pull.repository,
    nodeId: "PR_7",
    title: "Add a thing",
    body: "",
    author: rex,
    state: "open",
    merged: false,
    draft: false,
    openedAt: OPENED,
    head: { sha: "aaaaaaa1", ref: "task-7", repositoryId: 100 },
    base: { sha: "0000000", ref: "main" },
    labels: [],
    updatedAt: OPENED,
    ...overrides,
  };
}

export function opened(overrides: Partial<PullState> = {}): Change {
  const seen = state(overrides);
  return { pull, kind: "observed", state: seen, acts: [act({ kind: "opened", at: seen.openedAt, by: seen.author })] };
}

export function did(...deeds: ActWithoutId[]): Change {
  return { pull, kind: "acts", acts: deeds.map(act) };
}

export const labeled = (n: number, label: string, by: Actor): ActWithoutId => ({
  kind: "labeled",
  at: minute(n),
  by,
  label,
});
export const unlabeled = (n: number, label: string, by: Actor): ActWithoutId => ({
  kind: "unlabeled",
  at: minute(n),
  by,
  label,
});
export const pushed = (n: number, before: string, sha: string, by: Actor): ActWithoutId => ({
  kind: "pushed",
  at: minute(n),
  by,
  before,
  sha,
  forced: false,
});
export const review = (
  n: number,
  by: Actor,
  verdict: "approved" | "changes_requested" | "commented",
  sha = "aaaaaaa1",
  reviewId = n * 1000 + by.id,
): ActWithoutId => ({ kind: "review", at: minute(n), by, state: verdict, sha, reviewId: `${reviewId}` });
export const dismissed = (n: number, by: Actor, reviewId: number): ActWithoutId => ({
  kind: "review_dismissed",
  at: minute(n),
  by,
  reviewId: `${reviewId}`,
});
export const comment = (n: number, by: Actor, command: string, argument = ""): ActWithoutId => ({
  kind: "command",
  at: minute(n),
  by,
  commentId: `${n * 1000 + by.id}`,
  command,
  argument,
});
export const ran = (
  n: number,
  workflow: string,
  result: "success" | "failure" | "cancelled",
  sha = "aaaaaaa1",
  runId = n,
): ActWithoutId => ({ kind: "workflow", at: minute(n), by: tess, workflow, runId: `${runId}`, result, sha });

export function check(n: number, overrides: Partial<CheckSeen> = {}): CheckSeen {
  return {
    name: "build",
    appId: 15368,
    appSlug: "github-actions",
    status: "completed",
    conclusion: "success",
    sha: "aaaaaaa1",
    at: minute(n),
    ours: false,
    ...overrides,
  };
}

export function checked(...checks: CheckSeen[]): Change {
  return { pull, kind: "checks", checks };
}

/**
 * Of each workflow run it is known that the app started it, and of the head that no further suites are open, unless a
 * change says otherwise.
 */
export function history(...changes: Change[]): Facts {
  const [first, ...rest] = changes;
  if (first === undefined) {
    throw new Error("a history has at least one change");
  }
  return withSuites(withOrigins(rest.reduce((facts, change) => record(facts, change), record(null, first))));
}

/** The facts as they are once all suites of the head were read: none, but for those that a change told. */
export function withSuites(facts: Facts, suites: SuiteSeen[] = []): Facts {
  const read = { pull, kind: "checks", checks: [], suites, allSuitesOf: facts.head.sha } as const;
  return facts.suites === undefined || suites.length > 0 ? record(facts, read) : facts;
}

export function suite(id: string, overrides: Partial<SuiteSeen> = {}): SuiteSeen {
  const of = { app: "github-actions", workflow: null, finished: true, at: minute(1) };
  return { id, sha: "aaaaaaa1", ...of, ...overrides };
}

/** The facts with an origin told of each run that has none: by default, the app started it. */
export function withOrigins(facts: Facts, origin: Origin = "started"): Facts {
  const runs = facts.acts.flatMap((each) => {
    const runId = each.kind === "workflow" ? each.runId : each.kind === "plan" ? each.within?.runId : undefined;
    return runId === undefined || !("sha" in each) ? [] : [{ runId, sha: each.sha }];
  });
  const missing = runs.filter((run) => originOf(facts.runOrigins, run, facts.base.ref) === null);
  const told = missing.map(({ runId, sha }): RunOrigin => ({ runId, sha, baseRef: null, origin, detail: "" }));
  return told.length === 0 ? facts : record(facts, { pull, kind: "run_origins", origins: told });
}

export function evaluationOf(
  facts: Facts,
  policy: Policy = DEFAULT_POLICY,
  known: Permissions = permissions,
): Evaluation {
  return evaluate({ facts, policy, permissions: known, ourAppId: OUR_APP_ID });
}

/** Facts of a pull request that was opened at minute 0, with these deeds since. */
export function openedThen(...deeds: ActWithoutId[]): Facts {
  return history(opened(), did(...deeds));
}

export function actsOf(...deeds: ActWithoutId[]): Act[] {
  return deeds.map(act);
}
