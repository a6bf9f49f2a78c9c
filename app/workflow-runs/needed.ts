/** Whether anybody needs what a start would bring, now or at all. */
import { validCommits } from "../../src/lifecycle/facts/pushes.ts";
import { stageNow } from "../effects/staleness.ts";
import type { Evaluator } from "../evaluation/evaluator.ts";
import type { Pull, Repository, StartedRun } from "../store/model.ts";

/** Why nobody needs its result any more; null: somebody does. Throws what the evaluator throws. */
export async function uselessBecause(
  { sha, number }: StartedRun,
  pull: Pull | null,
  repository: Repository,
  evaluator: Evaluator,
): Promise<string | null> {
  if (pull === null || pull.facts.observed === null) {
    return null;
  }
  const { facts } = pull;
  if (facts.state === "closed") {
    return `#${number} was ${facts.merged ? "merged" : "closed"}`;
  }
  if (facts.head.sha === sha) {
    return null;
  }
  const { policy, permissions, facts: evaluated } = await evaluator.evaluate(pull, repository);
  const useless = policy.onPush.cancel && !validCommits(evaluated, policy, permissions).includes(sha);
  return useless ? `a newer commit was pushed (${evaluated.head.sha.slice(0, 7)})` : null;
}

/** Why it does not stand in line although it may be needed later; empty: it does. */
export function parkedBecause({ stage }: StartedRun, pull: Pull): string {
  const held = pull.evaluation?.held ?? null;
  if (held !== null) {
    return `on hold by ${held.by?.login ?? "the policy"}`;
  }
  if (stage === null || stageNow(pull) === stage) {
    return "";
  }
  const reached = pull.evaluation?.entries.some((entry) => entry.stage === stage) ?? false;
  return reached ? "" : `it is not in ${stage} any more`;
}
