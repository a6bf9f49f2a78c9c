import { describe, expect, it } from "vitest";
import { COMPLETIONS, type Completion } from "../../../src/plan/plan.ts";
import { judgeAttempt, judgeCount } from "../../../src/run/stage/completion.ts";
import type { AttemptEnd } from "../../../src/run/types.ts";
import { retrying } from "../builders.ts";

const stage = (completion: Completion) => ({
  completion,
  durationMs: 60_000,
  maxDurationMs: 30_000,
  timeoutMs: 90_000,
  retry: retrying({ attemptTimeoutMs: 45_000 }),
});

const ok = true;
const bad = false;

const COLUMNS: readonly Completion[] = [
  "duration",
  "tasks_done",
  "script_exit",
  "validation_passed",
  "duration_or_tasks",
];
/** Rows: ends; columns: completions in the order of `COLUMNS`. */
const TABLE: readonly (readonly [string, AttemptEnd, readonly boolean[]])[] = [
  ["no command", { kind: "no_command" }, [ok, ok, bad, ok, ok]],
  ["exit 0", { kind: "exited", code: 0 }, [ok, ok, ok, ok, ok]],
  ["exit 3", { kind: "exited", code: 3 }, [bad, bad, bad, bad, bad]],
  ["a signal", { kind: "signalled", signal: "SIGSEGV" }, [bad, bad, bad, bad, bad]],
  ["the duration over", { kind: "time_over", limit: "duration" }, [ok, bad, bad, bad, ok]],
  ["max_duration over", { kind: "time_over", limit: "max_duration" }, [bad, bad, bad, bad, ok]],
  ["an attempt's timeout over", { kind: "time_over", limit: "attempt_timeout" }, [bad, bad, bad, bad, bad]],
  ["the deadline over", { kind: "time_over", limit: "deadline" }, [bad, bad, bad, bad, bad]],
  ["the timeout over", { kind: "time_over", limit: "timeout" }, [bad, bad, bad, bad, bad]],
  ["stopped", { kind: "stopped", why: "the count is reached" }, [bad, bad, bad, bad, bad]],
  ["reset", { kind: "reset" }, [bad, bad, bad, bad, bad]],
  ["not started", { kind: "not_started", message: "ENOENT" }, [bad, bad, bad, bad, bad]],
  ["tasks that cannot be taken", { kind: "bad_tasks", message: "line 1" }, [bad, bad, bad, bad, bad]],
  ["checks that failed", { kind: "checks_failed", message: "1 of 1" }, [bad, bad, bad, bad, bad]],
  ["a threshold", { kind: "threshold", threshold: "max_errors", message: "9 errors" }, [bad, bad, bad, bad, bad]],
];

describe("an attempt's end", () => {
  const cases = TABLE.flatMap(([name, end, verdicts]) =>
    COMPLETIONS.map((completion) => ({
      name,
      end,
      completion,
      verdict: verdicts[COLUMNS.indexOf(completion)] ?? bad,
    })),
  );
  it.each(cases)("$name is success for $completion: $verdict", ({ end, completion, verdict }) => {
    expect(judgeAttempt(stage(completion), end, null).ok).toBe(verdict);
  });

  it("covers every kind of end and every completion", () => {
    expect(new Set(TABLE.map(([, { kind }]) => kind)).size).toBe(10);
    expect(TABLE.every(([, , verdicts]) => verdicts.length === COMPLETIONS.length)).toBe(true);
  });

  it("warns when a command ends by itself before its duration is over", () => {
    const { ok: verdict, warning } = judgeAttempt(stage("duration"), { kind: "exited", code: 0 }, null);
    expect(verdict).toBe(true);
    expect(warning).toBe("ended by itself before its duration (1m) was over");
    expect(judgeAttempt(stage("script_exit"), { kind: "exited", code: 0 }, null).warning).toBeUndefined();
  });

  it.each([
    [{ kind: "exited", code: 7 } as const, true],
    [{ kind: "signalled", signal: "SIGTERM" } as const, true],
    [{ kind: "exited", code: 0 } as const, true],
    [{ kind: "exited", code: 8 } as const, false],
    [{ kind: "signalled", signal: "SIGKILL" } as const, false],
    [{ kind: "time_over", limit: "timeout" } as const, false],
  ])("of an exit code in soft_fail is a success with a warning: %o", (end, isOk) => {
    const judged = judgeAttempt({ ...stage("script_exit"), softFail: [7, 143] }, end, null);
    expect(judged.ok).toBe(isOk);
    const warning = end.kind === "exited" && end.code === 7 ? 7 : end.kind === "signalled" && isOk ? 143 : null;
    expect(judged.warning).toBe(warning === null ? undefined : `exit code ${warning}, which is in soft_fail`);
  });

  it("warns when its command had to be killed after its duration, and says how long it was waited for", () => {
    const end = { kind: "time_over", limit: "duration", killed: true } as const;
    const judged = judgeAttempt({ ...stage("duration"), stopGraceMs: 60_000 }, end, null);
    expect(judged).toMatchObject({
      ok: true,
      warning: "had to be killed (1m) after its duration was over: it ignored TERM",
    });
    expect(judgeAttempt(stage("duration"), end, null).warning).toContain("had to be killed (5s)");
    expect(judgeAttempt(stage("duration"), { kind: "time_over", limit: "duration" }, null).warning).toBeUndefined();
    expect(judgeAttempt(stage("script_exit"), { ...end, limit: "timeout" }, null)).toMatchObject({ ok: false });
  });

  it.each([
    [{ kind: "exited", code: 3 } as const, "exit code 3 after 12 of 100"],
    [{ kind: "time_over", limit: "timeout" } as const, "timed out (1m30s) after 12 of 100"],
    [{ kind: "time_over", limit: "attempt_timeout" } as const, "its attempt timed out (45s) after 12 of 100"],
    [{ kind: "bad_tasks", message: "line 1 is not JSON" } as const, "line 1 is not JSON"],
    [{ kind: "not_started", message: "spawn x ENOENT" } as const, "could not be started: spawn x ENOENT"],
    [
      { kind: "threshold", threshold: "max_errors", message: "9 errors, at most 8 are allowed" } as const,
      "max_errors: 9 errors, at most 8 are allowed",
    ],
  ])("says why: %o", (end, reason) => {
    expect(judgeAttempt(stage("script_exit"), end, { done: 12, total: 100, errors: 0 }).reason).toBe(reason);
  });
});

