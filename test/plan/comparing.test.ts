import { describe, expect, it } from "vitest";
import {
  canonicalJson,
  canonicalPlan,
  planDifference,
  planDigest,
  planPrint,
  printDifference,
} from "../../src/plan/canonical.ts";
import type { Json, Plan } from "../../src/plan/plan.ts";
import { readPlan } from "../../src/plan/read.ts";
import { isSelected, select, stageNamed } from "../../src/plan/select.ts";
import { pauseAfter, pausesOf } from "../../src/plan/stages/retry.ts";
import { checkedTasks, findCycle, taskKey } from "../../src/plan/stages/tasks.ts";

function plan(text: string): Plan {
  const { plan: read } = readPlan(text, "p.yml");
  if (read === null) throw new Error("This is no plan.");
  return read;
}

describe("canonical JSON", () => {
  it.each<[unknown, string]>([
    [{ b: 1, a: [undefined, null, "x"], c: undefined }, '{"a":[null,null,"x"],"b":1}'],
    [[], "[]"],
    [{}, "{}"],
    [undefined, "null"],
    [null, "null"],
    [{ Z: 1, a: { y: 2, x: 1 } }, '{"Z":1,"a":{"x":1,"y":2}}'],
  ])("%o", (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("of a plan is its digest's text, in hex", () => {
    const one = plan("stages: [{ name: a, run: x }]\n");
    expect(JSON.parse(canonicalPlan(one)).stages).toHaveLength(1);
    expect(canonicalPlan(one)).not.toMatch(/"(?:line|column)":/);
    expect(planDigest(one)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("how two plans differ", () => {
  const base = "agents: 2\nstages:\n- { name: a, run: x }\n- { name: b, run: y }\n";

  it("a stage more is one difference, beside the order", () => {
    expect(planDifference(plan(base), plan(`${base}- { name: c, run: z }\n`))).toMatch(
      /^order of stages: "a, b" here, "a, b, c" there; stages\.c: nothing here, \{.{56}… there$/,
    );
  });

  it("long values are cut, short ones are not", () => {
    const written = (length: number) => plan(base.replace("run: x", `run: ${"x".repeat(length)}`));
    expect(planDifference(written(58), plan(base))).toBe(
      `stages.a.command.script: "${"x".repeat(58)}" here, "x" there`,
    );
    expect(planDifference(written(59), plan(base))).toBe(
      `stages.a.command.script: "${"x".repeat(56)}… here, "x" there`,
    );
  });

  it("no more than the first few, the rest counted", () => {
    const other = plan(
      "agents: 3\nenv: { A: 1 }\ndeadline: 1h\nstages:\n- { name: a, run: y, optional: true }\n- { name: b, run: x, optional: true }\n",
    );
    const all = planDifference(plan(base), other, 100).split("; ");
    expect(all).toHaveLength(7);
    expect(all[0]).toBe("agentCount: 2 here, 3 there");
    expect(planDifference(plan(base), other).split("; ")).toEqual([...all.slice(0, 5), "and 2 more"]);
    expect(planDifference(plan(base), other, 7).split("; ")).toEqual(all);
  });
});

describe("how the prints of two plans differ", () => {
  const base = "params: { n: { default: x } }\nstages:\n- { name: a.b, run: x }\n- { name: b, run: y }\n";
  const { parts } = planPrint(plan(base));

  it.each<[string, string]>([
    [base, ""],
    [base.replace("default: x", "default: y"), "params.n differs"],
    [`deadline: 1h\n${base}`, "deadlineMs differs"],
    [base.replace("run: y", "run: z"), "stages.b.command differs"],
    [base.replace("run: y", "run: y, optional: true"), "stages.b.optional differs"],
    [base.replace("name: b,", "name: c,"), "order of stages differs; stages.b is only here; stages.c is only there"],
    [base.replace("name: a.b", "name: a"), "order of stages differs; stages.a.b is only here; stages.a is only there"],
    [base.replace("run: x }", "run: x, description: d }"), "stages.a.b.description differs"],
  ])("%j", (text, difference) => {
    expect(printDifference(parts, planPrint(plan(text)).parts)).toBe(difference);
  });

  it("have a part for each that says something, in few letters", () => {
    const [[name, print] = ["", ""]] = Object.entries(parts).filter(([path]) => path.endsWith("b.command"));
    expect([name, print]).toEqual(["stages.a.b.command", expect.stringMatching(/^[0-9a-f]{12}$/)]);
    const paths = Object.keys(parts);
    expect(paths.filter((path) => /^params|[.](?:name|index|order)$|optional|deadline|env/.test(path))).toEqual([
      "params.n",
    ]);
    expect(planPrint(plan(base)).digest).toBe(planDigest(plan(base)));
  });

  it("no more than the first few, the rest counted, each cut where it is long", () => {
    const many = Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((key) => [key, "1"]));
    expect(printDifference(many, {})).toBe("a differs; b differs; c differs; d differs; e differs; and 2 more");
    expect(printDifference({}, many, 7)).not.toContain("more");
    expect(printDifference({}, many, 6)).toMatch(/; and 1 more$/);
    expect(printDifference({ ["x".repeat(401)]: "1" }, {})).toBe("x".repeat(400));
  });
});

describe("stages by name or number", () => {
  const read = plan("stages:\n- { name: a, run: x }\n- { name: b, run: x }\n- { name: c, run: x }\n");

  it.each([
    ["b", 1],
    [" b ", 1],
    ["0", 0],
    ["2", 2],
    ["002", 2],
    ["3", undefined],
    ["-1", undefined],
    ["1.0", undefined],
    ["B", undefined],
    ["", undefined],
    ["0000000", undefined],
  ])("%o", (wanted, index) => {
    expect(stageNamed(read, wanted)?.index).toBe(index);
  });

  it.each<[Parameters<typeof select>[1], readonly number[]]>([
    [{}, [0, 1, 2]],
    [{ only: [] }, [0, 1, 2]],
    [{ only: ["c", "a", "0"] }, [0, 2]],
    [{ skip: ["b"] }, [0, 2]],
    [{ stopAfter: "b" }, [0, 1]],
    [{ stopAfter: "2", skip: ["0"] }, [1, 2]],
  ])("%o are those that run", (options, indexes) => {
    const selected = select(read, options);
    expect("selection" in selected && [0, 1, 2].filter((index) => isSelected(selected.selection, index))).toEqual(
      indexes,
    );
  });

  it("all that is wrong is told at once", () => {
    const selected = select(read, { only: ["x", "a"], skip: ["y", "a"], stopAfter: "z" });
    expect("problems" in selected && selected.problems.map((each) => each.split(/[ :,]/)[0])).toEqual([
      "only-stage",
      "skip-stages",
      "stop-after-stage",
      "only-stage",
      "only-stage",
    ]);
    const empty = select(read, { only: [], stopAfter: "b" });
    expect(empty).toEqual({ selection: { only: null, skip: [], stopAfter: 1 } });
  });

  it("what a stage needs has to run, be loaded, or be accepted as left out", () => {
    const needing = plan(
      "stages:\n- { name: a, run: x }\n- { name: b, run: x }\n- { name: c, run: x, depends_on: [a, { stage: b, even_if: [failed] }] }\n",
    );
    expect(select(needing, { only: ["c"] })).toEqual({
      problems: [expect.stringContaining('"a" (number 0)'), expect.stringContaining('"b" (number 1)')],
    });
    expect(select(needing, { only: ["c"] }, ["a", "b"])).toHaveProperty("selection");
    expect(select(needing, { skip: ["b"] }, ["b"])).toHaveProperty("selection");
  });
});

describe("pauses between attempts", () => {
  it("double up to the longest", () => {
    expect([1, 2, 3, 4].map((failures) => pauseAfter(failures, 100, 350))).toEqual([100, 200, 350, 350]);
    expect(pauseAfter(5_000, 0.001, 1e300)).toBe(0.001 * 2 ** 40);
    expect(pauseAfter(5_000, 0, 1_000)).toBe(0);
  });

  it("are one fewer than the attempts", () => {
    const [stage] = plan(
      "stages: [{ name: a, run: x, retry: { max_attempts: 4, backoff: 1s, max_backoff: 3s } }]\n",
    ).stages;
    expect(stage && pausesOf(stage.retry)).toBe(6_000);
    expect(stage && pausesOf({ ...stage.retry, maxAttempts: 1 })).toBe(0);
  });
});

describe("tasks", () => {
  it.each<[Parameters<typeof taskKey>[0], string]>([
    ["a", "a"],
    ["", ""],
    [7, "7"],
    [true, "true"],
    [{ id: "a" }, "a"],
    [{ id: 3 }, "3"],
    [{ id: true }, "5"],
    [{ id: null }, "5"],
    [{}, "5"],
    [["a"], "5"],
    [null, "5"],
  ])("the key of %o", (value, key) => {
    expect(taskKey(value, 5)).toBe(key);
  });

  it.each<[readonly Json[], Record<string, string[]>, ReturnType<typeof checkedTasks>]>([
    [[], {}, { needs: {} }],
    [["a", 2], {}, { needs: {} }],
    [["a", { id: "b", needs: ["a", "a"] }], { b: ["c"], c: ["a"] }, { problem: 'needs: there is no task "c"' }],
    [["a", { id: "b", needs: ["a", "a"] }, "c"], { b: ["c"] }, { needs: { b: ["c", "a"] } }],
    [["a", "a"], {}, { problem: 'two tasks have the key "a", expected distinct values or ids' }],
    [["a"], { a: ["b"] }, { problem: 'needs: there is no task "b"' }],
    [["a"], { b: ["a"] }, { problem: 'needs: there is no task "b"' }],
    [["a", "b"], { a: ["b"], b: ["a"] }, { problem: 'tasks need each other in a circle: "a" → "b" → "a"' }],
    [[{ id: 1, needs: [true] }, "true"], {}, { needs: { 1: ["true"] } }],
  ])("%j with needs %j are complete, or not", (values, needs, checked) => {
    expect(checkedTasks(values, needs)).toEqual(checked);
  });

  it.each([["x"], [[null]], [[["a"]]], [null]])("a task cannot need %j", (needs) => {
    expect(checkedTasks([{ id: 1, needs }], {})).toEqual({ problem: expect.stringMatching(/^needs of "1": expected/) });
  });

  it("are no more than a plan may have, and a long circle is told in part", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => index);
    expect(checkedTasks(many(100_000), {})).toEqual({ needs: {} });
    expect(checkedTasks(many(100_001), {})).toEqual({ problem: "more than 100000 tasks" });
    const circle = Object.fromEntries(many(20).map((index) => [`${index}`, [`${(index + 1) % 20}`]]));
    const checked = checkedTasks(many(20), circle);
    expect("problem" in checked && checked.problem.match(/"/g)).toHaveLength(20);
  });

  it.each<[Record<string, string[]>, string[] | null]>([
    [{}, null],
    [{ a: ["b"], b: ["c"], c: [] }, null],
    [{ a: ["b", "c"], b: ["d"], c: ["d"] }, null],
    [{ a: ["a"] }, ["a", "a"]],
    [{ z: ["a"], a: ["b"], b: ["c"], c: ["a"] }, ["a", "b", "c", "a"]],
    [{ a: ["toString"] }, null],
  ])("the circle in %o", (needs, circle) => {
    expect(findCycle(needs)).toEqual(circle);
  });

  it("tasks that share what they need are looked at once each", () => {
    const rungs = Array.from({ length: 40 }, (_, index) => [`a${index}`, `b${index}`] as const);
    const needed = rungs.flatMap(([a, b], index) => [
      [a, rungs[index + 1] ?? []],
      [b, rungs[index + 1] ?? []],
    ]);
    expect(findCycle(Object.fromEntries(needed))).toBeNull();
  });
});
