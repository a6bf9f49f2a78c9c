/** What a job reports of its run: made as soon as something is known, and held against earlier runs when it is over. */
import { VERSION } from "../../cli/version.ts";
import { readHistogram } from "../../coordinator/hosting/histograms.ts";
import type { Plan } from "../../plan/plan.ts";
import { baselineLine, NO_COLOURS } from "../../report/log.ts";
import type { Mask } from "../../report/masked.ts";
import { judgeBaselines, withBaselines } from "../../report/record/baselines.ts";
import { provenanceOf } from "../../report/record/provenance.ts";
import { testbedOf } from "../../report/record/testbed.ts";
import type { RunReport } from "../../report/report.ts";
import type { RunSummary } from "../../run/result/record.ts";
import type { RunKey, Selection } from "../../run/types.ts";

/** What of a job's task its report tells. */
export interface ReportedTask {
  readonly plan: Plan;
  readonly selection: Selection;
  readonly source: { readonly file: string };
  readonly job: { readonly workspace: string; readonly headSha: string | null };
  readonly key: RunKey;
  readonly place: { readonly reports: boolean };
}

export function runReport(
  task: ReportedTask,
  summary: RunSummary,
  masks: Mask,
  { startedAt, completedAt }: Pick<RunReport, "startedAt" | "completedAt">,
): RunReport {
  const { selection, plan, source, job, key, place } = task;
  const last = selection.stopAfter === null ? undefined : plan.stages[selection.stopAfter];
  const reached = summary.phases.some(({ stage, status }) => stage === last?.index && status !== "skipped");
  return {
    summary,
    planName: plan.name,
    planFile: source.file,
    workspace: job.workspace,
    startedAt,
    completedAt,
    stoppedAfter: last !== undefined && reached && summary.verdict === "success" ? last.name : null,
    // The group's result is shown once, by its leader or its app.
    ...(place.reports ? {} : { part: "own" }),
    provenance: provenanceOf({ key, plan, commit: job.headSha, version: VERSION }, masks),
    readHistogram,
  };
}

/** The report with what came of the plan's baselines: by the job that shows the group's result, others leave it as it is. */
export async function heldAgainstBaselines(
  report: RunReport,
  { plan, job }: Pick<ReportedTask, "plan" | "job">,
  say: (line: string) => void,
): Promise<RunReport> {
  const { summary, provenance, part } = report;
  const isAsked = plan.stages.some(({ baselines = [] }) => baselines.length > 0);
  if (!isAsked || part === "own" || provenance === undefined || summary.verdict === "cancelled") return report;
  const { earlierResults } = await import("../../result-files/earlier-results.ts");
  const about = { workDigest: provenance.workDigest, testbed: testbedOf(summary.machines ?? []) };
  const baselines = judgeBaselines(
    plan,
    summary,
    about,
    earlierResults(job.workspace, (line) => say(`⚠ ${line}`)),
  );
  for (const judged of baselines) say(baselineLine(judged, NO_COLOURS));
  return { ...report, baselines, summary: withBaselines(summary, baselines) };
}
