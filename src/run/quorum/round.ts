/** What a round of a quorum stage came to: the votes of its validators, counted, and where that leads. */
import { jsonBytes, RUN_BOUNDS } from "../../plan/bounds.ts";
import type { Plan, PlanStage, Quorum } from "../../plan/plan.ts";
import { pauseAfter } from "../../plan/stages/retry.ts";
import { itemsOf } from "../persistent-array.ts";
import type { QuorumRound, ValidatorVote } from "../result/record.ts";
import type { StageRun, TaskRecord } from "../state.ts";
import type { Deficiency } from "../types.ts";
import { confidenceOf, decisionOf, weightsOf } from "./decision.ts";

const LONGEST_BACKOFF_MS = 600_000;

interface Surroundings {
  /** Name of the agent in this position. */
  readonly nameOf: (slot: number) => string;
  /** Whether any of the stages that it would send back has run in this run. */
  readonly canRepeat: boolean;
}

/** Counts what has been voted. Whoever has not voted by now, or could not, counts as FAIL. */
export function quorumRound(quorum: Quorum, run: StageRun, { nameOf, canRepeat }: Surroundings): QuorumRound {
  const records = new Map<string, TaskRecord>();
  for (const record of run.pool === null ? [] : itemsOf(run.pool.records)) records.set(record.key, record);
  const votes = quorum.validators.map(({ name, weight }): ValidatorVote => {
    const record = records.get(name);
    const agent = record?.holder == null ? null : nameOf(record.holder);
    const ballot = record?.status === "done" ? record.ballot : undefined;
    if (ballot === undefined) {
      const reason = record?.reason ?? "did not vote";
      return { validator: name, weight, decision: "FAIL", confidence: null, agent, reason };
    }
    const { decision, confidence } = ballot;
    return { validator: name, weight, decision, confidence, agent, reason: null };
  });
  const decision = decisionOf(votes, quorum);
  const found = votes.flatMap((vote) => deficienciesOf(vote, records.get(vote.validator)));
  const deficiencies = withRoom(found);
  return {
    decision,
    confidence: confidenceOf(votes, decision),
    weights: weightsOf(votes),
    votes,
    deficiencies,
    leftOut: found.length - deficiencies.length,
    exhausted: decision === "RETRY" ? exhausted(quorum, run, canRepeat) : null,
  };
}

/** Whoever does not agree says why, so that no two rounds are told the same. */
function deficienciesOf({ validator, decision, reason }: ValidatorVote, record: TaskRecord | undefined): Deficiency[] {
  const told = record?.ballot?.deficiencies ?? [];
  if (told.length > 0) return told.map((deficiency) => ({ validator, deficiency }));
  return decision === "PASS" ? [] : [{ validator, deficiency: reason ?? `voted ${decision} and named no deficiency` }];
}

/** As many as one variable holds; one that is too large does not keep the next ones out. */
function withRoom(found: readonly Deficiency[]): readonly Deficiency[] {
  let room = RUN_BOUNDS.deficiencyBytes;
  return found.filter((one) => {
    const bytes = jsonBytes(one) + 1;
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
}

function exhausted({ maxRetries, retryStages }: Quorum, run: StageRun, canRepeat: boolean): string | null {
  const before = retriesOf(run);
  if (before >= maxRetries) {
    return maxRetries === 0 ? "max_retries: 0" : `after ${before} ${before === 1 ? "retry" : "retries"} (max_retries)`;
  }
  return canRepeat ? null : `${retryStages.join(", ")} did not run in this run: nothing would be another time`;
}

/** How often it has sent the group back by now. What somebody else sent back is no retry of its own. */
export function retriesOf({ earlier }: StageRun): number {
  const isOwn = ({ quorum, repeat }: StageRun): boolean =>
    quorum?.decision === "RETRY" && quorum.exhausted === null && repeat === null;
  return earlier.filter(isOwn).length;
}

/** Milliseconds before the round that follows so many that were sent back before. */
export function pauseBefore({ backoffMs }: Quorum, retries: number): number {
  return backoffMs === 0 ? 0 : pauseAfter(retries + 1, backoffMs, Math.max(LONGEST_BACKOFF_MS, backoffMs));
}

/**
 * The stages that begin a new round when a quorum stage says RETRY, in order: those that it names, what depends on them
 * between there and itself, background commands that going back ends, what depends on these, and itself.
 */
export function repeatedBy(plan: Plan, { index, quorum }: PlanStage): readonly number[] {
  const named = new Set(quorum?.retryStages);
  const from = plan.stages.findIndex(({ name }) => named.has(name));
  if (from < 0 || from >= index) return [];
  const again = new Map<string, number>();
  for (const stage of plan.stages.slice(from, index)) {
    const depends = stage.dependsOn.some((needed) => again.has(needed.stage));
    if (named.has(stage.name) || stage.background !== null || depends) again.set(stage.name, stage.index);
  }
  return [...again.values(), index];
}

/** "RETRY: pass 40 %, retry 60 %, fail 0 % of the weight" */
export function roundText({ decision, weights, confidence }: QuorumRound): string {
  const { pass, retry, fail } = weights;
  const total = pass + retry + fail;
  const percent = (weight: number): string => `${total === 0 ? 0 : Math.round((1_000 * weight) / total) / 10} %`;
  const sure = confidence === null ? "" : `, confidence ${confidence}`;
  return `${decision}: pass ${percent(pass)}, retry ${percent(retry)}, fail ${percent(fail)} of the weight${sure}`;
}

/** The first few of what was found wanting, for a reason. */
export function deficienciesText({ deficiencies, leftOut }: QuorumRound, most = 3): string {
  const texts = deficiencies.slice(0, most).map(({ validator, deficiency }) => {
    const text = typeof deficiency === "string" ? deficiency : JSON.stringify(deficiency);
    return `${validator}: ${text.length > 200 ? `${text.slice(0, 199)}…` : text}`;
  });
  const more = deficiencies.length + leftOut - texts.length;
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}
