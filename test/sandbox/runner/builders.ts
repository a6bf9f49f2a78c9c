/** Small jobs for the runner's tests: one call, overrides for what a case is about. */
import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runJob } from "../../../src/sandbox/runner/job.ts";
import type {
  JobRequest,
  JobResult,
  RunnerServices,
  StepDefinition,
  StepRecord,
} from "../../../src/sandbox/runner/types.ts";
import type { StepAnnotation } from "../../../src/sandbox/runner/workflow-commands.ts";

const common = { id: null, name: null, if: null, env: {}, continueOnError: false, timeoutMinutes: null };

export function script(text: string, overrides: Partial<StepDefinition> = {}): StepDefinition {
  return { ...common, work: { kind: "run", script: text, shell: null, workingDirectory: null }, ...overrides };
}

export function uses(
  name: string,
  inputs: Record<string, string>,
  overrides: Partial<StepDefinition> = {},
): StepDefinition {
  return { ...common, work: { kind: "uses", uses: name, with: inputs }, ...overrides };
}

export interface Told {
  readonly lines: string[];
  readonly annotations: StepAnnotation[];
  readonly summaries: string[];
  steps: readonly StepRecord[];
}

/** Writes files into a new temporary directory and returns it. */
export async function directoryWith(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "stagewright-test-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
    await chmod(join(directory, name), 0o755);
  }
  return directory;
}

export async function run(
  steps: readonly StepDefinition[],
  options: {
    readonly request?: Partial<JobRequest>;
    readonly services?: Partial<RunnerServices>;
    readonly cancel?: AbortSignal;
    readonly onLine?: (line: string) => void;
  } = {},
): Promise<{ readonly result: JobResult; readonly told: Told }> {
  const told: Told = { lines: [], annotations: [], summaries: [], steps: [] };
  const request: JobRequest = {
    id: "build",
    runner: { name: "runner-1", labels: ["self-hosted"] },
    steps,
    github: {
      repository: "octo/tests",
      repository_owner: "octo",
      sha: "a".repeat(40),
      event_name: "push",
      event: { zen: 1 },
    },
    contexts: {
      matrix: {},
      strategy: { "job-index": 1, "job-total": 3 },
      needs: {},
      inputs: {},
      vars: {},
      secrets: {},
    },
    env: [],
    defaults: { shell: null, workingDirectory: null },
    outputs: {},
    timeoutMinutes: 5,
    token: "ghs_tokenOfTheJob",
    oidc: null,
    secrets: [],
    directory: await mkdtemp(join(tmpdir(), "stagewright-runner-")),
    cancelTimes: { interruptMs: 400, terminateMs: 200, drainMs: 500 },
    cancelTimeoutMs: 10_000,
    force: null,
    ...options.request,
  };
  const services: RunnerServices = {
    checkout: async () => {
      throw new Error("this test checks nothing out");
    },
    resolveAction: async () => null,
    ...options.services,
  };
  const result = await runJob(
    request,
    services,
    {
      line: (line) => {
        told.lines.push(line);
        options.onLine?.(line);
      },
      steps: (records) => {
        told.steps = records;
      },
      annotation: (annotation) => told.annotations.push(annotation),
      summary: (markdown) => told.summaries.push(markdown),
    },
    options.cancel ?? new AbortController().signal,
  );
  return { result, told };
}
