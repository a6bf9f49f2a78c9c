/**
 * One job on one runner: its steps in order, then the `post` scripts of its actions in reverse, as GitHub's runner
 * goes through them; cancellation, timeouts and `continue-on-error` included.
 */
import { rm } from "node:fs/promises";
import { type Entry, runEntry } from "./entry.ts";
import { ExpressionProblem, expandText } from "./expressions.ts";
import { createJobState, type JobState, scopeOf } from "./job-state.ts";
import { findOrphans } from "./process.ts";
import { runAction } from "./step.ts";
import { stepName, workOf } from "./step-work.ts";
import type {
  JobObserver,
  JobRequest,
  JobResult,
  Outcome,
  PostStep,
  RunnerServices,
  StepDefinition,
  StepRecord,
} from "./types.ts";

/** GitHub's own first and last steps, which people see in every job. */
const SET_UP = "Set up job";
const COMPLETE = "Complete job";
/** The longest that a timer can wait: about 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs a job to its end. Never rejects for what the job does; what the runner itself cannot do fails the job with
 * the reason in its log. `cancel`: somebody wants the job ended.
 */
export async function runJob(
  request: JobRequest,
  services: RunnerServices,
  observer: JobObserver,
  cancel: AbortSignal,
): Promise<JobResult> {
  const records: StepRecord[] = [];
  const put = (record: StepRecord): void => {
    records[record.number - 1] = record;
    observer.steps(records.filter((one) => one !== undefined));
  };
  const plain = (name: string, outcome: Outcome): void => {
    const now = Date.now();
    const number = records.length + 1;
    put({ number, name, status: "completed", outcome, conclusion: outcome, startedAt: now, completedAt: now });
  };

  let state: JobState;
  try {
    state = await createJobState(request);
  } catch (error) {
    observer.line(`##[error]${error instanceof Error ? error.message : String(error)}`, 1);
    plain(SET_UP, "failure");
    return { conclusion: "failure", outputs: {}, steps: records, orphans: [] };
  }

  // Two ends: the wish (conditions decide who still runs), and the moment after which nothing does.
  const wish = new AbortController();
  const force = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const onCancel = (why: string): void => {
    if (wish.signal.aborted) return;
    state.status = "cancelled";
    timers.push(setTimeout(() => force.abort(), request.cancelTimeoutMs));
    observer.line(`##[error]${why}`, records.length);
    wish.abort();
  };
  const onAbort = (): void => onCancel("The run was canceled.");
  cancel.addEventListener("abort", onAbort, { once: true });
  const onTimeout = (): void => {
    const why = `The job has exceeded the maximum execution time of ${request.timeoutMinutes}m0s`;
    observer.annotation({ ...JOB_LEVEL, level: "failure", title: null, message: why }, 1);
    onCancel(why);
  };
  timers.push(setTimeout(onTimeout, Math.min(request.timeoutMinutes * 60_000, LONGEST_TIMER_MS)));

  const forced = request.force === null ? force.signal : AbortSignal.any([force.signal, request.force]);
  const context = { request, state, observer, wish: wish.signal, force: forced, put };
  try {
    observer.line(`Runner name: '${request.runner.name}', labels: ${request.runner.labels.join(", ")}`, 1);
    plain(SET_UP, "success");
    if (cancel.aborted) onAbort();
    const posts: PostStep[] = [];
    const firstNumber = records.length + 1;
    const parts = { request, services, state, observer, onPost: (post: PostStep) => posts.push(post) };
    const entries = request.steps.map((step, at) => mainEntry(parts, step, request.steps.slice(0, at)));
    for (const [at, entry] of entries.entries()) put(queued(firstNumber + at, entry.name));
    for (const [at, entry] of entries.entries()) await runEntry(context, entry, firstNumber + at);
    for (const post of posts.reverse()) {
      await runEntry(context, postEntry(parts, post), records.length + 1);
    }
    const orphans = await endOrphans(state.trackingId, (line) => observer.line(line, records.length));
    const outputs = jobOutputs(request, state, (line) => observer.line(line, records.length));
    plain(COMPLETE, "success");
    return { conclusion: state.status, outputs, steps: records, orphans };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    cancel.removeEventListener("abort", onAbort);
    await rm(request.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Where GitHub puts what concerns the job and no file. */
const JOB_LEVEL = { path: ".github", startLine: 1, endLine: 1, startColumn: null, endColumn: null };

const queued = (number: number, name: string): StepRecord => ({
  number,
  name,
  status: "queued",
  outcome: null,
  conclusion: null,
  startedAt: null,
  completedAt: null,
});

interface Parts {
  readonly request: JobRequest;
  readonly services: RunnerServices;
  readonly state: JobState;
  readonly observer: JobObserver;
  readonly onPost: (post: PostStep) => void;
}

function mainEntry(parts: Parts, step: StepDefinition, earlier: readonly StepDefinition[]): Entry {
  const { request, state, observer } = parts;
  return {
    name: stepName(step, scopeOf(request, state)),
    condition: step.if,
    env: step.env,
    id: step.id,
    continueOnError: step.continueOnError,
    timeoutMinutes: step.timeoutMinutes,
    run: (log, number, env, signal) =>
      workOf({ ...parts, step, earlier, log, env, signal, onSummary: (text) => observer.summary(text, number) }),
  };
}

function postEntry(parts: Parts, post: PostStep): Entry {
  const { request, state, observer } = parts;
  return {
    name: `Post ${post.name}`,
    condition: post.action.postIf,
    env: {},
    id: null,
    continueOnError: false,
    timeoutMinutes: null,
    run: (log, number, _env, signal) => {
      const onSummary = (text: string): void => observer.summary(text, number);
      return runAction({ request, state, log, actionName: post.actionName, env: post.env, signal, onSummary }, post);
    },
  };
}

/** What the job left running is told, ended (SIGKILL, as the runner does), and named in the result. */
async function endOrphans(trackingId: string, note: (line: string) => void): Promise<readonly string[]> {
  const orphans = await findOrphans(trackingId);
  if (orphans.length > 0) note("Cleaning up orphan processes");
  for (const { pid, command } of orphans) {
    note(`Terminate orphan process: pid (${pid}) (${command})`);
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It ended meanwhile: what was wanted.
      note(`It was gone already: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return orphans.map((orphan) => orphan.command);
}

function jobOutputs(
  request: JobRequest,
  state: JobState,
  note: (line: string) => void,
): Readonly<Record<string, string>> {
  const outputs: Record<string, string> = {};
  for (const [name, template] of Object.entries(request.outputs)) {
    try {
      const value = expandText(template, scopeOf(request, state));
      if (state.masks.hide(value) === value) outputs[name] = value;
      else note(`##[warning]Skip output '${name}' since it may contain secret.`);
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error;
      state.status = state.status === "success" ? "failure" : state.status;
      note(`##[error]The output '${name}' cannot be evaluated: ${error.message}`);
    }
  }
  return outputs;
}
