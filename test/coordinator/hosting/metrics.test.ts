import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { readPlan } from "../../../src/plan/read.ts";
import { idle, joinOf, planOf, SECRET, startCoordinator } from "../builders.ts";
import { get, join, post, type Said, syncBody } from "../server/raw.ts";

const PLAN = planOf(
  "name: group\nagents: 2\nstages:\n  - { name: work, run: 'true', expect: { ops: '>= 2e300', errors: '< 1' } }",
);

let serving: Serving;
let run = "";
const sessions: string[] = [];
beforeEach(async () => {
  serving = await startCoordinator();
  sessions.length = 0;
  for (const name of ["node-0", "node-1"]) {
    const joined = await join(serving.address, joinOf(PLAN, name));
    run = joined.run;
    sessions.push(joined.session);
  }
});
afterEach(() => serving.close());

async function sync(agent: number, seq: number, told: Record<string, unknown>): Promise<Said> {
  const body = syncBody(seq, { sync: { ...idle(), ...told } });
  return await post(serving.address, `/api/runs/${run}/sync`, sessions[agent] ?? "", body);
}

async function report(agent: number, seq: number, told: Record<string, unknown>): Promise<Said> {
  const instruction = (await sync(agent, seq, {})).body.instruction;
  expect(instruction).toMatchObject({ do: "execute", stage: 0 });
  const { attempt } = instruction as { attempt: string };
  const done = { stage: 0, attempt, task: null, startedAt: 1, endedAt: 2, end: { kind: "exited", code: 0 } };
  const nothing = { progress: null, metrics: [], histograms: {}, outputs: {}, annotations: [], tail: "" };
  return await sync(agent, seq + 1, { status: "running", stage: 0, finished: [{ ...done, ...nothing, ...told }] });
}

const ops = (value: number) => ({ name: "ops", value, unit: "", agg: "sum", count: 1 });

describe("numbers at the end of the range", () => {
  it("are refused beyond it, whoever sends them, and change nothing", async () => {
    for (const [at, told] of [
      { metrics: [ops(1e308)] },
      { metrics: [ops(-1.1e300)] },
      { progress: { done: 1e308, total: null, errors: 0 } },
      { progress: { done: 0, total: 1, errors: -1 } },
    ].entries()) {
      const said = await report(0, 2 * at + 1, told);
      expect([said.status, said.code]).toEqual([400, "invalid"]);
      expect(said.message).toMatch(/sync\.finished\.0\.(metrics\.0\.value|progress\.(done|errors))/);
    }
  });

  it("are held against what is expected, and no result of them is null", async () => {
    const errors = { name: "errors", value: 0, unit: "", agg: "mean", count: Number.MAX_SAFE_INTEGER };
    for (const agent of [0, 1]) {
      expect((await report(agent, 1, { metrics: [ops(1e300), errors] })).status).toBe(200);
    }
    const { body } = await get(serving.address, `/api/runs/${run}`, SECRET);
    expect(JSON.stringify(body)).toContain('"value":2e+300');
    expect(body).toMatchObject({
      status: "succeeded",
      summary: {
        phases: [
          {
            metrics: [
              { name: "ops", met: true },
              { name: "errors", met: true },
            ],
          },
        ],
      },
    });
  });
});

it("a plan expects no number that is none", () => {
  const { plan, problems } = readPlan("stages: [{ name: work, run: 'true', expect: { ops: '>= 1e999' } }]", "plan.yml");
  expect(plan).toBeNull();
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining("below 1.8e308")]);
});
