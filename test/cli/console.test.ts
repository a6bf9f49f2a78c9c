import { describe, expect, it } from "vitest";
import { ConsoleLog, type Screen, screenOf } from "../../src/cli/run/console.ts";
import { readPlan } from "../../src/plan/read.ts";
import { NO_COLOURS } from "../../src/report/log.ts";

const { plan } = readPlan(
  "stages: [{ name: a, run: x }, { name: b, duration: 5m, optional: true, run: x }]",
  "plan.yml",
);
if (plan === null) throw new Error("the plan is wrong");
const [, stage] = plan.stages;
if (stage === undefined) throw new Error("no stage");

function logOn(overrides: Partial<Screen>): { log: ConsoleLog; text: () => string } {
  let text = "";
  const write = (more: string): void => {
    text += more;
  };
  const screen = { write, colours: NO_COLOURS, live: false, columns: () => 40, ...overrides };
  return { log: new ConsoleLog(screen, plan as NonNullable<typeof plan>, plan?.stages ?? []), text: () => text };
}

const started = { kind: "started", stage, task: null, attempt: "1", attemptNumber: 1 } as const;
const progress = (done: number) =>
  ({ kind: "progress", stage, task: null, progress: { done, total: 10, errors: 0 } }) as const;
const output = (line: string) => ({ kind: "output", stage, task: null, stream: "stdout", line }) as const;

describe("the log", () => {
  it("begins a stage once with what is known of it, and counts attempts", () => {
    const { log, text } = logOn({});
    log.event(started);
    log.event({ ...started, attemptNumber: 2 });
    expect(text()).toBe("── b (2 of 2) · execute, for 5m, optional\n  attempt 2\n");
  });

  it("updates progress in place in a terminal, cut to its width, and clears it for the next line", () => {
    const { log, text } = logOn({ live: true, columns: () => 12 });
    log.event(progress(1));
    log.event(progress(2));
    log.event(output("done"));
    expect(text()).toBe("  b: 1 of 1\r\u001b[Kdone\n");
  });

  it("tells progress in plain lines elsewhere, not every one", () => {
    const { log, text } = logOn({});
    for (let done = 1; done <= 10; done += 1) log.event(progress(done));
    expect(text()).toBe("  b: 1 of 10 (10 %)\n");
  });
});

describe("a screen", () => {
  const terminal = { isTTY: true, columns: 100 } as NodeJS.WriteStream;
  it.each([
    ["a terminal", terminal, {}, true, true],
    ["a terminal with NO_COLOR", terminal, { NO_COLOR: "1" }, true, false],
    ["a dumb terminal", terminal, { TERM: "dumb" }, false, false],
    ["a terminal in CI", terminal, { CI: "true" }, false, false],
    ["a pipe", {} as NodeJS.WriteStream, {}, false, false],
  ] as const)("%s", (_, stream, env, live, coloured) => {
    const screen = screenOf(stream, env);
    expect({ live: screen.live, coloured: screen.colours.red("x") !== "x" }).toEqual({ live, coloured });
  });

  it("has a width though the terminal does not say", () => {
    expect(screenOf({ isTTY: true, columns: 0 } as NodeJS.WriteStream, {}).columns()).toBe(80);
  });
});
