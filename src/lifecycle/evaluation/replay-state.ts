/** What a replay knows of a pull request at a moment of the past: its acts until then, but not its states. */
import { basisOf } from "../conditions/index.ts";
import type { ConditionMemo } from "../evidence/memo.ts";
import type { ActIndex } from "../facts/act-index.ts";
import { commitsInForce } from "../facts/pushes.ts";
import { ALWAYS, type Condition, type PolicyStage } from "../policy/policy.ts";
import type { ReplayState } from "./progress.ts";

/**
 * At this moment, the whole of its second included. `withdrawals`: also what was taken back in that second, which was
 * there before: often it is our own answer, taking off the label of the stage that an act led out of. `known`: with the
 * stages `inThePast` and the resets of then.
 */
export function stateAt(moment: number, withdrawals: boolean, known: ReplayState): ReplayState {
  const { context } = known;
  const acts = context.acts.until(moment, withdrawals);
  return { ...known, context: { ...context, acts, commits: commitsThen(acts, known), present: false } };
}

/** One list as long as nobody pushes: verdicts are remembered by it. */
function commitsThen(acts: ActIndex, { facts, policy, context }: ReplayState): readonly string[] {
  const pushes = acts.pushes();
  const known = context.memo === null ? undefined : COMMITS.get(context.memo);
  if (known?.pushes === pushes.length) {
    return known.commits;
  }
  const head = pushes.list[pushes.length - 1]?.sha ?? acts.nextPush()?.before ?? facts.head.sha;
  const commits = commitsInForce(pushes, policy, context.authority, head);
  if (context.memo !== null) {
    COMMITS.set(context.memo, { pushes: pushes.length, commits });
  }
  return commits;
}

const COMMITS = new WeakMap<ConditionMemo, { readonly pushes: number; readonly commits: readonly string[] }>();

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
