import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Interruption } from "../../src/action/signals.ts";

/** What the runner leaves to a process. Milliseconds. */
const UNTIL_TERM = 7_500;
const UNTIL_KILL = 2_500;

let acts: string[];
let interruption: Interruption;

beforeEach(() => {
  vi.useFakeTimers();
  acts = [];
  const step = {
    tellKnown: (why: string) => void acts.push(`tell ${why}`),
    cancel: async () => void acts.push("cancel"),
    leave: (_why: string, graceMs: number) => void acts.push(`leave in ${graceMs}`),
    reset: () => void acts.push("reset"),
    kill: () => void acts.push("kill"),
  };
  const exit = (code: number): never => {
    acts.push(`exit ${code}`);
    return undefined as never;
  };
  interruption = new Interruption(step, (text) => acts.push(text), exit);
});

afterEach(() => {
  interruption.stopListening();
  vi.useRealTimers();
});

describe("a signal of the runner", () => {
  it.each([
    ["SIGINT", UNTIL_TERM, 130],
    ["SIGTERM", UNTIL_KILL, 143],
  ] as const)("%s: what is known is told first, and all is over before the runner's time is", (signal, ms, code) => {
    process.emit(signal);
    expect(acts).toEqual([`tell cancelled (${signal})`, "cancel", expect.stringMatching(/^leave in \d+$/u)]);
    expect(interruption.exitCode).toBe(code);
    // Nothing ends by itself here: commands ignore TERM, GitHub does not answer.
    vi.advanceTimersByTime(ms - 100);
    expect(acts.slice(3)).toEqual(["kill", `exit ${code}`]);
    expect(interruption.deadline.aborted).toBe(true);
  });

  it("leaves time for reports after the commands have been killed", () => {
    process.emit("SIGTERM");
    const graceMs = Number(acts[2]?.replace("leave in ", ""));
    vi.advanceTimersByTime(graceMs + 500);
    expect(interruption.deadline.aborted).toBe(false);
  });

  it("SIGTERM behind a SIGINT ends it within the shorter time, with the first one's code", () => {
    process.emit("SIGINT");
    vi.advanceTimersByTime(1_000);
    process.emit("SIGTERM");
    expect(acts.filter((act) => act.startsWith("tell"))).toHaveLength(1);
    expect(acts.at(-1)).toBe("kill");
    vi.advanceTimersByTime(UNTIL_KILL - 100);
    expect(acts.at(-1)).toBe("exit 130");
  });
});

it("ends the commands though what is known cannot be written", () => {
  interruption.stopListening();
  const step = {
    tellKnown: () => {
      throw new Error("no space left on device");
    },
    cancel: async () => undefined,
    leave: () => void acts.push("leave"),
    reset: () => undefined,
    kill: () => undefined,
  };
  interruption = new Interruption(
    step,
    (text) => acts.push(text),
    () => undefined as never,
  );
  process.emit("SIGINT");
  expect(acts).toEqual([expect.stringContaining("no space left on device"), "leave"]);
});
