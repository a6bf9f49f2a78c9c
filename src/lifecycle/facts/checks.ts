/** The checks of a pull request's commits, in whatever order they are told. */
import { compareText } from "../../ids.ts";
import type { CheckSeen } from "./change.ts";
import type { CheckFact, Facts } from "./facts.ts";
import { keepNewest } from "./prune.ts";

/** Checks kept of one pull request. */
const MOST_CHECKS = 1_000;
/** Heads whose checks are kept: the newest, as excepted pushes lead back to those before. */
const MOST_HEADS_WITH_CHECKS = 10;

const STATUS_RANK = { queued: 0, in_progress: 1, completed: 2 } as const;

/** The newest state of each check, and its last conclusion. */
export function mergeChecks(known: readonly CheckFact[], seen: readonly CheckSeen[]): CheckFact[] {
  const byKey = new Map(known.map((check) => [checkKey(check), check]));
  for (const check of seen) {
    const completed = check.status === "completed";
    const fact: CheckFact = {
      ...check,
      lastConclusion: completed ? check.conclusion : null,
      lastConclusionAt: completed ? check.at : null,
    };
    const before = byKey.get(checkKey(check));
    byKey.set(checkKey(check), before === undefined ? fact : mergeCheck(before, fact));
  }
  const bounded = keepNewest([...byKey.values()], MOST_CHECKS, (check) => check.at, checkKey);
  return bounded.sort((a, b) => compareText(checkKey(a), checkKey(b)));
}

/** Without those of heads of the past, which nothing asks for any more. */
export function ofNewestHeads(
  checks: readonly CheckFact[],
  heads: Facts["heads"],
  observed: Facts["observed"],
): readonly CheckFact[] {
  const all = Object.entries(heads);
  if (all.length <= MOST_HEADS_WITH_CHECKS) {
    return checks;
  }
  const newest = keepNewest(
    all,
    MOST_HEADS_WITH_CHECKS,
    ([, at]) => at,
    ([sha]) => sha,
  );
  const kept = new Set(newest.map(([sha]) => sha));
  // Of a commit that is not known as a head yet the push may still come.
  return checks.filter(({ sha }) => kept.has(sha) || heads[sha] === undefined || sha === observed?.head.sha);
}

function mergeCheck(a: CheckFact, b: CheckFact): CheckFact {
  const order =
    a.at - b.at ||
    STATUS_RANK[a.status] - STATUS_RANK[b.status] ||
    compareText(a.conclusion ?? "", b.conclusion ?? "") ||
    compareText(a.appSlug, b.appSlug) ||
    compareText(a.suite ?? "", b.suite ?? "");
  const concluded =
    (a.lastConclusionAt ?? -1) - (b.lastConclusionAt ?? -1) ||
    compareText(a.lastConclusion ?? "", b.lastConclusion ?? "");
  const last = concluded >= 0 ? a : b;
  return {
    ...(order >= 0 ? a : b),
    ours: a.ours || b.ours,
    lastConclusion: last.lastConclusion,
    lastConclusionAt: last.lastConclusionAt,
  };
}

function checkKey(check: Pick<CheckFact, "appId" | "name" | "sha">): string {
  return JSON.stringify([check.sha, check.appId, check.name]);
}
