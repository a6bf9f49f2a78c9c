/**
 * The barrier policies: from how many arrived to wait, release or abort. Counts are of distinct identities; an agent
 * has *arrived* when its final outcome of the stage, after its retries, is success (or its stage is optional).
 *
 * Quorums are of the stage's electorate: the identities of the roster that the stage is for (`runs_on`, `role`), the
 * lost and excluded included. So a majority of a stage that one agent runs is that one agent.
 */
import type { Barrier, BarrierRule } from "../../plan/plan.ts";

export interface Tally {
  readonly electorate: number;
  readonly arrived: number;
  /** Living members whose outcome is still to come. */
  readonly pending: number;
  readonly firstArrivalAt: number | null;
  /** When the quorum was reached; null: not yet. */
  readonly metAt: number | null;
}

export type Ruling =
  | { readonly kind: "wait"; readonly until: number | null }
  | { readonly kind: "release" }
  | { readonly kind: "abort"; readonly why: "late" | "out_of_reach" };

/** What becomes of an agent that fails, is lost or late under a policy. */
export type Consequence = "abort" | "exclude" | "away";

/** `what`: `loss`: gone; `failure`: its work failed for good; `late`: still at work when the barrier is released. */
export function consequenceOf(barrier: Barrier, what: "loss" | "failure" | "late"): Consequence {
  switch (barrier.rule.kind) {
    case "all_or_nothing":
      return "abort";
    case "majority":
    case "at_least":
    case "at_least_percent":
      return what === "late" && barrier.onStraggler === "rejoin" ? "away" : "exclude";
    case "best_effort":
      return "away";
    case "none":
      // Nobody waits for the lost; but work that failed has failed, and no failure passes unseen.
      return what === "failure" ? "abort" : "away";
    default:
      return barrier.rule satisfies never;
  }
}

/** How many must arrive before anybody may be left behind; null: the policy has no quorum. */
export function quorumOf(rule: BarrierRule, electorate: number): number | null {
  switch (rule.kind) {
    case "majority":
      return Math.floor(electorate / 2) + 1;
    case "at_least":
      return Math.min(rule.count, electorate);
    case "at_least_percent":
      return Math.max(1, Math.ceil((rule.percent * electorate) / 100));
    case "all_or_nothing":
    case "best_effort":
    case "none":
      return null;
    default:
      return rule satisfies never;
  }
}

/** Rules on a barrier. `cleanupMode`: the run has failed, and its cleanup must end whoever is missing. */
export function rule(barrier: Barrier, tally: Tally, now: number, cleanupMode: boolean): Ruling {
  const lateAt =
    barrier.timeoutMs === null || tally.firstArrivalAt === null ? null : tally.firstArrivalAt + barrier.timeoutMs;
  const late = lateAt !== null && now >= lateAt;
  if (cleanupMode) return tally.pending === 0 || late ? { kind: "release" } : { kind: "wait", until: lateAt };
  const { kind } = barrier.rule;
  switch (kind) {
    case "all_or_nothing":
      if (tally.pending === 0) return { kind: "release" };
      return late ? { kind: "abort", why: "late" } : { kind: "wait", until: lateAt };
    case "none":
      // Nobody's work is waited for, but a stage that nobody came through is none.
      if (tally.pending === 0) return tally.arrived > 0 ? { kind: "release" } : { kind: "abort", why: "out_of_reach" };
      return late ? { kind: "abort", why: "late" } : { kind: "wait", until: lateAt };
    case "best_effort":
      if (tally.pending > 0 && !late) return { kind: "wait", until: lateAt };
      if (tally.arrived > 0) return { kind: "release" };
      return { kind: "abort", why: "out_of_reach" };
    case "majority":
    case "at_least":
    case "at_least_percent":
      return ruleQuorum(barrier, tally, now, lateAt);
    default:
      return kind satisfies never;
  }
}

function ruleQuorum(barrier: Barrier, tally: Tally, now: number, lateAt: number | null): Ruling {
  const quorum = quorumOf(barrier.rule, tally.electorate) ?? 0;
  const late = lateAt !== null && now >= lateAt;
  if (tally.arrived < quorum) {
    if (tally.arrived + tally.pending < quorum) return { kind: "abort", why: "out_of_reach" };
    return late ? { kind: "abort", why: "late" } : { kind: "wait", until: lateAt };
  }
  const graceAt = (tally.metAt ?? now) + barrier.stragglerGraceMs;
  if (tally.pending === 0 || late || now >= graceAt) return { kind: "release" };
  return { kind: "wait", until: lateAt === null ? graceAt : Math.min(graceAt, lateAt) };
}

/** A policy in words, for explanations. */
export function ruleText(rule: BarrierRule): string {
  switch (rule.kind) {
    case "all_or_nothing":
      return "all_or_nothing";
    case "majority":
      return "majority";
    case "best_effort":
      return "best_effort";
    case "at_least":
      return `at_least ${rule.count}`;
    case "at_least_percent":
      return `at_least ${rule.percent}%`;
    case "none":
      return "none";
    default:
      return rule satisfies never;
  }
}
