/**
 * Who wrote the workflow file that a run executed. A run reports on a pull request's head commit whatever started it,
 * and a pull request can bring its own workflow files: a result is evidence only where it could not choose them.
 */
import { compareIds, compareText } from "../../ids.ts";

/**
 * - `started`: by the app, for this pull request and this commit.
 * - `default_branch`: its event takes the file from the default branch.
 * - `unchanged`: it came with the commit, and neither it nor a local workflow or action that it calls differs from the
 *   base branch's.
 * - `changed`: the pull request, or another one with the same head, chose what it ran.
 * - `untold`: GitHub was asked, and what it said does not settle it.
 * - `not_started`: not by the app; nothing else was asked.
 */
export type Origin = "started" | "default_branch" | "unchanged" | "changed" | "untold" | "not_started";

/** What was found out once about a finished run. */
export interface RunOrigin {
  readonly runId: string;
  /** The commit that its result is taken for. */
  readonly sha: string;
  /** The base branch that its files were compared with; null: it makes no difference. */
  readonly baseRef: string | null;
  readonly origin: Origin;
  /** Why it is not evidence, completing "that run does not count: …"; empty where it is. */
  readonly detail: string;
}

/** Origins kept of one pull request, those of former heads and bases included. */
const MOST_ORIGINS = 1_000;

/** What was told first stands, unless more is known now; the order in which it is told makes no difference. */
const RANK: Readonly<Record<Origin, number>> = {
  started: 5,
  default_branch: 4,
  changed: 3,
  unchanged: 2,
  untold: 1,
  not_started: 0,
};

export function mergeOrigins(known: readonly RunOrigin[], added: readonly RunOrigin[]): RunOrigin[] {
  const byKey = new Map(known.map((each) => [keyOf(each), each]));
  for (const each of added) {
    const before = byKey.get(keyOf(each));
    byKey.set(keyOf(each), before === undefined ? each : stronger(before, each));
  }
  return [...byKey.values()].sort(newestFirst).slice(0, MOST_ORIGINS).reverse();
}

/** What is known of a run's result for a commit under this base branch; null: nothing. */
export function originOf(
  origins: readonly RunOrigin[] | undefined,
  { runId, sha }: Pick<RunOrigin, "runId" | "sha">,
  baseRef: string,
): RunOrigin | null {
  const ofRun = origins === undefined ? [] : (byRun(origins).get(runKey(runId, sha)) ?? []);
  const found = ofRun.filter((each) => each.baseRef === null || each.baseRef === baseRef);
  return found.length === 0 ? null : found.reduce(stronger);
}

/** The same list is asked about each of its runs. */
const BY_RUN = new WeakMap<readonly RunOrigin[], ReadonlyMap<string, readonly RunOrigin[]>>();

function byRun(origins: readonly RunOrigin[]): ReadonlyMap<string, readonly RunOrigin[]> {
  const known = BY_RUN.get(origins);
  if (known !== undefined) {
    return known;
  }
  const made = new Map<string, RunOrigin[]>();
  for (const origin of origins) {
    const key = runKey(origin.runId, origin.sha);
    made.set(key, [...(made.get(key) ?? []), origin]);
  }
  BY_RUN.set(origins, made);
  return made;
}

function runKey(runId: string, sha: string): string {
  return `${runId} ${sha}`;
}

function stronger(a: RunOrigin, b: RunOrigin): RunOrigin {
  const order = RANK[a.origin] - RANK[b.origin];
  return order > 0 || (order === 0 && a.detail >= b.detail) ? a : b;
}

function keyOf({ runId, sha, baseRef }: RunOrigin): string {
  return JSON.stringify([runId, sha, baseRef]);
}

/** GitHub counts runs up. */
function newestFirst(a: RunOrigin, b: RunOrigin): number {
  return compareIds(b.runId, a.runId) || compareText(keyOf(a), keyOf(b));
}
