/** A run's metrics against those of earlier runs of the same plan on the same testbed. */

import type { Baseline, Plan } from "../../plan/plan.ts";
import { medianOf } from "../../run/measurement/median.ts";
import type { PhaseRecord, RunSummary } from "../../run/result/record.ts";
import { count, number } from "../format.ts";
import type { BaselineVerdict, Result } from "./result-schema.ts";

/** Makes the median absolute deviation of a normal distribution its standard deviation. */
const NORMAL = 1.4826;
/** Of the median: what is always borne, since values that happen to be equal say nothing of how they spread. */
const LEAST_SPREAD = 0.005;

export interface BaselineJudgement {
  /** Index in the plan. */
  readonly stage: number;
  readonly metric: string;
  readonly verdict: BaselineVerdict["verdict"];
  readonly samples: number;
  readonly median: number | null;
  /** The last value that is not worse; null: there is no verdict. */
  readonly bound: number | null;
  /** One sentence, without the metric's name. */
  readonly text: string;
  readonly baseline: Baseline;
}

/** What tells which runs may be compared with this one. */
export interface Comparable {
  readonly workDigest: string;
  readonly testbed: string | null;
}

/** Of each baseline of a stage that worked. `records`: of any runs, in any order. */
export function judgeBaselines(
  plan: Plan,
  { phases }: RunSummary,
  about: Comparable,
  records: (baseline: Baseline) => readonly Result[],
): readonly BaselineJudgement[] {
  return phases.flatMap((phase) => {
    const { baselines = [] } = plan.stages[phase.stage] ?? {};
    if (!phase.worked) return [];
    return baselines.map((baseline) => {
      const told = phase.metrics.find(({ name }) => name === baseline.metric);
      const judged = (): Judged => {
        if (about.testbed === null) return noVerdict(0, "what the agents run on is not known");
        const samples = samplesOf(records(baseline), about, phase.name, baseline);
        return told === undefined ? noVerdict(samples.length, "it was not told") : judge(told.value, samples, baseline);
      };
      return { stage: phase.stage, metric: baseline.metric, baseline, ...judged() };
    });
  });
}

type Judged = Pick<BaselineJudgement, "verdict" | "samples" | "median" | "bound" | "text">;

/** Of the newest runs that may be compared, and in which the stage came to this value by itself. */
function samplesOf(
  records: readonly Result[],
  { workDigest, testbed }: Comparable,
  stage: string,
  { metric, runs }: Baseline,
): readonly number[] {
  return records
    .filter((record) => record.plan.work_digest === workDigest && record.testbed === testbed)
    .toSorted((a, b) => (a.started_at < b.started_at ? 1 : -1))
    .flatMap(({ phase_results }) => {
      const phase = phase_results.find((each) => each.phase === stage);
      const told = phase?.metrics.find(({ name }) => name === metric);
      return phase === undefined || told === undefined || !phase.success ? [] : [told.value];
    })
    .slice(0, runs);
}

/** A value against those of earlier runs. */
export function judge(value: number, samples: readonly number[], baseline: Baseline): Judged {
  const { atLeast, test, limit, better } = baseline;
  if (samples.length < atLeast) {
    return noVerdict(samples.length, `${count(samples.length, "earlier run")}, expected at least ${atLeast}`);
  }
  const median = medianOf(samples);
  const spread = Math.max(
    NORMAL * medianOf(samples.map((each) => Math.abs(each - median))),
    LEAST_SPREAD * Math.abs(median),
  );
  const borne = test === "mad" ? limit * spread : (limit / 100) * Math.abs(median);
  const bound = better === "bigger" ? median - borne : median + borne;
  const isWorse = better === "bigger" ? value < bound : value > bound;
  const how = test === "mad" ? `${number(limit)} × its spread of ${number(spread)}` : `${number(limit)} %`;
  const expected = `${better === "bigger" ? ">=" : "<="} ${number(bound)} (median ${number(median)} of ${samples.length} runs, ${how})`;
  return { verdict: isWorse ? "worse" : "within", samples: samples.length, median, bound, text: expected };
}

function noVerdict(samples: number, why: string): Judged {
  return { verdict: "no_verdict", samples, median: null, bound: null, text: `no verdict: ${why}` };
}

/** The result with what came of its baselines: what is worse fails its stage, and no verdict is never a pass. */
export function withBaselines(summary: RunSummary, judged: readonly BaselineJudgement[]): RunSummary {
  if (judged.length === 0) return summary;
  const phases = summary.phases.map((phase) =>
    judgedPhase(
      phase,
      judged.filter(({ stage }) => stage === phase.stage),
    ),
  );
  const failing = judged.find((each) => fails(each, summary.phases));
  if (failing === undefined || summary.verdict !== "success") return { ...summary, phases };
  const name = phases.find(({ stage }) => stage === failing.stage)?.name ?? "";
  return {
    ...summary,
    phases,
    status: "failed",
    verdict: "failure",
    message: `${name}: ${failing.metric} ${failing.verdict === "worse" ? `is worse than its baseline, expected ${failing.text}` : failing.text}`,
    failedStage: name,
  };
}

function fails({ stage, verdict, baseline }: BaselineJudgement, phases: readonly PhaseRecord[]): boolean {
  if (phases.find((phase) => phase.stage === stage)?.optional === true) return false;
  return verdict === "worse" || (verdict === "no_verdict" && baseline.onTooFew === "fail");
}

function judgedPhase(phase: PhaseRecord, judged: readonly BaselineJudgement[]): PhaseRecord {
  const bad = judged.filter(({ verdict }) => verdict !== "within");
  const isWorse = bad.some(({ verdict }) => verdict === "worse");
  const said = bad.map(({ metric, verdict, text }) => `${metric}: ${verdict === "worse" ? `expected ${text}` : text}`);
  const reason = [...(phase.reason === null ? [] : [phase.reason]), ...said].join("; ");
  return {
    ...phase,
    metrics: phase.metrics.map((metric) => {
      const own = judged.find((each) => each.metric === metric.name);
      return own === undefined ? metric : { ...metric, expected: own.text, met: metOf(own) };
    }),
    ...(bad.length === 0 ? {} : { reason, status: isWorse && !phase.optional ? "failure" : "warning" }),
    ...(isWorse ? { worked: false } : {}),
  };
}

function metOf({ verdict }: BaselineJudgement): boolean | null {
  return verdict === "no_verdict" ? null : verdict === "within";
}
