/** Records of runs with everything ordinary, and `overrides` for what a test is about. */
import type { RunReport } from "../../src/report/report.ts";
import type { AgentPhase, PhaseRecord, RunSummary } from "../../src/run/result/record.ts";

export const T0 = Date.UTC(2026, 10, 21, 9, 0, 0);

export function agentPhase(overrides: Partial<AgentPhase> = {}): AgentPhase {
  return {
    agent: "train-0",
    index: 0,
    status: "success",
    startedAt: T0,
    endedAt: T0 + 1000,
    attempts: 1,
    reason: null,
    tail: "",
    end: { kind: "exited", code: 0 },
    ...overrides,
  };
}

export function phase(overrides: Partial<PhaseRecord> = {}): PhaseRecord {
  return {
    stage: 0,
    name: "preflight",
    description: null,
    order: 1,
    line: 3,
    column: 5,
    optional: false,
    status: "success",
    worked: ["success", "warning"].includes(overrides.status ?? "success"),
    reason: null,
    startedAt: T0,
    completedAt: T0 + 1000,
    retryCount: 0,
    progress: null,
    metrics: [],
    histograms: {},
    outputs: {},
    annotations: [],
    agents: [agentPhase()],
    tasks: null,
    ...overrides,
  };
}

export function failed(name: string, overrides: Partial<PhaseRecord> = {}): PhaseRecord {
  return phase({
    name,
    status: "failure",
    worked: false,
    reason: "exit code 3",
    agents: [
      agentPhase({
        status: "failure",
        reason: "exit code 3",
        tail: "saving…\ndisk full",
        end: { kind: "exited", code: 3 },
      }),
    ],
    ...overrides,
  });
}

export function summary(overrides: Partial<RunSummary> = {}): RunSummary {
  return { status: "succeeded", verdict: "success", message: "", failedStage: null, phases: [phase()], ...overrides };
}

export function report(overrides: Partial<RunReport> = {}, run: Partial<RunSummary> = {}): RunReport {
  return {
    summary: summary(run),
    planName: "train",
    planFile: "plans/train.yml",
    workspace: "/home/runner/work/repo/repo",
    startedAt: T0,
    completedAt: T0 + 65_000,
    stoppedAfter: null,
    ...overrides,
  };
}
