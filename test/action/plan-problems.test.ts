/** What of a plan cannot come to pass in a job is said before anything begins. */
import { expect, it } from "vitest";
import { readInputs } from "../../src/action/input/inputs.ts";
import { inputVariable } from "../../src/action/input/io.ts";
import { planProblems } from "../../src/action/input/plan-problems.ts";
import { readPlan } from "../../src/plan/read.ts";

const PLAN = `agents: 2
stages:
  - { name: load, run: ./load, expect: { rate: { baseline: { from: results, better: bigger } } } }
  - { name: check, run: ./check, expect: { rate: "> 3" } }
`;
const ALL = { only: null, skip: [], stopAfter: null } as const;

function problems(coordinator: string, skip: readonly number[] = []): readonly string[] {
  const { plan } = readPlan(PLAN, "p.yml");
  const read = readInputs({
    [inputVariable("plan")]: "p.yml",
    [inputVariable("coordinator")]: coordinator,
    [inputVariable("agent-index")]: "0",
  });
  if (plan === null || "problems" in read) throw new Error("the plan or the inputs cannot be read");
  return planProblems(plan, { ...ALL, skip }, read.inputs);
}

it("a baseline is refused by name where the app coordinates the group, which has nobody's earlier results", () => {
  expect(problems("https://stagewright.example")).toEqual([
    'plan: stage "load" has a baseline, which is not built yet where the app coordinates the group',
  ]);
});

it.each([
  ["the leader coordinates", "leader", []],
  ["nobody names a coordinator", "", []],
  ["the app does, and the stage is left out", "https://stagewright.example", [0]],
])("a baseline is not refused where %s", (_, coordinator, skip) => {
  expect(problems(coordinator, skip)).toEqual([]);
});
