/** What a replay knows of a pull request at a moment of the past: its acts until then, but not its states. */
import { basisOf } from "../conditions/index.ts";
import { commitsInForce } from "../facts/pushes.ts";
import { ALWAYS, type Condition, type PolicyStage } from "../policy/policy.ts";
import type { ReplayState } from "./progress.ts";

/**
 * At this moment, the whole of its second included. `withdrawals`: also what was taken back in that second, which was
 * there before: often it is our own answer, taking off the label of the stage that an act led out of. `known`: with the
 * stages `inThePast` and the resets of then.
 */
export function stateAt(moment: number, withdrawals: boolean, known: ReplayState): ReplayState {
  const { facts, policy, context } = known;
  const acts = context.acts.until(moment, withdrawals);
  const head = acts.pushes().at(-1)?.sha ?? acts.nextPush()?.before ?? facts.head.sha;
  const commits = commitsInForce(acts.pushes(), policy, context.authority, head);
  return { ...known, context: { ...context, acts, commits, present: false } };
}

/** The stages as far as acts decide about them: states are taken to have held. */
export function decidedByActs(stages: readonly PolicyStage[]): readonly PolicyStage[] {
  return stages.map((stage) => ({ ...stage, enter: actsOnly(stage.enter) ?? ALWAYS }));
}

/**
 * What is left of a condition where each state it looks at is taken to be as it would have it (under `not`: as it would
 * not); null: nothing, it holds. One such state decides an `any`, so nothing is left of that either.
 */
function actsOnly(condition: Condition, favoured = true): Condition | null {
  switch (condition.kind) {
    case "all":
    case "any": {
      const of = condition.of.map((part) => actsOnly(part, favoured)).filter((part) => part !== null);
      const decided = (condition.kind === "any") === favoured && of.length < condition.of.length;
      return decided || of.length === 0 ? null : { kind: condition.kind, of };
    }
    case "not": {
      const of = actsOnly(condition.of, !favoured);
      return of === null ? null : { kind: "not", of };
    }
    default:
      return basisOf(condition) === "act" ? condition : null;
  }
}
