/** One line of a job's list of steps: whether it runs, for how long, and what its result counts for. */
import { expandText, holds, type Value } from "./expressions.ts";
import { type JobState, scopeOf } from "./job-state.ts";
import { createStepLog, type StepLog } from "./step-log.ts";
import type { JobObserver, JobRequest, Outcome, StepRecord } from "./types.ts";

/** One entry of the job's list of steps, with what runs it. */
export interface Entry {
  readonly name: string;
  readonly condition: Value;
  readonly env: Readonly<Record<string, Value>>;
  readonly id: string | null;
  readonly continueOnError: boolean | string;
  readonly timeoutMinutes: number | string | null;
  run(log: StepLog, number: number, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<EntryResult>;
}
export interface EntryResult {
  readonly succeeded: boolean;
  readonly outputs: ReadonlyMap<string, string>;
}

export interface EntryContext {
  readonly request: JobRequest;
  readonly state: JobState;
  readonly observer: JobObserver;
  readonly wish: AbortSignal;
  readonly force: AbortSignal;
  readonly put: (record: StepRecord) => void;
}

/** Runs one entry if its condition holds, and lets its result count. */
export async function runEntry(context: EntryContext, entry: Entry, number: number): Promise<void> {
  const { request, state, observer, wish, force, put } = context;
  const startedAt = Date.now();
  const log = createStepLog({ number, workspace: state.folders.workspace, masks: state.masks, observer });
  const base = { number, name: entry.name, startedAt };
  const finish = (outcome: Outcome, conclusion: Outcome, outputs: ReadonlyMap<string, string> = new Map()): void => {
    if (entry.id !== null) {
      state.steps.set(entry.id, { outputs: Object.fromEntries(outputs), outcome, conclusion });
    }
    if (conclusion === "failure" && state.status === "success") state.status = "failure";
    put({ ...base, status: "completed", outcome, conclusion, completedAt: Date.now() });
  };

  let env: Record<string, string> = {};
  const wanted = (): boolean => holds(entry.condition, scopeOf(request, state, env));
  try {
    if (force.aborted) return finish("cancelled", "cancelled");
    const scope = scopeOf(request, state);
    env = Object.fromEntries(Object.entries(entry.env).map(([name, value]) => [name, expandText(value, scope)]));
    if (!wanted()) return finish("skipped", "skipped");
    put({ ...base, status: "in_progress", outcome: null, conclusion: null, completedAt: null });
    const step = new AbortController();
    const minutes = entry.timeoutMinutes === null ? null : Number(expandText(entry.timeoutMinutes, scope));
    let timedOut = false;
    const timer =
      minutes !== null && minutes > 0
        ? setTimeout(() => {
            timedOut = true;
            step.abort();
          }, minutes * 60_000)
        : null;
    // A step whose condition still holds once the job is cancelled (always(), cancelled()) goes on.
    const onWish = (): void => {
      if (!wanted()) step.abort();
    };
    const onForce = (): void => step.abort();
    wish.addEventListener("abort", onWish, { once: true });
    force.addEventListener("abort", onForce, { once: true });
    const result = await entry.run(log, number, env, step.signal).finally(() => {
      if (timer !== null) clearTimeout(timer);
      wish.removeEventListener("abort", onWish);
      force.removeEventListener("abort", onForce);
    });
    if (timedOut) log.error(`The action '${entry.name}' has timed out after ${minutes} minutes.`);
    else if (step.signal.aborted) return finish("cancelled", "cancelled", result.outputs);
    const outcome = result.succeeded && !timedOut ? "success" : "failure";
    const forgiven =
      outcome === "failure" && expandText(entry.continueOnError, scopeOf(request, state, env)) === "true";
    return finish(outcome, forgiven ? "success" : outcome, result.outputs);
  } catch (error) {
    log.error(error instanceof Error ? error.message : String(error));
    return finish("failure", "failure");
  }
}
