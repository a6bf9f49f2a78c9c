/** What must be true of the sandbox after a step: each function names what is still missing, a line each. */
import {
  type CheckRun,
  checkRunsOn,
  jobsOf,
  type PullRequest,
  runsOf,
  type WorkflowJob,
  type WorkflowRun,
  type World,
} from "../../src/sandbox/world/index.ts";
import type { Scene } from "./scene.ts";
import type { Missing } from "./waiting.ts";

/** The stages of the policy that is in force without a file. */
export const STAGES = ["pr-created", "ready-for-qa", "approved"] as const;
export type Stage = (typeof STAGES)[number];

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));

/** Names of the labels on a pull request. */
function labelsOn(scene: Scene, pull: PullRequest): readonly string[] {
  return [...pull.labelIds].map((id) => scene.repository.labels.get(id)?.name ?? `label ${id}`);
}

/** The newest check run of the app with this name on the head commit. */
function ownCheck(world: World, scene: Scene, pull: PullRequest, name: string): CheckRun | undefined {
  return checkRunsOn(world, scene.repository, pull.head.sha).findLast(
    (check) => check.appId === scene.app.id && check.name === name,
  );
}

/** Exactly one stage label, the right one; the stage's checks reached, the next one in progress, later ones queued. */
export function showsStage(world: World, scene: Scene, pull: PullRequest, stage: Stage): Missing {
  const missing: string[] = [];
  const stageLabels = labelsOn(scene, pull).filter((name) => name.startsWith("stage/"));
  if (stageLabels.length !== 1 || stageLabels[0] !== `stage/${stage}`) {
    missing.push(`the one stage label stage/${stage} (now: ${list(stageLabels)})`);
  }
  const reached = STAGES.indexOf(stage);
  for (const [at, name] of STAGES.entries()) {
    const wanted = at <= reached ? "success" : at === reached + 1 ? "in_progress" : "queued";
    const check = ownCheck(world, scene, pull, `stagewright / ${name}`);
    const state = check === undefined ? "none" : (check.conclusion ?? check.status);
    if (state !== wanted) missing.push(`check "stagewright / ${name}" ${wanted} (now: ${state})`);
    else if (wanted === "in_progress" && (check?.output.title ?? "") === "") {
      missing.push(`a title on check "stagewright / ${name}" that says what is missing`);
    }
  }
  return missing;
}

/** The run that the pull request started. */
export function trainRun(world: World, scene: Scene, pull: PullRequest): WorkflowRun | undefined {
  return runsOf(world, scene.repository).find((run) => run.event === "pull_request" && run.headSha === pull.head.sha);
}

/** Every agent's job ended well on a runner of its own, with its annotation, and the group's one result is shown. */
export function ranPlan(world: World, scene: Scene, pull: PullRequest, wanted: PlanWanted): Missing {
  const run = trainRun(world, scene, pull);
  if (run === undefined) return ["a workflow run for the pull request"];
  const jobs = jobsOf(world, run);
  if (jobs.length !== wanted.agents) return [`${wanted.agents} jobs of the workflow run (now: ${jobs.length})`];
  const open = jobs.filter((job) => job.status !== "completed");
  if (open.length === 0 && run.status !== "completed") return [`the end of run "${run.name}" (now: ${run.status})`];
  if (open.length > 0) {
    return open.map((job) => {
      const step = job.steps.find((one) => one.status === "in_progress")?.name;
      return `the end of job "${job.name}" (now: ${job.status}${step === undefined ? "" : `, at "${step}"`})`;
    });
  }
  const missing = jobs.flatMap((job) => jobWent(world, job, wanted.changed));
  if (run.conclusion !== "success") missing.push(`run "${run.name}" success (is: ${run.conclusion})`);
  const runners = new Set(jobs.map((job) => job.runner?.name));
  if (runners.size !== jobs.length) missing.push(`a runner of its own for each job (were: ${[...runners].join(", ")})`);
  const summary = jobs.flatMap((job) => job.summaries).join("\n");
  for (const text of ["multi-epoch-training", "checkpoint-2", "mermaid"]) {
    if (!summary.includes(text)) missing.push(`"${text}" in a job summary`);
  }
  const results = checkRunsOn(world, scene.repository, pull.head.sha).filter(
    (check) => check.jobId === null && check.appId !== scene.app.id && check.name.startsWith("plan / "),
  );
  const [result] = results;
  if (results.length !== 1 || result?.conclusion !== "success") {
    const states = results.map((check) => check.conclusion ?? check.status);
    missing.push(`one check run of the plan's result, success (is: ${list(states)})`);
  } else if (!(result.output.title ?? "").includes(`${wanted.agents} agents`)) {
    missing.push(`"${wanted.agents} agents" in the title of the plan's check run (is: ${result.output.title})`);
  }
  return missing;
}

export interface PlanWanted {
  readonly agents: number;
  /** The file on whose first line each job leaves a notice. */
  readonly changed: string;
}

function jobWent(world: World, job: WorkflowJob, changed: string): string[] {
  const missing: string[] = [];
  if (job.conclusion !== "success") missing.push(`job "${job.name}" success (is: ${job.conclusion})`);
  if (job.runner === null) missing.push(`the runner that took job "${job.name}"`);
  if (!job.log.join("").includes("The plan said success")) {
    missing.push(`the action's output \`result\` in a later step of "${job.name}"`);
  }
  const notices = world.checkRuns.get(job.checkRunId)?.annotations ?? [];
  if (!notices.some((one) => one.path === changed && one.startLine === 1 && one.level === "notice")) {
    missing.push(`the notice on ${changed}:1 of "${job.name}"`);
  }
  return missing;
}

/** The stage labels that the app has put on, in order: no stage skipped, none twice. */
export function movedThrough(scene: Scene, pull: PullRequest, stages: readonly Stage[]): Missing {
  const put = pull.timeline.flatMap((event) =>
    event.event === "labeled" && event.labelName.startsWith("stage/") && event.actorId === scene.app.botId
      ? [event.labelName.slice("stage/".length)]
      : [],
  );
  const same = put.length === stages.length && put.every((name, at) => name === stages[at]);
  return same ? [] : [`the stages ${list(stages)} in the timeline, in this order (now: ${list(put)})`];
}
