/** What is to be sent to GitHub for a pull request, from what it shows and what it is to show. Pure, but for the id. */
import { randomUUID } from "node:crypto";
import type { Lookup } from "../../src/lifecycle/facts/facts.ts";
import { sameFacts } from "../../src/lifecycle/facts/same-facts.ts";
import { parked, sooner } from "../store/change-pull.ts";
import type { ConfirmedState, Intent, Pull, Repository } from "../store/model.ts";
import type { Timings } from "../work/timings.ts";
import { type DesiredState, desiredDigest, differs } from "./desired-state.ts";
import type { EvaluatedPull } from "./evaluator.ts";
import { closesGate } from "./holds/open-gates.ts";
import { timelineDueAt } from "./timelines.ts";

/** Before everything that is due by its date: until a gate is closed, what it should keep back can be merged. */
const FIRST = 1;

export interface At {
  readonly now: number;
  readonly timings: Pick<Timings, "reevaluationPause">;
  /** Since when it has been due to be evaluated. */
  readonly heardAt: number;
}

/** The row with its evaluation, when it is to be evaluated again, and what is to be sent for it. */
export function withIntent(row: Pull, { installationId }: Repository, evaluated: EvaluatedPull, at: At): Pull {
  const { facts, evaluation, desired } = evaluated;
  const { now } = at;
  const base: Pull = {
    ...row,
    installationId,
    facts: sameFacts(facts, row.facts) ? row.facts : facts,
    evaluation,
    reevaluationTries: 0,
    reevaluateAt: againAt(evaluated, at),
    intent: null,
    intentAt: null,
  };
  if (desired === null) {
    return { ...base, ...parked(row) };
  }
  const { blocked, intent: pending } = row;
  if (blocked !== null && blocked.wanted === desiredDigest(desired) && blocked.until > now && row.intentAt === null) {
    return { ...base, ...parked(row), reevaluateAt: sooner(base.reevaluateAt, blocked.until) };
  }
  // What was sent and not confirmed may show on GitHub, whatever is wanted now: it must be read.
  const unknown = pending !== null && (pending.sentAt !== null || pending.read);
  if (!differs(desired, row.confirmed) && !unknown) {
    return { ...base, confirmed: row.confirmed === null ? null : withBasis(row.confirmed, desired), blocked: null };
  }
  // What was sent already keeps its pause: GitHub may not show yet what it did.
  const sendAt = pending === null ? now : (row.intentAt ?? now);
  const urgent = !unknown && closesGate(desired, row.confirmed);
  return {
    ...base,
    intent: intentOf(row, desired, at),
    intentAt: urgent ? Math.min(sendAt, row.reevaluateAt ?? sendAt, FIRST) : sendAt,
  };
}

/** What it shows is what follows from what is known now, too. */
function withBasis(confirmed: ConfirmedState, { basis }: DesiredState): ConfirmedState {
  return basis === undefined ? confirmed : { ...confirmed, basis };
}

function intentOf({ intent: pending, intentAt, confirmed }: Pull, desired: DesiredState, { now, heardAt }: At): Intent {
  // Whose check runs are the newest on a shared commit is not known by heart.
  const read = desired.shared || confirmed?.shared === true;
  if (pending !== null) {
    // What was parked is taken up for what is new now.
    const since = (intentAt === null ? undefined : pending.heardAt) ?? heardAt;
    return { ...pending, to: desired.stage, heardAt: since, read: pending.read || read };
  }
  const from = confirmed?.stage ?? null;
  const { stage: to } = desired;
  return { id: randomUUID(), from, to, createdAt: now, heardAt, tries: 0, sentAt: null, notes: [], read };
}

/** When something is due of which no event tells; null: nothing is. */
function againAt({ evaluation, tampering }: EvaluatedPull, at: At): number | null {
  const overdue = evaluation.dueAt !== null && evaluation.dueAt > at.now ? evaluation.dueAt : null;
  return sooner(
    sooner(overdue, tampering.stop?.until ?? null),
    sooner(askAgainAt(evaluation.lookups, at), timelineDueAt(evaluation.lookups)),
  );
}

/** So many runs are asked about at a time; what GitHub does not show of suites yet it shows a little later. */
function askAgainAt(lookups: readonly Lookup[], { now, timings }: At): number | null {
  return lookups.some(({ kind }) => kind === "run")
    ? now + timings.reevaluationPause
    : lookups.some(({ kind }) => kind === "suites")
      ? now + 5 * timings.reevaluationPause
      : null;
}
