/** Runs of groups that the app coordinates: each group's agents are a process, their jobs stand in GitHub's world. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  addJob,
  asUser,
  checkRunsOn,
  completeRun,
  createRun,
  updateJob,
  type WorkflowJob,
  type WorkflowRun,
} from "../../src/sandbox/world/index.ts";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { bundledPrograms } from "../programs.ts";
import type { GroupEnds, GroupOrders } from "./group-process.ts";
import type { Place, SoakTown } from "./town.ts";

export interface GroupsOptions {
  readonly town: SoakTown;
  readonly runs: number;
  readonly agents: number;
  /** The app, as agents reach it. */
  readonly coordinator: string;
  readonly directory: string;
  /** Within this all of them begin. Milliseconds. */
  readonly within: number;
  /** Of one step of a plan. */
  readonly stepSeconds: number;
}

interface GroupSeen {
  readonly place: Place;
  readonly run: WorkflowRun;
  readonly plan: string;
  /** Whether one of its agents is to fail. */
  readonly fails: boolean;
  readonly directory: string;
  ends: GroupEnds;
}

/** Of so many runs one fails, as its plan says. */
const FAILS_EVERY = 5;
/** Where all share one busy machine, whoever stands still for half a minute is not gone. */
const LOST_AFTER = "5m";
const WORKFLOW = ".github/workflows/group.yml";
const STAGES = ["prepare", "work", "verify", "report", "cleanup"] as const;

export class Groups {
  readonly #options: GroupsOptions;
  readonly #seen: GroupSeen[] = [];
  readonly #children = new Set<ChildProcess>();

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /** Resolves when all of them have ended. */
  async play(): Promise<void> {
    const { runs, within } = this.#options;
    await Promise.all(
      Array.from({ length: runs }, async (_, nth) => {
        await sleep((nth * within) / runs);
        await this.#one(nth);
      }),
    );
  }

  /** One sentence for each way in which a run is not as its plan says. */
  wrong(): string[] {
    return this.#seen.flatMap((seen) => {
      const said = wrongOf(seen, this.#options);
      return said.map((each) => `the run ${seen.plan} (${seen.run.id}) ${each}`);
    });
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  }

  async #one(nth: number): Promise<void> {
    const { town, agents, coordinator, stepSeconds } = this.#options;
    const place = town.places[nth % town.places.length];
    if (place === undefined) return;
    const name = `group-${nth}`;
    const directory = join(this.#options.directory, name);
    mkdirSync(directory, { recursive: true });
    const fails = nth % FAILS_EVERY === FAILS_EVERY - 1;
    const { run, jobs } = begin(place, agents);
    const seen: GroupSeen = { place, run, plan: name, fails, directory, ends: [] };
    this.#seen.push(seen);
    const output = openSync(join(directory, "agents.log"), "a", 0o600);
    const child = fork(new URL("./group-process.ts", import.meta.url), {
      env: { PATH: process.env.PATH ?? "", TMPDIR: directory, ...COMPILE_CACHE, ...bundledPrograms() },
      stdio: ["ignore", output, output, "ipc"],
    });
    closeSync(output);
    this.#children.add(child);
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("exit", () => process.off("exit", kill));
    const ended = once(child, "exit").then(() => this.#children.delete(child));
    const told = new Promise<void>((resolve) => {
      child.once("message", (ends) => {
        seen.ends = ends as GroupEnds;
        resolve();
      });
    });
    const orders: GroupOrders = {
      coordinator,
      plan: planText(name, agents, stepSeconds, fails),
      directory,
      repositoryId: `${place.repository.id}`,
      runId: `${run.id}`,
      jobs: jobs.map((job) => grant(town, place, run, job)),
    };
    child.send(orders);
    await Promise.race([told, ended]);
    await ended;
    end(place, run, jobs, fails);
  }
}