describe("why an attempt's end is what it is", () => {
  const progress = { done: 12, total: null, errors: 0 };

  it.each<readonly [Completion, AttemptEnd, string]>([
    ["script_exit", { kind: "no_command" }, "there is no command to run"],
    ["tasks_done", { kind: "no_command" }, "there is nothing to run"],
    ["script_exit", { kind: "exited", code: 0 }, "exit code 0"],
    ["duration", { kind: "exited", code: 0 }, "exit code 0"],
    ["script_exit", { kind: "exited", code: 1 }, "exit code 1 after 12"],
    ["script_exit", { kind: "signalled", signal: "SIGSEGV" }, "ended by SIGSEGV after 12"],
    ["script_exit", { kind: "stopped", why: "SIGINT" }, "stopped: SIGINT"],
    ["script_exit", { kind: "reset" }, "dropped by its agent"],
    ["duration", { kind: "time_over", limit: "duration" }, "its duration (1m) is over"],
    ["duration_or_tasks", { kind: "time_over", limit: "max_duration" }, "its max_duration (30s) is over"],
    ["tasks_done", { kind: "time_over", limit: "duration" }, "not done when its duration (1m) was over after 12"],
    [
      "duration",
      { kind: "time_over", limit: "max_duration" },
      "not done when its max_duration (30s) was over after 12",
    ],
    ["script_exit", { kind: "time_over", limit: "deadline" }, "not done by the plan's deadline after 12"],
  ])("%s: %o", (completion, end, reason) => {
    expect(judgeAttempt(stage(completion), end, progress).reason).toBe(reason);
  });

  it("leaves out a length that is not there", () => {
    const without = { ...stage("duration"), durationMs: null, retry: retrying({ attemptTimeoutMs: null }) };
    expect(judgeAttempt(without, { kind: "exited", code: 0 }, null).warning).toBe(
      "ended by itself before its duration was over",
    );
    expect(judgeAttempt(without, { kind: "time_over", limit: "attempt_timeout" }, null).reason).toBe(
      "its attempt timed out",
    );
  });
});

describe("the group's count", () => {
  it("says what is too few", () => {
    const expected = { completion: "tasks_done", expectedObjects: 100, expectedTasks: 5 } as const;
    expect(judgeCount(expected, { objects: 99, tasks: 4 }).reason).toBe("too few: 99 of 100 objects, 4 of 5 tasks");
    expect(judgeCount(expected, { objects: 100, tasks: 5 }).reason).toBe("all that was expected is done");
  });

  it.each([
    { objects: 100, tasks: 0, expectedObjects: 100, expectedTasks: null, verdict: true },
    { objects: 101, tasks: 0, expectedObjects: 100, expectedTasks: null, verdict: true },
    { objects: 99, tasks: 0, expectedObjects: 100, expectedTasks: null, verdict: false },
    { objects: 0, tasks: 5, expectedObjects: null, expectedTasks: 5, verdict: true },
    { objects: 100, tasks: 4, expectedObjects: 100, expectedTasks: 5, verdict: false },
    { objects: 0, tasks: 0, expectedObjects: null, expectedTasks: null, verdict: true },
  ])("$objects objects of $expectedObjects and $tasks tasks of $expectedTasks: $verdict", (row) => {
    const { objects, tasks, verdict, ...expected } = row;
    expect(judgeCount({ completion: "tasks_done", ...expected }, { objects, tasks }).ok).toBe(verdict);
    // Where time is the other way to end well, too few is none.
    expect(judgeCount({ completion: "duration_or_tasks", ...expected }, { objects, tasks }).ok).toBe(true);
  });
});
