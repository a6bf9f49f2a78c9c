/** What a run came to, told: the last lines of the log, JSON on stdout, and in a file where one is asked for. */
import type { Masks } from "../../agent/masking/masks.ts";
import { readHistogram } from "../../coordinator/hosting/histograms.ts";
import type { Plan } from "../../plan/plan.ts";
import { baselineLine, verdictLines } from "../../report/log.ts";
import { judgeBaselines, withBaselines } from "../../report/record/baselines.ts";
import type { CollectedParts } from "../../report/record/collected.ts";
import { resultJson } from "../../report/record/json.ts";
import { provenanceOf } from "../../report/record/provenance.ts";
import { testbedOf } from "../../report/record/testbed.ts";
import type { RunReport } from "../../report/report.ts";
import { earlierResults } from "../../result-files/earlier-results.ts";
import type { RunSummary } from "../../run/result/record.ts";
import type { RunKey, Selection } from "../../run/types.ts";
import { print } from "../print.ts";
import { VERSION } from "../version.ts";
import { writeWhole } from "../write-whole.ts";
import type { ConsoleLog, Screen } from "./console.ts";

export interface EndedRun {
  readonly file: string;
  readonly key: RunKey;
  readonly plan: Plan;
  readonly masks: Masks;
  readonly summary: RunSummary;
  readonly selection: Selection;
  readonly startedAt: number;
  readonly outputFile: string | undefined;
  readonly collected: CollectedParts;
}

/** @returns whether the run succeeded, its baselines included, and everything could be written */
export function tellOutcome(run: EndedRun, log: ConsoleLog, screen: Screen): boolean {
  const { selection, key, plan, masks } = run;
  const provenance = provenanceOf({ key, plan, commit: null, version: VERSION }, masks);
  log.phases(run.summary.phases);
  const about = { workDigest: provenance.workDigest, testbed: testbedOf(run.summary.machines ?? []) };
  const baselines = judgeBaselines(
    plan,
    run.summary,
    about,
    earlierResults(process.cwd(), (line) => log.line(`⚠ ${line}`)),
  );
  for (const judged of baselines) log.line(baselineLine(judged, screen.colours));
  const summary = withBaselines(run.summary, baselines);
  const stop =
    selection.stopAfter === null ? undefined : summary.phases.find(({ stage }) => stage === selection.stopAfter);
  const report: RunReport = {
    summary,
    planName: plan.name,
    planFile: run.file,
    workspace: process.cwd(),
    startedAt: run.startedAt,
    completedAt: Date.now(),
    stoppedAfter: stop?.status === "success" || stop?.status === "warning" ? stop.name : null,
    provenance,
    baselines,
    collected: run.collected.all(),
    readHistogram,
  };
  for (const line of verdictLines(report, screen.colours)) log.line(line);
  const json = resultJson(report);
  const say = (text: string): void => log.line(text);
  const printed = printResult(json, say);
  const isWritten = run.outputFile === undefined || writeResult(run.outputFile, json, say);
  return summary.verdict === "success" && isWritten && printed;
}

function printResult(json: string, say: (text: string) => void): boolean {
  try {
    print(json);
    return true;
  } catch (error) {
    say(`stdout: the result could not be written: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function writeResult(file: string, json: string, say: (text: string) => void): boolean {
  const problem = writeWhole(file, json);
  if (problem !== null) say(`--output-file ${file}: could not be written: ${problem}`);
  return problem === null;
}
