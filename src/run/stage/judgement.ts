/** Judges a round of a stage by what is known of it when it is closed: its status, whether it worked, what follows. */
import { RUN_BOUNDS } from "../../plan/bounds.ts";
import { comparesAs } from "../../plan/comparison.ts";
import type { Comparison, PlanStage, Quorum } from "../../plan/plan.ts";
import { remarksText } from "../draft.ts";
import { overThresholds } from "../measurement/thresholds.ts";
import { deficienciesText, quorumRound, roundText } from "../quorum/round.ts";
import type { PhaseRecord, QuorumRound } from "../result/record.ts";
import type { Failure, StageRun } from "../state.ts";
import { isPoolOver } from "../tasks/pool.ts";
import type { Metric } from "../types.ts";
import { ruleText } from "./barriers.ts";
import { judgeCount } from "./completion.ts";

export interface StageJudgement {
  readonly status: PhaseRecord["status"];
  /** Its result can be built upon. */
  readonly worked: boolean;
  readonly reasons: readonly string[];
  readonly then:
    | { readonly kind: "next" }
    /** The run fails; `reason` without the stage's name. */
    | { readonly kind: "fail"; readonly reason: string }
    /** The stages from this one on begin a new round, or (`sentBack`) those that a quorum sends back. */
    | { readonly kind: "repeat"; readonly from: number; readonly why: string; readonly sentBack?: true };
  /** What a quorum decided. */
  readonly quorum?: QuorumRound;
}

/** What is to be known beside the stage itself. */
export interface StageView {
  readonly nameOf: (slot: number) => string;
  /** The stages that it sends back, in order, without those that did not run. */
  readonly repeats: readonly number[];
  /** Why its trials are not one result. */
  readonly unstable: readonly string[];
}

/** @param failure what the run has failed of by now: the stage itself, or something else */
export function judgeStage(
  planned: PlanStage,
  run: StageRun,
  failure: Failure | null,
  view: StageView = { nameOf: String, repeats: [], unstable: [] },
): StageJudgement {
  const isAborted = failure !== null && !run.cleanupMode;
  const quorum = isAborted || planned.quorum === undefined ? null : voted(planned.quorum, run, view);
  const back = run.repeat ?? quorum?.back ?? null;
  const failures = isAborted
    ? []
    : [...groupFailures(planned, run), ...view.unstable, ...(quorum?.failures ?? []), ...tooManyRounds(run, back)];
  const isOrigin = failure?.kind === "failed" && failure.stage === run.stage;
  const hasFailures = run.failures.count > 0;
  const isPartial = run.arrived < run.workers;
  const isBad = failures.length > 0 || (hasFailures && run.cleanupMode);
  let status: PhaseRecord["status"] = "success";
  if (isOrigin) status = "failure";
  else if (isAborted) status = "cancelled";
  else if (isBad) status = planned.optional ? "warning" : "failure";
  else if (hasFailures || run.warnings.count > 0 || isPartial || (quorum?.warnings.length ?? 0) > 0) status = "warning";
  const hasResult = status === "success" || status === "warning";
  const then = isAborted ? NEXT : thenOf(planned, run, back, isBad, failures);
  const reasons = [
    ...(isOrigin ? [withoutStage(failure.reason, planned.name)] : []),
    ...(status === "cancelled" ? [failure?.reason ?? "cancelled"] : []),
    ...failures,
    ...(hasFailures && !isOrigin ? [remarksText(run.failures)] : []),
    ...(run.warnings.count > 0 ? [remarksText(run.warnings)] : []),
    ...(quorum?.warnings ?? []),
    ...(status === "warning" && !hasFailures && isPartial
      ? [`${run.arrived} of ${run.workers} agents came through it (${ruleText(planned.barrier.rule)})`]
      : []),
    ...(then.kind === "repeat" ? [`sent back: ${then.why}`] : []),
  ];
  const worked = hasResult && !isBad && !(planned.optional && hasFailures);
  return { status, worked, reasons, then, ...(quorum === null ? {} : { quorum: quorum.round }) };
}

