/** Which runs count as evidence, by who wrote what they executed. The way there is in test/security/forged-runs. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { simulatePolicy } from "../../../src/lifecycle/evaluation/simulate.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { mergeOrigins, type Origin, originOf, type RunOrigin } from "../../../src/lifecycle/facts/run-origin.ts";
import { readFactsFile } from "../../../src/lifecycle/facts-file/facts-file.ts";
import { forgeableStages } from "../../../src/lifecycle/policy/forgeable-stages.ts";
import { readPolicy } from "../../../src/lifecycle/policy/read-policy.ts";
import { did, evaluationOf, history, minute, opened, pull, ran, tess } from "../builders.ts";
import { policyOf } from "../policies.ts";

const SHA = "aaaaaaa1";
const policy = (enter: string, more = "") =>
  policyOf(`stages:
  - { name: open, enter: { draft: false }${more} }
  - { name: done, enter: ${enter} }
`);
const STARTS = ", on_enter: [{ start: { workflow: qa.yml } }]";
type Told = readonly [result: "success" | "failure", origin: Origin | null];
const origin = (runId: number, kind: Origin): RunOrigin => ({
  runId: `${runId}`,
  sha: SHA,
  baseRef: null,
  origin: kind,
  detail: "so it is",
});
/** Runs of qa.yml, oldest first; an origin of null is not known. */
function ranSo(runs: readonly Told[]): Facts {
  const told = runs.flatMap(([, kind], index) => (kind === null ? [] : [origin(index + 1, kind)]));
  const facts = history(
    opened(),
    { pull, kind: "run_origins", origins: told },
    did(...runs.map(([result], index) => ran(index + 1, "qa.yml", result))),
  );
  const known = (facts.runOrigins ?? []).filter(({ runId }) => runs[Number(runId) - 1]?.[1] !== null);
  return { ...facts, runOrigins: known };
}
const where = (facts: Facts, enter: string, more = "") => {
  const { stage, stages, lookups } = evaluationOf(facts, policy(enter, more));
  return { stage, reason: stages[1]?.result.reason ?? "", lookups };
};

