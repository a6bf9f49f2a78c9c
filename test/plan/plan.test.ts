import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { PLAN_BOUNDS } from "../../src/plan/bounds.ts";
import { canonicalPlan, planDifference, planDigest } from "../../src/plan/canonical.ts";
import { planJsonSchema } from "../../src/plan/json-schema.ts";
import { formatDuration, parseDuration } from "../../src/plan/parsing/duration.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { formatProblem, readPlan } from "../../src/plan/read.ts";
import { select } from "../../src/plan/select.ts";

function plan(text: string): Plan {
  const { plan: read, problems } = readPlan(text, "some/p.yml");
  if (read === null) {
    throw new Error(problems.map(formatProblem).join("\n"));
  }
  return read;
}

const EXAMPLES = ["minimal", "short", "multi-epoch", "distributed"].map((name) => `examples/${name}.yml`);

describe("reading", () => {
  it.each(EXAMPLES)("%s has no problem, and the JSON Schema agrees", (file) => {
    const text = readFileSync(file);
    expect(readPlan(text, file).problems).toEqual([]);
    const validate = new Ajv2020({ strict: false }).compile(planJsonSchema());
    expect(validate(parse(text.toString())), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...parse(text.toString()), stagse: [] })).toBe(false);
  });

  it("a long form gets its workload's commands, its barriers and its defaults", () => {
    const read = plan(readFileSync("examples/distributed.yml", "utf8"));
    expect(read).toMatchObject({
      name: "p",
      agentCount: 1,
      agents: [{ id: "agent-0", address: "node1:7761", env: {} }],
    });
    expect(read.stages.map(({ type, when, timeoutMs }) => [type, when, timeoutMs])).toEqual([
      ["hybrid", "on_success", 21_600_000],
      ["prepare", "on_success", 21_600_000],
      ["execute", "on_success", 21_600_000],
      ["custom", "on_success", 21_600_000],
      ["cleanup", "always", 21_600_000],
    ]);
    expect(read.stages[0]?.command).toEqual({ kind: "script", script: "test -x /bin/sh" });
    expect(read.stages[1]).toMatchObject({
      barrier: { rule: { kind: "majority" }, timeoutMs: 120_000 },
      runsOn: { kind: "first" },
    });
    expect(read.stages[3]?.command).toEqual({ kind: "program", file: "/bin/echo", args: ["--epoch", "1"] });
  });

  it("without stages there are the four default ones", () => {
    const read = plan("workload: { preflight: a, prepare: b, execute: c, cleanup: d }");
    expect(read.stages.map(({ name, type, completion, order }) => [name, type, completion, order])).toEqual([
      ["preflight", "validation", "validation_passed", 1],
      ["prepare", "prepare", "tasks_done", 2],
      ["execute", "execute", "duration_or_tasks", 3],
      ["cleanup", "cleanup", "tasks_done", 4],
    ]);
  });

  it("order sequences, wherever the stages stand in the file", () => {
    const stages = ["{ name: a, order: 3, run: x }", "{ name: b, order: 1, run: x }", "{ name: c, order: 2, run: x }"];
    fc.assert(
      fc.property(fc.shuffledSubarray(stages, { minLength: 3 }), (shuffled) => {
        const read = plan(`stages:\n${shuffled.map((stage) => `  - ${stage}\n`).join("")}`);
        expect(read.stages.map(({ name, index, order }) => [name, index, order])).toEqual([
          ["b", 0, 1],
          ["c", 1, 2],
          ["a", 2, 3],
        ]);
      }),
    );
  });

  it("names in a repetition mean the same repetition, nested ones get every number", () => {
    const read = plan(
      "stages:\n- repeat: 2\n  stages:\n  - { name: e, run: x }\n  - repeat: 2\n    stages: [{ name: i, run: x, depends_on: [e] }]\n  - { name: c, run: x, depends_on: [e] }\n- { name: z, run: x, depends_on: [c-2, i-1-2] }\n",
    );
    expect(read.stages.map(({ name, dependsOn }) => [name, ...dependsOn.map(({ stage }) => stage)].join(" "))).toEqual([
      "e-1",
      "i-1-1 e-1",
      "i-1-2 e-1",
      "c-1 e-1",
      "e-2",
      "i-2-1 e-2",
      "i-2-2 e-2",
      "c-2 e-2",
      "z c-2 i-1-2",
    ]);
  });

  it("a dependency says what else of a stage is enough, in a repetition, too", () => {
    const read = plan(
      "stages:\n- repeat: 1\n  stages:\n  - { name: warm, run: x, optional: true }\n  - { name: test, run: x, depends_on: [{ stage: warm, even_if: [failed, skipped] }] }\n",
    );
    expect(read.stages[1]?.dependsOn).toEqual([{ stage: "warm-1", evenIf: ["failed", "skipped"] }]);
  });

  it.each([
    ["{ name: a, run: x }", 6 * 3_600_000],
    ["{ name: a, duration: 7h }", 7 * 3_600_000 + 300_000],
    // Three times seven hours and five minutes, and pauses of 1 and 2 minutes.
    [
      "{ name: a, duration: 7h, retry: { max_attempts: 3, backoff: 1m, max_backoff: 5m } }",
      3 * (7 * 3_600_000 + 300_000) + 180_000,
    ],
    ["{ name: a, run: x, retry: { max_attempts: 2, attempt_timeout: 4h, backoff: 0 } }", 2 * (4 * 3_600_000 + 300_000)],
    ["{ name: a, run: x, retry: { max_attempts: 1000, attempt_timeout: 20d } }", 24 * 86_400_000],
    ["{ name: a, run: x, timeout: 5m, retry: { max_attempts: 9, attempt_timeout: 1m } }", 300_000],
  ])("the timeout of %s covers all its attempts", (stage, timeoutMs) => {
    expect(plan(`stages:\n  - ${stage}\n`).stages[0]?.timeoutMs).toBe(timeoutMs);
  });

  it("where one agent makes the tree, prepare and cleanup are the first one's unless they say otherwise", () => {
    const read = plan(
      "tree_creation_mode: coordinator\nstages:\n- { name: prepare, run: x }\n- { name: warm, type: prepare, runs_on: all, run: x }\n- { name: work, run: x }\n- { name: cleanup, run: x }\n",
    );
    expect(read.stages.map(({ runsOn }) => runsOn.kind)).toEqual(["first", "all", "all", "first"]);
  });

  it("a plan may have a deadline", () => {
    expect(plan("deadline: 1h30m\nstages: [{ name: a, run: x }]\n").deadlineMs).toBe(5_400_000);
    expect(plan("stages: [{ name: a, run: x }]\n").deadlineMs).toBeNull();
  });

  it("barriers: the stage over its type over the default over ours", () => {
    const read = plan(
      "barrier_sync: { default_type: best_effort, default_straggler_grace: 5s, execute: { type: at_least 75%, query_retries: 1 } }\nstages:\n- { name: a, run: x }\n- { name: b, duration: 1s }\n- { name: c, duration: 1s, barrier: { at_least: 2 } }\n",
    );
    expect(read.stages.map(({ barrier }) => [barrier.rule, barrier.stragglerGraceMs, barrier.queryRetries])).toEqual([
      [{ kind: "best_effort" }, 5000, null],
      [{ kind: "at_least_percent", percent: 75 }, 5000, 1],
      [{ kind: "at_least", count: 2 }, 5000, 1],
    ]);
  });

  it("a slow heartbeat of a barrier raises the loss that is not said", () => {
    const read = plan("stages: [{ name: a, run: x, barrier: { heartbeat_interval: 30s, missed_threshold: 3 } }]");
    expect(read.liveness).toEqual({ heartbeatIntervalMs: 2000, warnAfterMs: 5000, lostAfterMs: 90_000 });
  });

  it.each([
    // A silence that is said holds, whatever a barrier's heartbeat is.
    ["liveness: { lost_after: 30s }", 30_000, null],
    ["", 30_000, 15],
  ])("a barrier's heartbeat without a threshold, with %o", (liveness, lostAfterMs, missedThreshold) => {
    const read = plan(`${liveness}\nstages: [{ name: a, run: x, barrier: { heartbeat_interval: 20s } }]\n`);
    expect(read.liveness.lostAfterMs).toBe(lostAfterMs);
    expect(read.stages[0]?.barrier).toMatchObject({ heartbeatIntervalMs: 20_000, missedThreshold });
  });

  it("variables stay as written, parameters reach fields but not commands", () => {
    const read = plan(
      "params: { size: { type: integer, default: 7 } }\nenv: { V: 1.10, B: true, S: 'n={{params.size}}', N: '{{ params.size }}' }\nstages: [{ name: a, run: 'echo {{params.size}}', timeout: '{{params.size}}m' }]",
    );
    expect(read.env).toEqual({ V: "1.10", B: "true", S: "n=7", N: "7" });
    expect(read.stages[0]).toMatchObject({ command: { script: "echo {{params.size}}" }, timeoutMs: 420_000 });
  });

  it("background commands live to the last stage before cleanup", () => {
    const read = plan(
      "stages:\n- { name: db, run: x, background: true, ready: { port: 5432 } }\n- { name: t, run: x }\n- { name: cleanup }\n",
    );
    expect(read.stages[0]?.background).toEqual({ ready: { port: 5432 }, until: "t" });
  });

  it("never throws, and says the same each time", () => {
    const piece = fc.constantFrom(
      "stages:",
      "\n",
      "  ",
      "- ",
      "name: a",
      "{",
      "}",
      "[",
      "]",
      "run: x",
      ": ",
      "repeat: 2",
      "*a",
      "&a ",
      "'",
      '"',
      "|",
      "{{params.x}}",
      "params:",
      "order: 1",
      "tasks: ",
      "barrier: ",
      "distributed:",
      "\t",
      "#",
      "!!set ",
      "? ",
      "0x1f",
    );
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(piece, { maxLength: 40 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (content) => {
        const first = readPlan(content, "p.yml");
        expect(readPlan(content, "p.yml")).toEqual(first);
        expect(first.plan === null).toBe(first.problems.some(({ severity }) => severity === "error"));
        expect(
          first.problems.every(({ line, column, message }) => line >= 1 && column >= 1 && !message.includes("\n")),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("never throws on a plan whose values are anything", () => {
    const stage = fc.dictionary(
      fc.constantFrom(
        "name",
        "type",
        "completion",
        "run",
        "args",
        "env",
        "tasks",
        "barrier",
        "retry",
        "depends_on",
        "runs_on",
        "needs",
        "background",
        "until",
        "expect",
        "order",
        "repeat",
        "stages",
      ),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const file = fc.record(
      {
        stages: fc.oneof(fc.array(stage), fc.jsonValue()),
        agents: fc.jsonValue(),
        params: fc.jsonValue(),
        barrier_sync: fc.jsonValue(),
        workload: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(file, (value) => void readPlan(JSON.stringify(value), "p.yml")),
      { numRuns: 500 },
    );
  });
});

describe("durations", () => {
  it.each([
    [90, 90_000],
    ["90", 90_000],
    ["90s", 90_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["250ms", 250],
    ["1.5s", 1500],
    ["", null],
    ["5 minutes", null],
    ["m", null],
    ["30m1h", null],
    [-1, null],
  ])("%s is %s ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it("what is printed reads back as the same", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: PLAN_BOUNDS.durationMs }),
        (ms) => parseDuration(formatDuration(ms)) === ms,
      ),
    );
  });
});

describe("canonical form", () => {
  const text = "stages:\n- { name: a, run: x }\n- { name: b, run: y, env: { A: '1', B: '2' } }\n";

  it("does not see comments, positions, or the order of keys", () => {
    const moved =
      "# a comment\n\nstages:\n    - run: x\n      name: a\n    - { env: { B: '2', A: '1' }, run: y, name: b }\n";
    expect(planDigest(plan(moved))).toBe(planDigest(plan(text)));
    expect(planDifference(plan(moved), plan(text))).toBe("");
    expect(JSON.parse(canonicalPlan(plan(text))).stages[0]).not.toHaveProperty("line");
  });

  it("names the stage and the value that differ", () => {
    const other = plan(text.replace("'2'", "'3'"));
    expect(planDigest(other)).not.toBe(planDigest(plan(text)));
    expect(planDifference(plan(text), other)).toBe('stages.b.env.B: "2" here, "3" there');
  });
});

describe("phase control", () => {
  const four = plan(
    "stages:\n- { name: a, run: x }\n- { name: b, run: x, depends_on: [a] }\n- { name: c, run: x }\n- { name: cleanup }\n",
  );

  it.each([
    [{}, { only: null, skip: [], stopAfter: null }],
    [{ only: ["c"] }, { only: [2], skip: [], stopAfter: null }],
    [{ only: ["1", "a", "0"] }, { only: [0, 1], skip: [], stopAfter: null }],
    [
      { skip: ["c"], stopAfter: "b" },
      { only: null, skip: [2], stopAfter: 1 },
    ],
  ])("%o", (options, selection) => {
    expect(select(four, options)).toEqual({ selection });
  });

  it.each([
    [
      { only: ["cleanpu"] },
      'only-stage: there is no stage "cleanpu"; did you mean "cleanup"?, expected a name or a number from 0 to 3',
    ],
    [{ only: ["4"] }, 'only-stage: there is no stage "4", expected a name or a number from 0 to 3'],
    [{ only: ["a"], skip: ["0"] }, 'only-stage and skip-stages both name "a", expected one of them'],
    [{ only: ["a"], stopAfter: "c" }, "only-stage and stop-after-stage contradict each other, expected one of them"],
    [{ skip: ["c"], stopAfter: "c" }, 'stop-after-stage names "c", which skip-stages leaves out'],
    [{ skip: ["a"] }, 'stage "b" needs the result of "a" (number 0), which would not run'],
    [{ only: ["b"] }, 'stage "b" needs the result of "a" (number 0), which would not run'],
    [{ skip: ["0", "1", "2", "3"] }, "no stage is left to run"],
  ])("%o is refused", (options, problem) => {
    expect(select(four, options)).toEqual({ problems: [problem] });
  });

  it("runs of stages that gather context and of quorums what is enabled; all, where nothing is said", () => {
    const three = plan(
      "stages:\n- { name: c, run: x, gathers_context: true }\n- { name: q, type: quorum, max_retries: 0, validators: [{ name: v, run: x }] }\n- { name: w, run: x }\n",
    );
    const skipped = (...enabled: readonly ("context" | "quorum")[]) => {
      const selected = select(three, { enabled });
      return "selection" in selected ? selected.selection.skip : selected.problems;
    };
    expect([skipped(), skipped("context"), skipped("quorum"), skipped("context", "quorum")]).toEqual([
      [],
      [1],
      [0],
      [],
    ]);
    expect(select(three, { enabled: ["context"], only: ["q"] })).toEqual({
      problems: ['only-stage names "q", which is left out: only stages of the enabled kinds run'],
    });
    expect(select(three, { enabled: ["context"], only: ["c"] })).toMatchObject({ selection: { only: [0] } });
  });

  it("what is accepted as skipped may be left out", () => {
    const two = plan(
      "stages:\n- { name: a, run: x }\n- { name: b, run: x, depends_on: [{ stage: a, even_if: [skipped] }] }\n",
    );
    expect(select(two, { skip: ["a"] })).toEqual({ selection: { only: null, skip: [0], stopAfter: null } });
  });

  it("a loaded state's results satisfy a dependency", () => {
    expect(select(four, { only: ["b"] }, ["a"])).toEqual({ selection: { only: [1], skip: [], stopAfter: null } });
  });
});
