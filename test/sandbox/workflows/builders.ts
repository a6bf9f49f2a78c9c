/** A world with one repository, its people, and the interpreter on it: real processes, no HTTP. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OidcIssuer } from "../../../src/sandbox/oidc.ts";
import { startWorkflows, type Workflows } from "../../../src/sandbox/workflows/engine.ts";
import { createRunnerPool } from "../../../src/sandbox/workflows/pool.ts";
import {
  type Account,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  type Change,
  commitFiles,
  createWorld,
  jobsOf,
  openPull,
  type PullRequest,
  type Repository,
  setCollaborator,
  type WorkflowJob,
  type WorkflowRun,
  type World,
} from "../../../src/sandbox/world/index.ts";

export interface Place {
  readonly world: World;
  readonly repository: Repository;
  readonly alice: Account;
  readonly workflows: Workflows;
  /** What was emitted, oldest first. */
  readonly changes: Change[];
  readonly failures: unknown[];
  run(event: string, at?: number): WorkflowRun | undefined;
  completed(event: string, at?: number): Promise<WorkflowRun>;
  jobs(run: WorkflowRun, attempt?: number): Record<string, string | null>;
  log(run: WorkflowRun, name: string): string;
  annotations(run: WorkflowRun, name: string): readonly string[];
  push(branch: string, files: Record<string, string>, message?: string): void;
  pull(
    branch: string,
    files: Record<string, string>,
    overrides?: { headRepository?: Repository; by?: Account },
  ): PullRequest;
  close(): Promise<void>;
}

/** Waits until `probe` gives something, or fails with what was awaited. */
export async function until<T>(what: string, probe: () => T | undefined | false | null, ms = 20_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== false && found !== null) return found;
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function place(
  workflowFiles: Readonly<Record<string, string>>,
  options: { readonly runners?: number; readonly issuer?: OidcIssuer; readonly secrets?: Record<string, string> } = {},
): Promise<Place> {
  const failures: unknown[] = [];
  const world = createWorld({ report: (error) => failures.push(error) });
  const changes: Change[] = [];
  world.changes.record((change) => changes.push(change));
  const owner = addOrganization(world, "octo");
  const alice = addUser(world, "alice");
  const directory = await mkdtemp(join(tmpdir(), "stagewright-workflows-"));
  const workflows = startWorkflows({
    world,
    pool: createRunnerPool({ count: options.runners ?? 2, labels: ["ubuntu-latest"] }),
    issuer: options.issuer ?? null,
    urls: () => ({ server: "http://ghe.test", api: "http://ghe.test/api/v3", graphql: "http://ghe.test/api/graphql" }),
    secrets: () => options.secrets ?? {},
    variables: () => ({ COLOUR: "red" }),
    resolveAction: async () => null,
    resolveWorkflow: async () => null,
    directory,
    cancelTimes: { interruptMs: 300, terminateMs: 200, drainMs: 300 },
    cancelTimeoutMs: 5_000,
    payloadOf: (change) => ({ action: "action" in change ? change.action : null }),
    report: (error) => failures.push(error),
  });
  const files = Object.fromEntries(
    Object.entries(workflowFiles).map(([name, text]) => [`.github/workflows/${name}`, text]),
  );
  const repository = addRepository(world, asUser(alice), {
    owner,
    name: "tests",
    files: { "README.md": "# tests\n", ...files },
  });
  setCollaborator(world, asUser(owner), repository, alice, "write");
  const run = (event: string, at = 0): WorkflowRun | undefined =>
    [...world.runs.values()].filter((one) => one.event === event)[at];
  const jobNamed = (one: WorkflowRun, name: string): WorkflowJob => {
    const job = jobsOf(world, one).find((candidate) => candidate.name === name);
    if (job === undefined) throw new Error(`no job ${name} among ${jobsOf(world, one).map((each) => each.name)}`);
    return job;
  };
  return {
    world,
    repository,
    alice,
    workflows,
    changes,
    failures,
    run,
    completed: (event, at = 0) =>
      until(`run ${at} of ${event}`, () => {
        const found = run(event, at);
        return found?.status === "completed" ? found : undefined;
      }),
    jobs: (one, attempt = one.attempt) =>
      Object.fromEntries(jobsOf(world, one, attempt).map((job) => [job.name, job.conclusion])),
    log: (one, name) => jobNamed(one, name).log.join(""),
    annotations: (one, name) =>
      (world.checkRuns.get(jobNamed(one, name).checkRunId)?.annotations ?? []).map((annotation) => annotation.message),
    push: (branch, edits, message = "Change") =>
      void commitFiles(world, asUser(alice), repository, { branch, message, files: edits }),
    pull(branch, edits, overrides = {}) {
      const by = asUser(overrides.by ?? alice);
      const head = overrides.headRepository ?? repository;
      commitFiles(world, by, head, { branch, message: "Change", files: edits });
      return openPull(world, by, repository, {
        title: `Add ${branch}`,
        head: branch,
        base: "main",
        headRepository: head,
      });
    },
    async close() {
      await workflows.close(0);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