/** What the votes of its validators mean for their stage. */
function voted(
  quorum: Quorum,
  run: StageRun,
  { nameOf, repeats }: StageView,
): {
  readonly round: QuorumRound;
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  readonly back: Extract<StageJudgement["then"], { kind: "repeat" }> | null;
} {
  const round = quorumRound(quorum, run, { nameOf, canRepeat: repeats.length > 1 });
  const { decision, exhausted } = round;
  // Whoever does not agree says why.
  const said = `${roundText(round)}; ${deficienciesText(round)}`;
  const nothing = { round, failures: [], warnings: [], back: null };
  if (decision === "PASS") return nothing;
  if (decision === "FAIL") return { ...nothing, failures: [said] };
  const [from] = repeats;
  if (exhausted === null && from !== undefined) {
    return { ...nothing, back: { kind: "repeat", from, why: said, sentBack: true } };
  }
  const why = `${said}; there is no further round: ${exhausted ?? "nothing to repeat"}`;
  return quorum.onExhausted === "fail" ? { ...nothing, failures: [why] } : { ...nothing, warnings: [why] };
}

const NEXT = { kind: "next" } as const;

function thenOf(
  planned: PlanStage,
  { cleanupMode }: StageRun,
  back: Omit<Extract<StageJudgement["then"], { kind: "repeat" }>, "kind"> | null,
  isBad: boolean,
  failures: readonly string[],
): StageJudgement["then"] {
  if (isBad) return planned.optional ? NEXT : { kind: "fail", reason: failures.join("; ") };
  return back === null || cleanupMode ? NEXT : { ...back, kind: "repeat" };
}

/** However often a stage is sent back, there is an end to it. */
function tooManyRounds({ round }: StageRun, back: { readonly why: string } | null): readonly string[] {
  if (back === null || round < RUN_BOUNDS.rounds) return [];
  return [`sent back for the ${round}th time, which is the most (${back.why})`];
}

/** A run's reason names its stage first; in the stage's own record that would be said twice. */
function withoutStage(reason: string, stage: string): string {
  return reason.startsWith(`${stage}: `) ? reason.slice(stage.length + 2) : reason;
}

/** What the stage as a whole did not reach, although its agents came through. */
function groupFailures(planned: PlanStage, run: StageRun): readonly string[] {
  const failures: string[] = [];
  const { pool } = run;
  const counted = judgeCount(planned, { objects: run.done, tasks: pool?.done ?? run.done });
  if (!counted.ok) failures.push(counted.reason);
  const over = overThresholds(planned.thresholds, run);
  if (over !== null) failures.push(over);
  // Too many errors are counted again: there may be more of them by now.
  const stoppedFor = run.stopping === null || run.stopping.well || over !== null ? null : run.stopping.why;
  // A quorum counts whoever has not voted in time.
  const error = planned.quorum === undefined ? (run.error ?? stoppedFor) : run.error;
  if (error !== null) failures.push(error);
  if (pool !== null && planned.quorum === undefined) {
    if (pool.failed > 0) {
      const more = pool.failed - pool.examples.length;
      failures.push(
        `${pool.failed} of ${taskCount(run)} tasks failed: ${pool.examples.join(", ")}${more > 0 ? `, and ${more} more` : ""}` +
          (pool.skipped > 0 ? `; ${pool.skipped} that need them were skipped` : ""),
      );
    } else if (pool.skipped > 0) failures.push(`${pool.skipped} tasks were skipped: what they need was not done`);
    const left = pool.open + (error === null ? 0 : pool.unfinished);
    if (run.stopping === null ? !isPoolOver(pool) : error !== null && left > 0) {
      failures.push(`${left} of ${taskCount(run)} tasks were not done`);
    }
  }
  for (const { metric, comparison, value, met, got } of expectations(planned, run.metrics)) {
    if (!met) failures.push(`expected ${metric} ${comparison} ${value}, got ${got ?? "nothing of that name"}`);
  }
  return failures;
}

export function taskCount({ pool }: StageRun): number {
  return pool === null ? 0 : pool.open + pool.done + pool.failed + pool.skipped + pool.unfinished;
}

export interface Expected {
  readonly metric: string;
  readonly comparison: Comparison;
  readonly value: number;
  readonly got: number | null;
  readonly met: boolean;
}

/** A stage's `expect`, held against the metrics of the whole group. */
export function expectations(planned: Pick<PlanStage, "expect">, metrics: readonly Metric[]): readonly Expected[] {
  return planned.expect.map(({ metric, comparison, value }) => {
    const got = metrics.find(({ name }) => name === metric)?.value ?? null;
    return { metric, comparison, value, got, met: got !== null && comparesAs(got, comparison, value) };
  });
}
