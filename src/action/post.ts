/**
 * The post step, which runs whatever became of the step: after an interrupted run it runs the plan's cleanup stages,
 * and it ends a check run that was left open.
 */
import { readFileSync } from "node:fs";
import { cleanUp } from "../agent/agent.ts";
import { NoTemporaryFiles } from "../agent/directory.ts";
import { LiveCheck } from "../github/checks.ts";
import { readPlan } from "../plan/read.ts";
import { markdown } from "../report/escape.ts";
import { endText } from "../report/log.ts";
import type { AttemptReport } from "../run/types.ts";
import { githubClient } from "./client.ts";
import { Display } from "./display.ts";
import type { Entry } from "./entry.ts";
import { readInputs } from "./inputs.ts";
import { type Job, readJob } from "./job.ts";
import type { Left, RunState } from "./state.ts";

/** GitHub ends a cancelled job's post steps after 5 minutes. */
const CLEANUP_MS = 240_000;
const CHECK_MS = 20_000;

/** @returns the exit code: 1 when a cleanup stage failed */
export async function runPost(left: Left, entry: Entry): Promise<number> {
  const { run } = left;
  if (run === null) return 0;
  const job = readJob(entry.env, entry);
  const interrupted = left.finished === null;
  let failed: readonly string[] = [];
  if (interrupted && left.started) failed = await cleanUpIfPossible(run, job, entry);
  else if (interrupted)
    entry.console.text("the run was interrupted before anything had been started: nothing to clean up");
  if (left.check !== null && !left.concluded) await closeCheck(left.check, left.finished, job, entry);
  // Nobody answers there any more.
  if (left.beacon !== null) await closeCheck(left.beacon, left.finished ?? "failure", job, entry);
  return failed.length > 0 ? 1 : 0;
}

/** @returns what failed: cleanup stages, or the plan when none could be started */
async function cleanUpIfPossible(run: RunState, job: Job, entry: Entry): Promise<readonly string[]> {
  try {
    return await cleanUpAfter(run, job, entry);
  } catch (error) {
    if (!(error instanceof NoTemporaryFiles)) throw error;
    entry.console.error(`cleanup after the interruption: its stages were not run: ${error.message}`);
    return [run.planFile];
  }
}

/** @returns the cleanup stages that failed */
async function cleanUpAfter(run: RunState, job: Job, entry: Entry): Promise<readonly string[]> {
  const { console, files, env } = entry;
  const read = readInputs(env);
  const params = "inputs" in read ? read.inputs.params : {};
  const { plan } = readPlan(readFileSync(run.planCopy), run.planFile, { params });
  if (plan === null) {
    console.error("the plan that was running can no longer be read: its cleanup stages were not run");
    return [run.planFile];
  }
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const display = new Display(console, entry.pace.now);
  console.text("the run was interrupted: running its cleanup stages");
  const reports = await cleanUp(
    {
      plan,
      planFile: run.planFile,
      key: {
        repositoryId: job.repositoryId,
        runId: job.runId,
        attempt: job.attempt,
        group: job.id,
        plan: plan.name,
      },
      name: run.agent,
      role: null,
      index: "inputs" in read ? read.inputs.agentIndex : 0,
      address: null,
      workingDirectory: job.workspace,
      environment: env,
      ownSecrets: [],
      commandLine: entry.commandLine,
      log: (event) => display.show(event),
    },
    AbortSignal.any([stopping.signal, AbortSignal.timeout(CLEANUP_MS)]),
  );
  display.closeGroup();
  process.off("SIGINT", stop);
  process.off("SIGTERM", stop);
  const outcomes = reports.map((report) => {
    const name = plan.stages[report.stage]?.name ?? String(report.stage);
    return { name, how: endText(report.end), ok: wentWell(report) };
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

function wentWell({ end }: AttemptReport): boolean {
  return (
    end.kind === "no_command" ||
    (end.kind === "exited" && end.code === 0) ||
    (end.kind === "time_over" && end.limit === "duration")
  );
}

/** A check run must not stay in progress for ever because its process was killed or GitHub did not answer. */
async function closeCheck(
  check: NonNullable<Left["check"]>,
  verdict: Left["finished"],
  job: Job,
  entry: Entry,
): Promise<void> {
  const read = readInputs(entry.env);
  if (!("inputs" in read) || job.owner === null || job.repo === null) return;
  const client = await githubClient(read.inputs.githubToken);
  const live = new LiveCheck(client, { owner: job.owner, repo: job.repo }, check, entry.pace);
  const title = verdict === null ? "interrupted" : verdict;
  const summary = "The run ended before its result could be written here; the job summary has what is known.";
  const result = await live.conclude(
    verdict ?? "cancelled",
    { title, summary, text: null },
    [],
    AbortSignal.timeout(CHECK_MS),
  );
  if (!result.concluded) entry.console.text(`⚠ the check run could not be concluded: ${result.failure?.message ?? ""}`);
}
