/**
 * The post step, which runs whatever became of the step: after an interrupted run it runs the plan's cleanup stages,
 * and it ends a check run that was left open.
 */
import { readFileSync } from "node:fs";
import { cleanUp } from "../agent/agent.ts";
import { NoTemporaryFiles } from "../agent/process/directory.ts";
import { concludeAbandoned } from "../github/checks/abandoned-checks.ts";
import type { CheckText } from "../github/checks/check-run.ts";
import { LiveCheck } from "../github/checks/checks.ts";
import { stateOfOwnCheck } from "../github/checks/own-check.ts";
import { jobClient } from "../github/client.ts";
import { readPlan } from "../plan/read.ts";
import { markdown } from "../report/escape.ts";
import { endText } from "../report/log.ts";
import { judgeAttempt } from "../run/stage/completion.ts";
import { cleanupStages } from "../run/stage/participants.ts";
import type { Entry } from "./entry.ts";
import { readInputs, tokenOf } from "./input/inputs.ts";
import { type Job, readJob } from "./input/job.ts";
import { tellCollected } from "./output/collected.ts";
import { Display } from "./output/display.ts";
import { describe } from "./output/publish.ts";
import { digestOf } from "./post-state.ts";
import {
  type CheckState,
  type GroupState,
  type OpeningState,
  type PostRunState,
  type PostState,
  readState,
} from "./read-post-state.ts";

/** GitHub ends a cancelled job's post steps after 5 minutes. */
const CLEANUP_MS = 240_000;
const CHECK_MS = 20_000;

/** @returns the exit code: 1 when a cleanup stage failed, or when what the step left has been changed since */
export async function runPost(entry: Entry): Promise<number> {
  const job = readJob(entry.env, entry);
  const token = tokenOf(entry.env);
  const left = readState(entry.env, { token, job });
  if (left === null) return 0;
  if (left === "altered") {
    entry.console.error(
      "what the step left for its post step (GITHUB_STATE) is not what it wrote there, or github-token has changed since: nothing was done with it; after an interruption its cleanup stages have not run",
    );
    return 1;
  }
  const { run } = left;
  if (run === null) return 0;
  const interrupted = left.finished === null;
  let failed: readonly string[] = [];
  if (interrupted && left.started && left.group !== null) {
    failed = await cleanUpIfPossible({ run, group: left.group, job, entry });
  } else if (interrupted)
    entry.console.text("the run was interrupted before anything had been started: nothing to clean up");
  if (interrupted) tellCollected(run.collectTo, entry.console);
  if (left.check !== null && !left.concluded) await closeCheck(left.check, left.finished, { token, job, entry });
  if (left.check === null && left.opening !== null) await closeLost(left.opening, left.finished, { token, job, entry });
  // Nobody answers there any more.
  if (left.beacon !== null) await closeCheck(left.beacon, left.finished ?? "failure", { token, job, entry });
  return failed.length > 0 ? 1 : 0;
}

interface Interrupted {
  readonly run: PostRunState;
  readonly group: GroupState;
  readonly job: Job;
  readonly entry: Entry;
}

/** @returns what failed: cleanup stages, or the plan when none could be started */
async function cleanUpIfPossible(interrupted: Interrupted): Promise<readonly string[]> {
  const { run, entry } = interrupted;
  try {
    return await cleanUpAfter(interrupted);
  } catch (error) {
    if (!(error instanceof NoTemporaryFiles)) throw error;
    entry.console.error(`cleanup after the interruption: its stages were not run: ${error.message}`);
    return [run.planFile];
  }
}

