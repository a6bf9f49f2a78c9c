/** A matrix that the app coordinates, and that waits for a person: the shipped action, real jobs, the real app. */
import { afterEach, expect, test } from "vitest";
import { type Actions, startActions } from "../../src/sandbox/workflows/start.ts";
import * as w from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import { logOf, ROOT, until } from "./builders.ts";

let house: House;
let actions: Actions;
afterEach(async () => {
  await actions.close(2_000);
  await house.close();
});

const workflow = (coordinator: string) => `
on: pull_request
permissions: { contents: read, id-token: write }
jobs:
  train:
    runs-on: self-hosted
    strategy: { fail-fast: false, matrix: { index: [0, 1] } }
    steps:
      - uses: actions/checkout@v5
      - uses: stagewright/stagewright@v1
        with: { plan: plan.yml, coordinator: "${coordinator}" }
`;
const plan = `stages:
  - { name: measure, run: 'echo "measured by $STAGEWRIGHT_AGENT_INDEX"' }
  - { name: publish, run: 'echo "published by $STAGEWRIGHT_AGENT_INDEX"', checkpoint: { by: [tess] } }
  - { name: announce, run: 'echo "announced"', checkpoint: true }
`;

test("a group goes on by a comment of who may, and ends by a button, with who and why in the result", async () => {
  const faults: unknown[] = [];
  house = await openHouse({ hosts: true });
  const { world } = house.sandbox;
  actions = await startActions(house.sandbox, { root: ROOT, runners: 2, report: (error) => void faults.push(error) });
  w.commitFiles(world, w.asUser(house.rex), house.repository, {
    branch: "bench",
    message: "Measure",
    files: { ".github/workflows/bench.yml": workflow(house.url), "plan.yml": plan },
  });
  const { rex, repository } = house;
  const pull = w.openPull(world, w.asUser(rex), repository, { title: "Measure", head: "bench", base: "main" });
  const jobs = () => w.runsOf(world, repository).flatMap((run) => w.jobsOf(world, run));
  const logs = () => jobs().map((job) => `== ${job.name}: ${job.conclusion}\n${logOf(job)}`);
  const check = () => [...world.checkRuns.values()].findLast(({ name }) => name === "plan / plan (train)");
  const button = (label: string): string => check()?.actions.find((each) => each.label === label)?.identifier ?? "";
  const waitsFor = (stage: string) =>
    until(
      `a wait before ${stage}`,
      () => check()?.output.title?.includes(`${stage} begins when`) === true && check(),
    ).catch((error: unknown) => {
      throw new Error([String(error), ...logs()].join("\n"), { cause: error });
    });
  const say = async (by: w.Account, body: string): Promise<readonly string[]> => {
    const comment = w.addComment(world, w.asUser(by), pull, body);
    await until("the answer", () => comment.reactions.length > 0);
    return comment.reactions.map(({ content }) => content);
  };
  await waitsFor("publish");
  await until("the logs to say whom they wait for", () =>
    jobs().every((job) => /publish waits for tess until \d{4}-\d\d-\d\d .* UTC/.test(logOf(job))),
  );
  expect(await say(house.cleo, "/stage continue")).toEqual(["confused"]);
  expect(logs().join("\n")).not.toContain("published by 0");
  expect(await say(house.tess, "/stage continue numbers are fine")).toEqual(["+1"]);
  await waitsFor("announce");
  w.requestAction(world, w.asUser(house.cleo), check() as w.CheckRun, button("Stop"));
  const run = await until("the run to end", () =>
    w.runsOf(world, repository).find(({ status }) => status === "completed"),
  );
  const all = logs().join("\n");
  expect(run.conclusion, all).not.toBe("success");
  for (const text of ["published by 0", "published by 1", "cancelled by cleo: did not agree to announce"])
    expect(all).toContain(text);
  expect(all).not.toContain("announced\n");
  await until("the check run to be concluded", () => check()?.conclusion === "cancelled");
  expect(check()?.actions).toEqual([]);
  expect(faults).toEqual([]);
});
