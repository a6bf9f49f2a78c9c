/** A whole sandbox over HTTP, its runners, and the action as it is shipped; what a test needs to look at it. */
import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createSandbox, type Sandbox } from "../../src/sandbox/index.ts";
import { type Actions, startActions } from "../../src/sandbox/workflows/start.ts";
import {
  type Account,
  type Annotation,
  actionsApp,
  addOrganization,
  addRepository,
  addUser,
  asUser,
  type CheckRun,
  checkRunsOn,
  commitFiles,
  jobsOf,
  openPull,
  type PullRequest,
  type Repository,
  runsOf,
  setCollaborator,
  type WorkflowJob,
  type WorkflowRun,
  type World,
} from "../../src/sandbox/world/index.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface Place {
  readonly sandbox: Sandbox;
  readonly actions: Actions;
  readonly world: World;
  readonly repository: Repository;
  readonly alice: Account;
  readonly faults: unknown[];
  pull(
    branch: string,
    files: Record<string, string>,
    overrides?: { headRepository?: Repository; by?: Account },
  ): PullRequest;
  close(): Promise<void>;
}

/** A repository `octo/bench` with these files on main, runners, and everything reachable over HTTP. */
export async function place(
  files: Readonly<Record<string, string>>,
  options: { readonly runners?: number } = {},
): Promise<Place> {
  const faults: unknown[] = [];
  const report = (error: unknown): void => void faults.push(error);
  const sandbox = createSandbox({ report });
  const { world } = sandbox;
  await sandbox.listen();
  const actions = await startActions(sandbox, { root: ROOT, runners: options.runners ?? 2, report });
  const owner = addOrganization(world, "octo");
  const alice = addUser(world, "alice");
  const repository = addRepository(world, asUser(owner), { owner, name: "bench", files });
  setCollaborator(world, asUser(owner), repository, alice, "write");
  return {
    sandbox,
    actions,
    world,
    repository,
    alice,
    faults,
    pull(branch, edits, overrides = {}) {
      const by = asUser(overrides.by ?? alice);
      const headRepository = overrides.headRepository ?? repository;
      commitFiles(world, by, headRepository, { branch, message: `Work on ${branch}`, files: edits });
      return openPull(world, by, repository, { title: branch, head: branch, base: "main", headRepository });
    },
    async close() {
      await actions.close(2_000);
      await sandbox.close();
    },
  };
}

/** Waits until `probe` gives something; at the deadline says what was awaited. */
export async function until<T>(
  what: string,
  probe: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  ms = 45_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

/** The completed run of an event, by its place in time. */
export function completed(here: Place, event: string, at = 0): Promise<WorkflowRun> {
  const found = (): WorkflowRun | undefined => {
    const all = runsOf(here.world, here.repository).filter((one) => one.event === event);
    return all.toReversed()[at];
  };
  return until(`run ${at} of ${event} to complete`, () => {
    const run = found();
    return run?.status === "completed" ? run : undefined;
  }).catch((error: unknown) => {
    const run = found();
    const jobs = run === undefined ? [] : jobsOf(here.world, run);
    const logs = jobs.map((job) => `${job.name}: ${job.status}\n${logOf(job)}`);
    throw new Error([String(error), ...logs].join("\n"), { cause: error });
  });
}

export function jobNamed(here: Place, run: WorkflowRun, name: string): WorkflowJob {
  const job = jobsOf(here.world, run).find((one) => one.name === name);
  if (job === undefined)
    throw new Error(
      `no job "${name}" among ${jobsOf(here.world, run)
        .map((one) => one.name)
        .join(", ")}`,
    );
  return job;
}

export const logOf = (job: WorkflowJob): string => job.log.join("");

/** The annotations that stand on the job's own check run: from workflow commands. */
export function annotationsOf(here: Place, job: WorkflowJob): readonly Annotation[] {
  return here.world.checkRuns.get(job.checkRunId)?.annotations ?? [];
}

/** The check runs that the action itself wrote on a commit, with the job's token. */
export function writtenChecks(here: Place, sha: string): readonly CheckRun[] {
  const appId = actionsApp(here.world).id;
  return checkRunsOn(here.world, here.repository, sha).filter((one) => one.jobId === null && one.appId === appId);
}

/** Command lines of living processes that contain a text. */
export async function processesWith(text: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return line.replaceAll("\0", " ").trim();
    }),
  );
  return lines.filter((line) => line.includes(text));
}