/** @returns the cleanup stages that failed */
async function cleanUpAfter({ run, group, job, entry }: Interrupted): Promise<readonly string[]> {
  const { console, files, env } = entry;
  const read = readInputs(env);
  const { params, group: groupName } = "inputs" in read ? read.inputs : { params: {}, group: null };
  const bytes = readFileSync(run.planCopy);
  if (digestOf(bytes) !== run.planDigest) {
    console.error("the copy of the plan that was running has been changed since: its cleanup stages were not run");
    return [run.planFile];
  }
  const { plan } = readPlan(bytes, run.planFile, { params });
  if (plan === null) {
    console.error("the plan that was running can no longer be read: its cleanup stages were not run");
    return [run.planFile];
  }
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const display = new Display(console, entry.pace.now);
  const stages = cleanupStages(plan).filter(({ command }) => command !== null);
  const next = stages.length > 0 ? "running its cleanup stages" : "it has no cleanup stages";
  console.text(`the run was interrupted: ${next}`);
  const reports = await cleanUp(
    {
      plan,
      planFile: run.planFile,
      key: {
        repositoryId: job.repositoryId,
        runId: job.runId,
        attempt: job.attempt,
        group: groupName ?? job.id,
        plan: plan.name,
      },
      name: run.agent,
      role: group.member.role,
      index: group.member.index,
      address: group.member.address,
      selection: { skip: group.skip },
      group: { member: group.member, roster: group.roster, outputs: {} },
      leftOut: group.leftOut,
      workingDirectory: job.workspace,
      environment: env,
      ownSecrets: [],
      masks: entry.masks,
      secrets: "inputs" in read ? read.inputs.secrets : [],
      commandLine: entry.commandLine,
      ...(run.collectTo === null ? {} : { collectTo: run.collectTo }),
      log: (event) => display.show(event),
    },
    AbortSignal.any([stopping.signal, AbortSignal.timeout(CLEANUP_MS)]),
  );
  display.closeGroup();
  process.off("SIGINT", stop);
  process.off("SIGTERM", stop);
  const outcomes = reports.map((report) => {
    const stage = plan.stages[report.stage];
    const ok = stage !== undefined && judgeAttempt(stage, report.end, report.progress).ok;
    return { name: stage?.name ?? String(report.stage), how: endText(report.end), ok };
  });
  for (const { name, how, ok } of outcomes) console.text(`${ok ? "✓" : "✗"} ${name}: ${how}`);
  const failed = outcomes.filter(({ ok }) => !ok);
  for (const { name, how } of failed) console.error(`cleanup after the interruption: ${name} failed: ${how}`);
  if (outcomes.length > 0) {
    const lines = outcomes.map(({ name, how, ok }) => `- ${ok ? "✅" : "❌"} ${markdown(name)}: ${markdown(how)}`);
    files.summary(`### Cleanup after the interruption\n\n${lines.join("\n")}\n`);
  }
  return failed.map(({ name }) => name);
}

interface Closing {
  readonly token: string;
  readonly job: Job;
  readonly entry: Entry;
}

/** What is said in a check run whose result could not be written. */
function unwritten(verdict: PostState["finished"]): CheckText {
  const summary = "The run ended before its result could be written here; the job summary has what is known.";
  return { title: verdict ?? "interrupted", summary, text: null };
}

/** The same as `closeCheck`, of a check run whose number is not known: GitHub was asked to open it and did not answer. */
async function closeLost(
  opening: OpeningState,
  verdict: PostState["finished"],
  { token, job, entry }: Closing,
): Promise<void> {
  const { owner, repo } = job;
  if (token === "" || owner === null || repo === null) return;
  const { failure } = await concludeAbandoned(
    await jobClient(token),
    [{ ...opening, owner, repo }],
    unwritten(verdict),
    entry.pace,
    AbortSignal.timeout(CHECK_MS),
    verdict ?? "cancelled",
  );
  if (failure !== null) entry.console.text(`⚠ the check run could not be looked for: ${describe(failure)}`);
}

/** A check run must not stay in progress for ever because its process was killed or GitHub did not answer. */
async function closeCheck(
  check: CheckState,
  verdict: PostState["finished"],
  { token, job, entry }: Closing,
): Promise<void> {
  const { owner, repo } = job;
  if (token === "" || owner === null || repo === null) return;
  const { console } = entry;
  const signal = AbortSignal.timeout(CHECK_MS);
  const client = await jobClient(token);
  const state = await stateOfOwnCheck(client, { ...check, owner, repo }, entry.pace, signal);
  if (state.kind === "completed") return;
  if (state.kind === "foreign") {
    console.error(`check run ${check.id} is not the one that the step opened (${state.differs} differ): left alone`);
    return;
  }
  if (state.kind === "unknown") {
    console.text(`⚠ the check run could not be looked at: ${describe(state.failure)}`);
    return;
  }
  const live = new LiveCheck(client, { owner, repo }, { id: check.id, url: null }, entry.pace);
  const result = await live.conclude(verdict ?? "cancelled", unwritten(verdict), [], signal);
  if (!result.concluded) console.text(`⚠ the check run could not be concluded: ${result.failure?.message ?? ""}`);
}
