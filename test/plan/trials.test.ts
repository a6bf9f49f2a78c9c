import { describe, expect, it } from "vitest";
import { formatProblem, readPlan } from "../../src/plan/read.ts";
import { plan } from "./builders.ts";

const said = (text: string) => readPlan(text, "p").problems.map(formatProblem);
const one = (stage: string) => `stages:\n  - ${stage}\n`;

describe("trials", () => {
  it("of a stage are stages of their own, with what runs between them, and expect nothing while they warm up", () => {
    const { stages } = plan(`
stages:
  - { name: epoch, runs_on: first, run: x, trials: { count: 3, discard: 1, between: ./drop.sh, max_spread: 5% }, expect: { rate: ">= 3" } }
  - { name: b, run: z, depends_on: [epoch] }
`);
    expect(stages.map(({ name }) => name)).toEqual([
      "epoch-trial-1",
      "epoch-between-2",
      "epoch-trial-2",
      "epoch-between-3",
      "epoch-trial-3",
      "b",
    ]);
    const rest = { of: "epoch", count: 3, discard: 1, maxSpread: 0.05 };
    expect(stages.map(({ trial }) => trial?.number ?? null)).toEqual([1, null, 2, null, 3, null]);
    expect(stages[4]?.trial).toEqual({ ...rest, number: 3 });
    expect(stages.map(({ expect: { length } }) => length)).toEqual([0, 0, 1, 0, 1, 0]);
    expect(stages[1]).toMatchObject({ command: { kind: "script", script: "./drop.sh" }, runsOn: { kind: "first" } });
    // The last one says whether all of them held together.
    expect(stages[5]?.dependsOn).toEqual([{ stage: "epoch-trial-3", evenIf: [] }]);
  });

  it("run between them what stands beside, by the same agents, at its own place", () => {
    const { stages } = plan(`roles: { r: 1 }
stages:
  - name: a
    run: x
    role: r
    when: always
    trials: { count: 2, between: ./drop.sh }
  - repeat: 2
    trials: { between: ./drop.sh }
    stages: [{ name: b, run: y }]
`);
    expect(stages.map(({ name, line, column, role, when }) => [name, line, column, role, when])).toEqual([
      ["a-trial-1", 3, 5, "r", "always"],
      ["a-between-2", 7, 34, "r", "always"],
      ["a-trial-2", 3, 5, "r", "always"],
      ["b-1", 10, 14, null, "on_success"],
      ["b-between-2", 9, 24, null, "on_success"],
      ["b-2", 10, 14, null, "on_success"],
    ]);
    expect(stages[0]?.trial).toEqual({ of: "a", number: 1, count: 2, discard: 0, maxSpread: null });
  });

  it("of a repetition compare its stages, each with itself", () => {
    const { stages } = plan(`
stages:
  - repeat: 2
    trials: { max_spread: 0.1, between: ./drop.sh }
    stages: [{ name: a, run: y }, { name: b, run: z, depends_on: [a] }]
`);
    expect(stages.map(({ name, trial }) => [name, trial?.of ?? null, trial?.number ?? null])).toEqual([
      ["a-1", "a", 1],
      ["b-1", "b", 1],
      ["a-between-2", null, null],
      ["a-2", "a", 2],
      ["b-2", "b", 2],
    ]);
    expect(stages[4]?.dependsOn).toEqual([{ stage: "a-2", evenIf: [] }]);
  });

  it("inside a repetition are compared within each", () => {
    const { stages } = plan(
      one("{ repeat: 2, stages: [{ name: a, run: y, trials: { count: 2 } }, { name: b, run: z, depends_on: [a] }] }"),
    );
    expect(stages.map(({ name, trial }) => `${name} ${trial?.of}`)).toEqual([
      "a-1-trial-1 a-1",
      "a-1-trial-2 a-1",
      "b-1 undefined",
      "a-2-trial-1 a-2",
      "a-2-trial-2 a-2",
      "b-2 undefined",
    ]);
    expect(stages[5]?.dependsOn).toEqual([{ stage: "a-2-trial-2", evenIf: [] }]);
  });

  it("count towards the most that a plan may have", () => {
    expect(said(one("{ name: a, run: x, trials: { count: 501, between: y } }"))[0]).toContain("would have 1001 stages");
  });

  it.each([
    ["{ name: a, run: x, trials: {} }", '2:24: error: trials: expected "count"'],
    [
      "{ name: a, run: x, trials: { count: 3, discard: 2 } }",
      "2:24: error: trials: 1 of 3 are left to be compared, expected at least 2",
    ],
    [
      "{ name: a, run: x, trials: { count: 2 }, checkpoint: true }",
      '2:46: error: checkpoint: a stage with "trials" cannot have it',
    ],
    [
      "{ name: a, run: x, trials: { count: 2, discard: 3 } }",
      "2:24: error: trials: 0 of 2 are left to be compared, expected at least 2",
    ],
    [
      "{ name: a, run: x, trials: { count: 2 }, background: true }",
      '2:46: error: background: a stage with "trials" cannot have it',
    ],
    [
      "{ name: a, run: x, trials: { count: 2 }, order: 1 }",
      "2:46: error: order: a repeated stage cannot have one, expected the file's order",
    ],
    [
      "{ name: a, type: quorum, max_retries: 0, trials: { count: 2 }, validators: [{ name: v, run: x }] }",
      '2:68: error: validators: a stage with "trials" cannot have it',
    ],
    ["{ run: x, trials: { count: 2 } }", '2:5: error: a stage has no name, expected "name"'],
    [
      "{ name: a, duration: 3s, measure: { warmup: 3s } }",
      "2:30: error: measure: warmup and cooldown leave nothing of the duration (3s)",
    ],
    [
      "{ name: a, run: x, trials: { count: 2, max_spread: wide } }",
      '2:56: error: trials.max_spread: expected a share such as "5%" or 0.05, got "wide"',
    ],
    [
      "{ repeat: 1, trials: {}, stages: [{ name: a, run: x }] }",
      "2:18: error: trials: 1 of 1 are left to be compared, expected at least 2",
    ],
    [
      "{ repeat: 2, trials: {}, stages: [{ name: a, run: x, trials: { count: 2 } }] }",
      "2:18: error: trials: they cannot stand inside one another, nor around a repetition",
    ],
    [
      "{ name: a, run: x, measure: { cooldown: 1s } }",
      "2:24: error: measure: cooldown is counted from the end of a duration, which the stage does not have",
    ],
    [
      "{ name: a, duration: 3s, measure: { warmup: 1s, cooldown: 2s } }",
      "2:30: error: measure: warmup and cooldown leave nothing of the duration (3s)",
    ],
  ])("that cannot be: %s", (stage, problem) => {
    expect(said(one(stage))).toEqual([`p:${problem}`]);
  });

  it.each([
    ["{ name: a, run: x, measure: { warmup: 1s } }", { warmupMs: 1_000, cooldownMs: 0 }],
    ["{ name: a, run: x, measure: { cooldown: 0 } }", { warmupMs: 0, cooldownMs: 0 }],
    ["{ name: a, duration: 3s, measure: { warmup: 1s, cooldown: 1999ms } }", { warmupMs: 1_000, cooldownMs: 1_999 }],
  ])("measurements count when a little is left, or the end is not known: %s", (stage, measure) => {
    expect(plan(one(stage)).stages[0]?.measure).toEqual(measure);
  });

  it.each([
    ['"5%"', 0.05],
    ["0.05", 0.05],
    ["100", 100],
    ['"12.5%"', 0.125],
  ])("may spread by %s", (written, share) => {
    const [stage] = plan(one(`{ name: a, run: x, trials: { count: 2, max_spread: ${written} } }`)).stages;
    expect(stage?.trial?.maxSpread).toBe(share);
  });

  it("tell when measurements count", () => {
    expect(plan(one("{ name: a, duration: 10s, measure: { warmup: 2s, cooldown: 1s } }")).stages[0]?.measure).toEqual({
      warmupMs: 2_000,
      cooldownMs: 1_000,
    });
  });
});
