/** What would happen to a pull request under a policy, and why: the same evaluation that the app acts on. */

import { type Facts, type Lookup, NO_PERMISSIONS, type Permissions } from "../facts/facts.ts";
import type { Policy } from "../policy/policy.ts";
import { desiredDisplay, stageLabel } from "../presentation/display.ts";
import type { DesiredCheck } from "../presentation/gate-checks.ts";
import { evaluate } from "./evaluate.ts";
import type { Evaluation } from "./evaluation.ts";
import { type StageActions, transitionActions } from "./transition-actions.ts";

/** Each round may ask about people whom the last one made matter. */
const MOST_ROUNDS = 10;
/** No app has it: a file of facts holds no checks of our own. */
const NO_APP = -1;

export interface Simulation {
  /** The stage before. */
  readonly from: string | null;
  readonly evaluation: Evaluation;
  /** Null: what is shown would be left as it is. */
  readonly label: string | null;
  readonly addLabels: readonly string[];
  readonly removeLabels: readonly string[];
  readonly checks: readonly DesiredCheck[];
  readonly actions: readonly StageActions[];
  /** A push cancels the workflow runs that were started for the commit before. */
  readonly cancelsRuns: boolean;
  /** Questions about people and files that stayed open: what is unknown grants nothing. */
  readonly unknown: readonly Lookup[];
}

export interface SimulateInput {
  readonly policy: Policy;
  readonly facts: Facts;
  /** The facts before the event that is tried out; null: compared with no stage at all. */
  readonly before: Facts | null;
  /** Where there is no `before`: the stage that is shown now. */
  readonly shown?: string | null;
  readonly answer: (permissions: Permissions, lookups: readonly Lookup[]) => Permissions;
}

export function simulatePolicy({ policy, facts, before, shown: stage = null, answer }: SimulateInput): Simulation {
  const from = before === null ? stage : known(before, policy, answer).stage;
  const evaluation = known(facts, policy, answer);
  // What was shown before the event is on it still.
  const shown = from === null ? facts.labels : [...new Set([...facts.labels, stageLabel(from)])];
  const asked = desiredDisplay({ evaluation, policy, facts: { ...facts, labels: shown } });
  const has = (label: string): boolean => shown.some((name) => name.toLowerCase() === label.toLowerCase());
  return {
    from,
    evaluation,
    label: asked?.label ?? null,
    addLabels: asked?.label == null || has(asked.label) ? [] : [asked.label],
    removeLabels: asked?.removeLabels ?? [],
    checks: asked?.checks ?? [],
    actions: transitionActions({ from, evaluation, policy, facts }),
    cancelsRuns: before !== null && before.head.sha !== facts.head.sha && policy.onPush.cancel,
    unknown: evaluation.lookups,
  };
}

/** The evaluation once everything that can be answered is. */
function known(facts: Facts, policy: Policy, answer: SimulateInput["answer"]): Evaluation {
  let permissions = NO_PERMISSIONS;
  let evaluation = evaluate({ facts, policy, permissions, ourAppId: NO_APP });
  for (let round = 0; round < MOST_ROUNDS && evaluation.lookups.length > 0; round += 1) {
    const open = evaluation.lookups.length;
    permissions = answer(permissions, evaluation.lookups);
    const next = evaluate({ facts, policy, permissions, ourAppId: NO_APP });
    const stuck = next.lookups.length === open && JSON.stringify(next.lookups) === JSON.stringify(evaluation.lookups);
    evaluation = next;
    if (stuck) break;
  }
  return evaluation;
}