describe("a workflow that GitHub starts", () => {
  it.each<[Origin, boolean]>([
    ["started", true],
    ["default_branch", true],
    ["unchanged", true],
    ["changed", false],
    ["untold", false],
    ["not_started", false],
  ])("whose run's origin is %s counts: %s", (kind, counts) => {
    expect(where(ranSo([["success", kind]]), "{ workflow: qa.yml }").stage).toBe(counts ? "done" : "open");
  });

  it("is asked about where nothing is known, and grants nothing meanwhile, nor does its opposite", () => {
    const facts = ranSo([["success", null]]);
    const asked = { kind: "run", runId: "1", sha: SHA, workflow: "qa.yml", startedOnly: false };
    expect(where(facts, "{ workflow: qa.yml }")).toMatchObject({ stage: "open", lookups: [asked] });
    expect(where(facts, "{ not: { workflow: qa.yml } }")).toMatchObject({ stage: "open", lookups: [asked] });
    const { runOrigins: _, ...before } = facts;
    expect(where(before, "{ workflow: qa.yml }")).toMatchObject({ stage: "open", lookups: [asked] });
  });

  it("is asked about again where only the app's own record was asked", () => {
    expect(where(ranSo([["success", "not_started"]]), "{ workflow: qa.yml }").lookups).toHaveLength(1);
    expect(where(ranSo([["success", "untold"]]), "{ workflow: qa.yml }").lookups).toEqual([]);
  });

  it.each<[string, readonly Told[], boolean, RegExp]>([
    [
      "a forged success after a failure",
      [
        ["failure", "unchanged"],
        ["success", "changed"],
      ],
      false,
      /^qa\.yml failed; run 2 succeeded, but it does not count: so it is\. Let the policy start/,
    ],
    [
      "a forged failure after a success",
      [
        ["success", "unchanged"],
        ["failure", "changed"],
      ],
      true,
      /^qa\.yml succeeded$/,
    ],
    [
      "a success between forged failures",
      [
        ["failure", "changed"],
        ["success", "unchanged"],
        ["failure", "changed"],
      ],
      true,
      /succeeded/,
    ],
    [
      "a failure after a forged success",
      [
        ["success", "changed"],
        ["failure", "unchanged"],
      ],
      false,
      /^qa\.yml failed$/,
    ],
  ])("%s changes nothing", (_what, runs, counts, reason) => {
    const found = where(ranSo(runs), "{ workflow: qa.yml }");
    expect(found.stage).toBe(counts ? "done" : "open");
    expect(found.reason).toMatch(reason);
  });

  it("takes nothing for granted whose newest run may have failed", () => {
    const unsure = where(
      ranSo([
        ["success", "unchanged"],
        ["failure", "untold"],
      ]),
      "{ workflow: qa.yml }",
    );
    expect(unsure).toMatchObject({
      stage: "open",
      reason: expect.stringMatching(/^qa\.yml succeeded; run 2 failed since/u),
    });
  });

  it("whose failure is not certain lets `not` of it hold no more", () => {
    const enter = "{ not: { workflow: { workflow: qa.yml, result: failure } } }";
    expect(where(ranSo([["success", "unchanged"]]), enter).stage).toBe("done");
    expect(
      where(
        ranSo([
          ["success", "unchanged"],
          ["failure", "untold"],
        ]),
        enter,
      ).stage,
    ).toBe("open");
    expect(
      where(
        ranSo([
          ["success", "unchanged"],
          ["failure", "changed"],
        ]),
        enter,
      ).stage,
    ).toBe("done");
  });

  it("sends back where its failure is not certain, and not where it was forged", () => {
    const rules = policyOf(`stages:
  - { name: open, enter: { draft: false } }
  - { name: done, enter: { draft: false }, back: { when: { workflow: qa.yml, result: failure }, to: open } }
`);
    const rounds = (runs: readonly Told[]) => evaluationOf(ranSo(runs), rules).rounds;
    expect(rounds([["failure", "unchanged"]])).toBe(1);
    expect(rounds([["failure", "untold"]])).toBe(1);
    expect(rounds([["failure", "changed"]])).toBe(0);
    const praised = policyOf(`stages:
  - { name: open, enter: { draft: false } }
  - { name: done, enter: { draft: false }, back: { when: { workflow: qa.yml }, to: open } }
`);
    expect(evaluationOf(ranSo([["success", "unchanged"]]), praised).rounds).toBe(1);
    expect(evaluationOf(ranSo([["success", "untold"]]), praised).rounds).toBe(0);
    // Nor does a forged success hide the failure before it.
    expect(
      rounds([
        ["failure", "unchanged"],
        ["success", "changed"],
      ]),
    ).toBe(1);
  });
});

describe("a workflow that the policy starts", () => {
  it.each<[Origin, boolean]>([
    ["started", true],
    ["default_branch", false],
    ["unchanged", false],
    ["changed", false],
    ["untold", false],
    ["not_started", false],
  ])("whose run's origin is %s counts: %s", (kind, counts) => {
    const found = where(ranSo([["success", kind]]), "{ workflow: .github/workflows/qa.yml }", STARTS);
    const byPath = { ...ranSo([["success", kind]]) };
    const acts = byPath.acts.map((act) =>
      act.kind === "workflow" ? { ...act, workflow: ".github/workflows/qa.yml" } : act,
    );
    expect(where({ ...byPath, acts }, "{ workflow: qa.yml }", STARTS).stage).toBe(counts ? "done" : "open");
    expect(found.stage).toBe("open");
    expect(where(ranSo([["success", null]]), "{ workflow: qa.yml }", STARTS).lookups).toMatchObject([
      { startedOnly: true },
    ]);
  });
});

describe("a plan's run", () => {
  const plan = (within: { workflow: string; runId: string } | null, kind: Origin): Facts =>
    history(
      opened(),
      { pull, kind: "run_origins", origins: [origin(9, kind)] },
      did({
        kind: "plan",
        at: minute(1),
        by: tess,
        plan: "bench",
        run: "r",
        result: "success",
        sha: SHA,
        ...(within === null ? {} : { within }),
      }),
    );
  const within = { workflow: "qa.yml", runId: "9" };
  it("counts as the workflow run does that it was part of", () => {
    const enter = "{ plan_passed: bench }";
    expect(where(plan(within, "unchanged"), enter).stage).toBe("done");
    expect(where(plan(within, "changed"), enter).stage).toBe("open");
    expect(where(plan(within, "unchanged"), enter, STARTS).stage).toBe("open");
    expect(where(plan(within, "started"), enter, STARTS).stage).toBe("done");
    expect(where(plan(null, "started"), enter)).toMatchObject({
      stage: "open",
      reason: expect.stringMatching(/not known/),
    });
  });
});

