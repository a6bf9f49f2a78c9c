/** What GitHub shows of a pull request against what is known of it: pure comparisons. */

import type { Snapshot } from "../../src/github/pulls/snapshot.ts";
import type { Facts } from "../../src/lifecycle/facts/facts.ts";
import { stageOfLabel } from "../../src/lifecycle/presentation/display.ts";
import { canonicalJson } from "../../src/plan/canonical.ts";
import { seenText } from "../evaluation/desired-state.ts";
import type { ConfirmedState } from "../store/model.ts";

/** One sentence for each difference between what was confirmed and what a snapshot shows now. */
export function driftOf(shown: ConfirmedState | null, snapshot: Snapshot): string[] {
  const labels = snapshot.labels.filter((label) => stageOfLabel(label.name) !== null).map((label) => label.name);
  if (shown === null) {
    // Shown by somebody else, or by us before our memory was lost: it is read before anything is written.
    const ours = snapshot.ours.map((check) => check.name);
    return [...labels, ...ours].map((name) => `it shows ${name}, which this app does not remember`);
  }
  const known = shown.labels.map((label) => label.name);
  return [
    ...without(known, labels).map((name) => `the label ${name} is gone`),
    ...without(labels, known).map((name) => `it has the label ${name}`),
    ...checkDrift(shown, snapshot),
  ];
}

function checkDrift(shown: ConfirmedState, snapshot: Snapshot): string[] {
  const { sha } = snapshot.state.head;
  return shown.checks.flatMap((check) => {
    if (check.sha !== sha) {
      return [];
    }
    const now = snapshot.ours.find((each) => each.name === check.name);
    if (now === undefined) {
      return [`the check run ${check.name} is gone`];
    }
    const text = seenText(now);
    return check.seen === undefined || check.seen === text ? [] : [`the check run ${check.name} shows ${text}`];
  });
}

/** Those of `names` that `others` lacks. */
function without(names: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others.map((name) => name.toLowerCase()));
  return names.filter((name) => !known.has(name.toLowerCase()));
}

/** Whether the facts say something else than the snapshot's own states. */
export function contradicts(facts: Facts, { state }: Snapshot): boolean {
  return states(facts) !== states(state);
}

function states(of: Facts | Snapshot["state"]): string {
  const { repository, state, merged, draft, head, base, labels, title, body } = of;
  const names = labels.map((name) => name.toLowerCase()).sort();
  return canonicalJson({
    repository,
    state,
    merged,
    draft,
    head: { sha: head.sha, ref: head.ref, repositoryId: head.repositoryId },
    base: base.ref,
    labels: names,
    title,
    body,
  });
}
