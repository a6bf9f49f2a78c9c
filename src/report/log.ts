/** The readable log, a line a thing that happened. Pure strings; how they are coloured is the caller's. */
import type { PhaseRecord, RunSummary } from "../run/result/record.ts";
import type { AttemptEnd, Progress } from "../run/types.ts";
import { clip, oneLine } from "./escape.ts";
import { aggregation, between, bytes, count, duration, number } from "./format.ts";
import type { BaselineJudgement } from "./record/baselines.ts";
import { failingAgents, roundNumber } from "./report.ts";

/** Each puts a text into a colour, or returns it as it is. */
export interface Colours {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly red: (text: string) => string;
}

const same = (text: string): string => text;
export const NO_COLOURS: Colours = { bold: same, dim: same, green: same, yellow: same, red: same };

const MAX_LINE = 1000;

/** "── epoch-1 (3 of 7) · execute, 1 h 00 min". `about`: what is known of it before it starts. */
export function stageBanner(
  stage: { readonly name: string; readonly position: number; readonly total: number; readonly about: string },
  colours: Colours,
): string {
  const about = stage.about === "" ? "" : colours.dim(` · ${line(stage.about)}`);
  return `${colours.bold(`── ${line(stage.name)}`)} ${colours.dim(`(${stage.position} of ${stage.total})`)}${about}`;
}

/** The outcome of one stage: "✓ epoch-1 in 1 h 00 min", "✗ checkpoint-1 after 0.3 s: exit code 3". */
export function stageOutcome(record: PhaseRecord, colours: Colours): string {
  const took = between(record.startedAt, record.completedAt);
  const round = roundNumber(record);
  const name = `${line(record.name)}${round > 1 ? ` (round ${round})` : ""}`;
  const reason = record.reason === null ? "" : `: ${line(record.reason)}`;
  const retried = record.retryCount === 0 ? "" : colours.dim(` (${count(record.retryCount, "retry", "retries")})`);
  const time = (word: string): string => (took === null ? "" : ` ${word} ${duration(took)}`);
  switch (record.status) {
    case "success":
      return `${colours.green("✓")} ${name}${time("in")}${reason}${retried}`;
    case "warning":
      return `${colours.yellow("⚠")} ${name}${time("after")}${reason}${retried}`;
    case "failure":
      return `${colours.red("✗")} ${name}${time("after")}${reason}${retried}`;
    case "cancelled":
      return `${colours.red("✗")} ${name} cancelled${time("after")}${reason}`;
    case "skipped":
      return colours.dim(`- ${name} skipped${reason}`);
  }
}

/** How an attempt's command ended, in words: "exit code 3", "ended after its duration". */
export function endText(end: AttemptEnd): string {
  switch (end.kind) {
    case "no_command":
      return "nothing to run";
    case "exited":
      return `exit code ${end.code}`;
    case "signalled":
      return `ended by ${end.signal}`;
    case "time_over":
      return `${end.limit === "duration" ? "ended when its duration was over" : `ended: its ${end.limit} was over`}${end.killed === true ? ", killed since it ignored TERM" : ""}`;
    case "stopped":
      return `stopped: ${line(end.why)}`;
    case "reset":
      return "dropped to begin anew";
    case "not_started":
      return `could not start: ${line(end.message)}`;
    case "bad_tasks":
    case "checks_failed":
      return line(end.message);
    case "threshold":
      return `ended at its ${end.threshold}: ${line(end.message)}`;
  }
}

/** Below the outcome: the agents that failed, when there are several. */
export function agentOutcomes(record: PhaseRecord, colours: Colours): readonly string[] {
  if (record.agents.length < 2) return [];
  return failingAgents(record).map(
    (agent) =>
      `  ${colours.red("✗")} ${line(agent.agent)} ${agent.status}: ${line(agent.reason ?? "no reason recorded")}`,
  );
}

/** Metrics of a stage: "  throughput 812.5 MB/s (sum of 4), expected >= 700". */
export function metricLines(record: PhaseRecord, colours: Colours): readonly string[] {
  return record.metrics.map((metric) => {
    const value = `${number(metric.value)}${metric.unit === "" ? "" : ` ${line(metric.unit)}`}`;
    const expected =
      metric.expected === null
        ? ""
        : `, expected ${line(metric.expected)} ${metric.met ? colours.green("✓") : colours.red("✗")}`;
    return `  ${line(metric.name)} ${value} ${colours.dim(`(${aggregation(metric)})`)}${expected}`;
  });
}

/** "  throughput of epoch-1: no verdict: 3 earlier runs, expected at least 5". */
export function baselineLine({ metric, verdict, text }: BaselineJudgement, colours: Colours): string {
  const mark = verdict === "within" ? colours.green("✓") : verdict === "worse" ? colours.red("✗") : colours.yellow("⚠");
  const said =
    verdict === "no_verdict" ? text : `${verdict === "within" ? "within" : "worse than"} its baseline: ${text}`;
  return `${mark} ${line(metric)} ${line(said)}`;
}

/** "450 of 1000 (45 %), 2 errors". */
export function progressText(progress: Progress): string {
  const done = number(progress.done);
  const share =
    progress.total === null
      ? done
      : `${done} of ${number(progress.total)}${progress.total > 0 ? ` (${Math.floor((progress.done / progress.total) * 100)} %)` : ""}`;
  return progress.errors > 0 ? `${share}, ${count(progress.errors, "error")}` : share;
}

/** "kept 3 files (1.2 MiB) in out/local-0/load, 2 left out". */
export function collectedText(told: {
  readonly folder: string;
  readonly kept: readonly unknown[];
  readonly bytes: number;
  readonly missed: readonly unknown[];
}): string {
  const left = told.missed.length > 0 ? `, ${told.missed.length} left out` : "";
  if (told.kept.length === 0) return `kept no files${left}`;
  return `kept ${count(told.kept.length, "file")} (${bytes(told.bytes)}) in ${oneLine(told.folder)}${left}`;
}

/** The last lines: verdict, counts, and where to look. */
export function verdictLines(
  run: {
    readonly summary: RunSummary;
    readonly planFile: string;
    readonly startedAt: number;
    readonly completedAt: number;
  },
  colours: Colours,
): readonly string[] {
  const { summary } = run;
  const time = duration(Math.max(0, run.completedAt - run.startedAt));
  const tally = (["success", "warning", "failure", "cancelled", "skipped"] as const)
    .map((status) => ({ status, n: summary.phases.filter((phase) => phase.status === status).length }))
    .filter(({ n }) => n > 0)
    .map(({ status, n }) => `${n} ${TALLY_WORD[status]}`)
    .join(", ");
  const failed = summary.phases.find((phase) => phase.name === summary.failedStage);
  const where = failed === undefined ? "" : ` (${line(run.planFile)}:${failed.line})`;
  switch (summary.verdict) {
    case "success":
      return [`${colours.green("✓ succeeded")} in ${time}: ${tally}`];
    case "failure":
      return [`${colours.red("✗ failed")} after ${time}: ${tally}`, `  ${line(summary.message)}${where}`];
    case "cancelled":
      return [`${colours.red("✗ cancelled")} after ${time}: ${tally}`, `  ${line(summary.message)}`];
  }
}

const TALLY_WORD = {
  success: "succeeded",
  warning: "with a warning",
  failure: "failed",
  cancelled: "cancelled",
  skipped: "skipped",
} as const;

function line(text: string): string {
  return clip(oneLine(text), MAX_LINE);
}