test("origins add up to the same in whatever order, and as often as, they are told", () => {
  const told = fc.array(
    fc.record({
      runId: fc.constantFrom("9", "10", "9007199254740993"),
      sha: fc.constantFrom("a", "b"),
      baseRef: fc.constantFrom(null, "main", "old"),
      origin: fc.constantFrom<Origin[]>("started", "default_branch", "unchanged", "changed", "untold", "not_started"),
      detail: fc.constantFrom("", "x"),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(told, fc.func(fc.integer()), (all, order) => {
      const once = mergeOrigins([], all);
      const shuffled = [...all, ...all].sort((a, b) => order(a) - order(b));
      expect(shuffled.reduce<RunOrigin[]>((known, each) => mergeOrigins(known, [each]), [])).toEqual(once);
      for (const each of all) {
        expect(originOf(once, each, each.baseRef ?? "main")).not.toBeNull();
      }
      // What was compared with one base branch says nothing of another.
      const other = originOf(once, { runId: "9", sha: "a" }, "other");
      expect(other === null || other.baseRef === null).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test.each<[string, readonly string[]]>([
  ["{ checks: [build] }", ["done"]],
  ["checks_pass", ["done"]],
  ["{ checks: { names: [build], app: github-actions } }", ["done"]],
  ["{ checks: { names: [build], app: buildkite } }", []],
  ["{ checks: [build], approvals: 1 }", []],
  ["{ any: [{ approvals: 1 }, checks_pass] }", ["done"]],
  ["{ all: [checks_pass, { not: { label: blocked } }] }", ["done"]],
  ["{ checks_pass: {}, author: 'rex[bot]' }", []],
  ["{ checks_pass: {}, only_paths: 'docs/**' }", []],
  ["{ checks_pass: {}, only_paths: '**' }", ["done"]],
  ["{ checks_pass: {}, workflow: qa.yml }", []],
  ["{ draft: false }", []],
])("a gate that asks for %s rests on checks alone: %j", (enter, expected) => {
  expect(forgeableStages(policy(enter).stages)).toEqual(expected);
});

test("stages that merge or release are as good as gates, and the row ends where somebody has to do something", () => {
  const stages = policyOf(`stages:
  - { name: a, gate: false, enter: checks_pass, on_enter: [{ comment: x }] }
  - { name: b, gate: false, enter: { draft: false }, on_enter: [{ comment: x }, { release: qa }] }
  - { name: c, gate: false, enter: { draft: false }, on_enter: [{ auto_merge: squash }] }
  - { name: d, gate: true, enter: { draft: false } }
  - { name: e, gate: false, enter: { label: x } }
  - { name: f, gate: true, enter: checks_pass }
`).stages;
  expect(forgeableStages(stages)).toEqual(["b", "c", "d"]);
  expect(forgeableStages(stages.slice(1))).toEqual([]);
});

test("a policy with such a gate is in force with a warning at its condition", () => {
  const text = `stages:
  - { name: open, enter: { draft: false }, gate: false }
  - { name: built, enter: checks_pass, on_enter: [{ auto_merge: squash }] }
  - { name: done, enter: { approvals: 1 } }
`;
  const { policy: read, problems } = readPolicy(text);
  expect(read).not.toBeNull();
  expect(problems).toMatchObject([
    { severity: "warning", line: 3, message: expect.stringMatching(/^built can be reached by checks alone/) },
  ]);
});

test("a file of facts says who wrote what a run executed", () => {
  const file = (said: object) => ({
    pull: { number: 1, author: "alice", head: "abcd", opened_at: "2026-03-02T09:00:00Z" },
    acts: [{ do: "workflow", at: "5m", by: "alice", workflow: "ci.yml", result: "success", ...said }],
  });
  const stage = (said: object) => {
    const { facts, people } = readFactsFile(file(said));
    const answer = people.answer.bind(people);
    return simulatePolicy({ policy: policy("{ workflow: ci.yml }"), facts, before: null, answer }).evaluation.stage;
  };
  expect(stage({})).toBe("done");
  expect(stage({ origin: "unchanged" })).toBe("done");
  expect(stage({ origin: "changed" })).toBe("open");
  expect(stage({ origin: "untold" })).toBe("open");
  expect(() => stage({ origin: "mine" })).toThrow(/expected started \| default_branch/);
});
