/** A pull request on its way through a round, what was read of it, and whether what was written is right. */

import type { CurrentDisplay } from "../../src/github/pulls/current-display.ts";
import type { PullSeen } from "../../src/github/pulls/pull-fields.ts";
import { showsCheck, type Transition, verifyLabels, type WriteAnswer } from "../../src/github/pulls/transition.ts";
import { stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import { confirmedStateOf, type DesiredState, differs, shownCheck } from "../evaluation/desired-state.ts";
import type { EvaluatedPull } from "../evaluation/evaluator.ts";
import type { ConfirmedState, Intent, Pull, Repository } from "../store/model.ts";

/** A pull request on its way through a round. */
export interface PendingTransition {
  readonly pull: Pull;
  readonly intent: Intent;
  readonly repository: Repository;
  readonly evaluated: EvaluatedPull;
  readonly desired: DesiredState;
  /** What GitHub shows as far as we know: confirmed earlier, or read just now. */
  readonly shown: ConfirmedState | null;
  /** What was read just now. */
  readonly seen: PullSeen | null;
  readonly notes: readonly string[];
  /** When the request that wrote it was begun; null: nothing had to be written. */
  readonly writtenAt: number | null;
}

/** A pending with what is to be written for it. */
export interface PreparedTransition {
  readonly pending: PendingTransition;
  readonly transition: Transition;
}

/** A check run that was confirmed cannot be gone: an answer without it tells of a time before. */
export function isOutOfDate(
  { pull }: Pick<PendingTransition, "pull">,
  { pull: seen, checks }: CurrentDisplay,
): boolean {
  const names = new Set(checks.map((check) => check.name));
  return (pull.confirmed?.checks ?? []).some(({ sha, name }) => sha === seen.state.head.sha && !names.has(name));
}

/** The pending with what was just read in place of what was known. */
export function withRead(pending: PendingTransition, now: CurrentDisplay): PendingTransition {
  const { desired, pull, intent } = pending;
  const sha = now.pull.state.head.sha;
  const checks = now.checks.map((read) => {
    const show = desired.checks.find((each) => each.name === read.name);
    return shownCheck(read, sha, show !== undefined && showsCheck(read, show) ? show : null);
  });
  const others = (pull.confirmed?.checks ?? []).filter((check) => check.sha !== sha);
  const names = new Set(now.pull.labels.map((label) => label.name.toLowerCase()));
  const gone = desired.gone.filter((name) => !names.has(name.toLowerCase()));
  const shown = confirmedStateOf({
    stage: pull.confirmed?.stage ?? null,
    labels: now.pull.labels,
    absent: { labels: gone, at: now.pull.state.updatedAt },
    checks: [...others, ...checks],
  });
  const still = desired.gone.filter((name) => names.has(name.toLowerCase()));
  const read: PendingTransition = { ...pending, seen: now.pull, shown, desired: { ...desired, gone: still } };
  const lost = intent.sentAt !== null && !differs(read.desired, shown);
  return lost ? { ...read, notes: ["GitHub had applied the change although its answer did not say so"] } : read;
}

export type Verification =
  | { readonly right: true; readonly shown: ConfirmedState }
  | { readonly right: false; readonly reason: string };

/** Whether the read-back shows what was to be shown, and what it showed. */
export function verifyWritten(pending: PendingTransition, transition: Transition, written: WriteAnswer): Verification {
  const { desired, shown, evaluated } = pending;
  const [error] = written.errors;
  const because = error === undefined ? "" : `: ${error.message}`;
  const wroteLabels = transition.removeLabelIds.length + transition.addLabelIds.length > 0;
  if (wroteLabels && written.pull === null) {
    return { right: false, reason: `the labels could not be written${because}` };
  }
  const labels = written.pull?.labels ?? shown?.labels ?? [];
  const gone = written.pull === null ? [] : desired.gone;
  // Of stage labels that are left as they are, any may be on it.
  const verified = desired.left ? labels.filter((each) => stageOfLabel(each.name) === null) : labels;
  const verdict = verifyLabels(verified, desired.left ? null : desired.label, gone);
  if (!verdict.right) {
    return { right: false, reason: `${verdict.reason}${because}` };
  }
  const checks = new Map((shown?.checks ?? []).map((check) => [`${check.sha} ${check.name}`, check]));
  for (const [index, { show }] of transition.checks.entries()) {
    const read = written.checks[index] ?? null;
    if (read === null || !showsCheck(read, show)) {
      return { right: false, reason: `the check run ${show.name} could not be written${because}` };
    }
    checks.set(`${transition.headSha} ${show.name}`, shownCheck(read, transition.headSha, show));
  }
  const absent = { labels: desired.gone, at: written.pull?.state.updatedAt ?? evaluated.facts.updatedAt };
  return {
    right: true,
    shown: confirmedStateOf({ stage: desired.stage, labels, absent, checks: [...checks.values()] }),
  };
}
