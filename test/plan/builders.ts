/** What tests of plans share: reading one, and a stage that says nothing but its name and its command. */
import type { Plan, PlanStage } from "../../src/plan/plan.ts";
import { formatProblem, readPlan } from "../../src/plan/read.ts";

/** The plan; a warning or an error of it fails the test. */
export function plan(text: string, file = "some/p.yml"): Plan {
  const { plan: read, problems } = readPlan(text, file);
  if (read === null || problems.length > 0) throw new Error(problems.map(formatProblem).join("\n"));
  return read;
}

/** `{ name: a, type: custom, run: x }` with every default filled in. */
export const PLAIN_STAGE: PlanStage = {
  name: "a",
  description: null,
  index: 0,
  order: 1,
  type: "custom",
  completion: "script_exit",
  line: 2,
  column: 5,
  command: { kind: "script", script: "x" },
  env: {},
  workingDirectory: null,
  durationMs: null,
  maxDurationMs: null,
  timeoutMs: 21_600_000,
  optional: false,
  when: "on_success",
  runsOn: { kind: "all" },
  role: null,
  retry: {
    maxAttempts: 1,
    attemptTimeoutMs: null,
    on: ["failure", "timeout"],
    backoffMs: 1_000,
    maxBackoffMs: 60_000,
    onExitCodes: null,
    notOnExitCodes: [],
  },
  barrier: {
    rule: { kind: "all_or_nothing" },
    timeoutMs: null,
    stragglerGraceMs: 30_000,
    onStraggler: "exclude",
    heartbeatIntervalMs: null,
    missedThreshold: null,
    queryTimeoutMs: null,
    queryRetries: null,
  },
  dependsOn: [],
  expectedObjects: null,
  expectedTasks: null,
  thresholds: null,
  expect: [],
  checkpoint: false,
  context: null,
  contextLimit: 1_048_576,
  tasks: null,
  background: null,
};