/** Each step says who did it; the last goes on whatever happened. */
function planText(name: string, agents: number, seconds: number, fails: boolean): string {
  const say = (stage: string) => `echo "${stage} $STAGEWRIGHT_AGENT_NAME $STAGEWRIGHT_ATTEMPT" >> done`;
  const fault = fails ? '; if [ "$STAGEWRIGHT_AGENT_INDEX" = 3 ]; then exit 7; fi' : "";
  return `name: ${name}
agents: ${agents}
liveness: { lost_after: ${LOST_AFTER} }
stages:
  - { name: prepare, runs_on: first, run: '${say("prepare")}; sleep ${seconds}' }
  - { name: work, run: '${say("work")}; sleep ${seconds}' }
  - { name: verify, run: '${say("verify")}; sleep ${seconds}${fault}' }
  - { name: report, run: '${say("report")}; sleep ${seconds}' }
  - { name: cleanup, run: '${say("cleanup")}' }
`;
}

function begin({ sandbox, repository, people }: Place, agents: number) {
  const { world } = sandbox;
  const sha = repository.refs.get("refs/heads/main") ?? "";
  const run = createRun(world, asUser(people.rex), {
    ...{ repository, path: WORKFLOW, event: "workflow_dispatch", ref: "refs/heads/main", sha, headSha: sha },
    ...{ headBranch: "main", payload: {} },
  });
  const jobs = Array.from({ length: agents }, (_, index) =>
    addJob(world, run, { key: "train", name: `train (${index})`, labels: [] }),
  );
  for (const job of jobs) updateJob(world, job, { status: "in_progress" });
  return { run, jobs };
}

function end({ sandbox }: Place, run: WorkflowRun, jobs: readonly WorkflowJob[], fails: boolean): void {
  const conclusion = fails ? "failure" : "success";
  for (const job of jobs) updateJob(sandbox.world, job, { status: "completed", conclusion });
  completeRun(sandbox.world, run, conclusion);
}

function grant({ issuer }: SoakTown, { repository, people }: Place, run: WorkflowRun, job: WorkflowJob) {
  const full = `${people.owner.login}/${repository.name}`;
  const workflow = `${full}/${WORKFLOW}@refs/heads/main`;
  const { url, token } = issuer.grant({
    sub: `repo:${full}:ref:refs/heads/main`,
    repository: full,
    repository_id: `${repository.id}`,
    repository_owner: people.owner.login,
    repository_owner_id: `${people.owner.id}`,
    repository_visibility: "public",
    run_id: `${run.id}`,
    run_number: `${run.runNumber}`,
    run_attempt: "1",
    workflow: "group",
    workflow_ref: workflow,
    workflow_sha: run.sha,
    job_workflow_ref: workflow,
    job_workflow_sha: run.sha,
    runner_environment: "self-hosted",
    ref: "refs/heads/main",
    ref_type: "branch",
    ref_protected: "false",
    head_ref: "",
    base_ref: "",
    sha: run.sha,
    actor: people.rex.login,
    actor_id: `${people.rex.id}`,
    event_name: "workflow_dispatch",
    check_run_id: `${job.checkRunId}`,
  });
  return { url, token };
}

function wrongOf({ place, run, plan, fails, directory, ends }: GroupSeen, { agents }: GroupsOptions): string[] {
  const found: string[] = [];
  const wanted = fails ? "failure" : "success";
  if (ends.length !== agents) found.push(`has ${ends.length} agents that ended, not ${agents}`);
  found.push(...ends.filter((each) => each.end !== wanted).map(({ agent, end: how }) => `ended for ${agent}: ${how}`));
  const file = join(directory, "done");
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  for (const stage of STAGES) {
    const did = lines.filter((line) => line.startsWith(`${stage} `)).map((line) => line.split(" ")[1] ?? "");
    const twice = did.filter((agent, index) => did.indexOf(agent) !== index);
    if (twice.length > 0) found.push(`has done ${stage} more than once: ${twice.join(", ")}`);
    const left = fails && stage === "report";
    const expected = left ? 0 : stage === "prepare" ? 1 : agents;
    if (new Set(did).size !== expected) found.push(`has done ${stage} on ${new Set(did).size} agents, not ${expected}`);
  }
  const { world } = place.sandbox;
  const shown = checkRunsOn(world, place.repository, run.headSha).filter(
    ({ appId, name }) => appId === place.app.id && name.startsWith(`plan / ${plan} `),
  );
  const said = shown.map(({ status, conclusion }) => conclusion ?? status);
  if (said.length !== 1 || said[0] !== wanted) found.push(`is shown as ${said.join(", ") || "nothing"}, not ${wanted}`);
  return found;
}
