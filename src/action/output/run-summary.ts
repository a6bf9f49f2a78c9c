/** What came of a run, as far as it is known in this process, and by what its check run is told from others. */
import type { LoopEnd } from "../../agent/loop-end.ts";
import type { RunHost } from "../../coordinator/hosting/host.ts";
import type { AgentSummary } from "../../run/result/agent-summary.ts";
import type { RunSummary } from "../../run/result/record.ts";
import type { RunKey } from "../../run/types.ts";

export function runSummaryOf(end: LoopEnd, host: RunHost | null, own: AgentSummary): RunSummary {
  if (end.kind === "finished") return end.summary;
  const known = host?.summary() ?? { failedStage: null, phases: own.records() };
  switch (end.kind) {
    case "left":
      return { ...known, verdict: "cancelled", status: "cancelled", message: end.why };
    case "unreachable":
      return { ...known, verdict: "failure", status: "failed", message: end.why };
  }
}

/** Tells the check runs of one name on one commit apart. */
export function checkExternalId({ repositoryId, runId, attempt, group, plan }: RunKey, index: number): string {
  return [repositoryId, runId, attempt, group, index, plan].join("/");
}
