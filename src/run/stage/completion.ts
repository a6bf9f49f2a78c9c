/** Whether an attempt's end is success, for one agent and for the group: what the table of completions says of each end. */
import { formatDuration } from "../../plan/parsing/duration.ts";
import type { PlanStage } from "../../plan/plan.ts";
import { completionRules } from "../../plan/stages/completion-rules.ts";
import { stopGraceOf } from "../../plan/stop-grace.ts";
import type { AttemptEnd, Progress, TimeLimit } from "../types.ts";
import { exitCodeOf } from "./exit-code.ts";

export interface Judgement {
  readonly ok: boolean;
  /** Said in the result although it succeeded. */
  readonly warning?: string;
  /** Why it is so, in words that stand after "agent-1: ". */
  readonly reason: string;
}

/** What of a stage decides about an end. */
export type Judged = Pick<
  PlanStage,
  "completion" | "durationMs" | "maxDurationMs" | "timeoutMs" | "retry" | "softFail" | "stopGraceMs"
>;

/**
 * Judges how one attempt ended by itself. `stopped` and `reset` were not its own doing: they are no success here, and
 * the machine, which knows why it stopped somebody, asks only about the others.
 */
export function judgeAttempt(stage: Judged, end: AttemptEnd, progress: Progress | null): Judgement {
  const code = exitCodeOf(end);
  if (code !== null && stage.softFail?.includes(code) === true) {
    return { ok: true, warning: `exit code ${code}, which is in soft_fail`, reason: `exit code ${code} (soft_fail)` };
  }
  switch (end.kind) {
    case "no_command":
      return completionRules(stage.completion).withoutCommand === "failed"
        ? { ok: false, reason: "there is no command to run" }
        : { ok: true, reason: "there is nothing to run" };
    case "exited":
      if (end.code !== 0) return { ok: false, reason: `exit code ${end.code}${after(progress)}` };
      return completionRules(stage.completion).warnsWhenEarly
        ? {
            ok: true,
            warning: `ended by itself before its duration${lengthOf(stage.durationMs)} was over`,
            reason: "exit code 0",
          }
        : { ok: true, reason: "exit code 0" };
    case "signalled":
      return { ok: false, reason: `ended by ${end.signal}${after(progress)}` };
    case "time_over":
      return timeOver(stage, end, progress);
    case "stopped":
      return { ok: false, reason: `stopped: ${end.why}` };
    case "reset":
      return { ok: false, reason: "dropped by its agent" };
    case "not_started":
      return { ok: false, reason: `could not be started: ${end.message}` };
    case "bad_tasks":
    case "checks_failed":
      return { ok: false, reason: end.message };
    case "threshold":
      return { ok: false, reason: `${end.threshold}: ${end.message}` };
    default:
      return end satisfies never;
  }
}

/** What it means that a time is over. A timeout or the deadline is never success. */
function timeOver(
  stage: Judged,
  { limit, killed }: { readonly limit: TimeLimit; readonly killed?: true | undefined },
  progress: Progress | null,
): Judgement {
  if (limit === "timeout") return { ok: false, reason: `timed out${lengthOf(stage.timeoutMs)}${after(progress)}` };
  if (limit === "attempt_timeout") {
    const length = lengthOf(stage.retry.attemptTimeoutMs);
    return { ok: false, reason: `its attempt timed out${length}${after(progress)}` };
  }
  if (limit === "deadline") return { ok: false, reason: `not done by the plan's deadline${after(progress)}` };
  const length = lengthOf(limit === "duration" ? stage.durationMs : stage.maxDurationMs);
  return completionRules(stage.completion).succeedsAfter.includes(limit)
    ? {
        ok: true,
        reason: `its ${limit}${length} is over`,
        ...(killed === true
          ? { warning: `had to be killed${lengthOf(stopGraceOf(stage))} after its ${limit} was over: it ignored TERM` }
          : {}),
      }
    : { ok: false, reason: `not done when its ${limit}${length} was over${after(progress)}` };
}

/** What the group did of what was expected. `done` is the sum over its agents. */
export function judgeCount(
  stage: Pick<PlanStage, "completion" | "expectedObjects" | "expectedTasks">,
  done: { readonly objects: number; readonly tasks: number },
): Judgement {
  if (!completionRules(stage.completion).failsByCount) return { ok: true, reason: "its time or its tasks are over" };
  const short = [
    shortOf(done.objects, stage.expectedObjects, "objects"),
    shortOf(done.tasks, stage.expectedTasks, "tasks"),
  ].filter((text) => text !== null);
  return short.length === 0
    ? { ok: true, reason: "all that was expected is done" }
    : { ok: false, reason: `too few: ${short.join(", ")}` };
}

function shortOf(done: number, expected: number | null, what: string): string | null {
  return expected === null || done >= expected ? null : `${done} of ${expected} ${what}`;
}

function lengthOf(ms: number | null): string {
  return ms === null ? "" : ` (${formatDuration(ms)})`;
}

function after(progress: Progress | null): string {
  if (progress === null) return "";
  return progress.total === null ? ` after ${progress.done}` : ` after ${progress.done} of ${progress.total}`;
}
