/** What the votes of a quorum come to, by their weight. Exact: weights are counted in thousandths, shares in hundredths of a percent. */
import type { Quorum } from "../../plan/plan.ts";
import type { QuorumDecision as Voted } from "../types.ts";

export interface WeighedVote {
  readonly weight: number;
  readonly decision: Voted;
}

/** Of each decision the weight that voted for it. */
export interface Weights {
  readonly pass: number;
  readonly retry: number;
  readonly fail: number;
}

export function weightsOf(votes: readonly WeighedVote[]): Weights {
  const of = (decision: Voted): number =>
    votes.reduce((sum, vote) => sum + (vote.decision === decision ? thousandths(vote.weight) : 0), 0) / 1_000;
  return { pass: of("PASS"), retry: of("RETRY"), fail: of("FAIL") };
}

/**
 * PASS from `passAt` percent of the weight on; RETRY from `retryAt` on, or where those who want a retry are what PASS
 * lacks; else FAIL, and so without any vote.
 */
export function decisionOf(
  votes: readonly WeighedVote[],
  { passAt, retryAt }: Pick<Quorum, "passAt" | "retryAt">,
): Voted {
  const { pass, retry, fail } = weightsOf(votes);
  const total = thousandths(pass) + thousandths(retry) + thousandths(fail);
  const reaches = (weight: number, percent: number): boolean =>
    total > 0 && thousandths(weight) * 10_000 >= Math.round(percent * 100) * total;
  if (reaches(pass, passAt)) return "PASS";
  return reaches(retry, retryAt) || reaches(pass + retry, passAt) ? "RETRY" : "FAIL";
}

/** How sure those are who voted as it was decided, weighed; null: none of them says. */
export function confidenceOf(
  votes: readonly (WeighedVote & { readonly confidence: number | null })[],
  decision: Voted,
): number | null {
  let weight = 0;
  let sum = 0;
  for (const vote of votes) {
    if (vote.decision !== decision || vote.confidence === null) continue;
    weight += vote.weight;
    sum += vote.weight * vote.confidence;
  }
  return weight === 0 ? null : Math.round((sum / weight) * 1_000) / 1_000;
}

function thousandths(weight: number): number {
  return Math.round(weight * 1_000);
}
