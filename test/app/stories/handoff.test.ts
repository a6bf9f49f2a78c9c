/** The example examples/hand-off, from the opening to the merge: three bots, a held job, real processes. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { jobsOf, type PullRequest, type WorkflowRun } from "../../../src/sandbox/world/index.ts";
import { type BotsHouse, openBotsHouse } from "./bots-house.ts";

const example = (path: string) => readFileSync(`examples/hand-off/.github/${path}`, "utf8");
/** The gadget says whether it works, or that testing it takes for ever. */
const QA = `#!/bin/sh
while grep -q endless gadget.txt; do sleep 0.1; done
grep -q works gadget.txt
`;

let house: BotsHouse;
let pull: PullRequest;

beforeEach(async () => {
  house = await openBotsHouse({
    ".github/stagewright.yml": example("stagewright.yml"),
    ".github/workflows/qa.yml": example("workflows/qa.yml"),
    "qa.sh": QA,
  });
  const { repository, owner } = house;
  expect(`${owner.login}/${repository.name}`).toBe("acme/widget");
});
afterEach(async () => {
  await house.close();
});

const job = (run: WorkflowRun | undefined) => {
  const found = run === undefined ? undefined : jobsOf(house.sandbox.world, run)[0];
  return found === undefined ? "none" : (found.conclusion ?? found.status);
};
/** The job of the newest run is like this. */
const qaIs = (state: string) => house.until(`QA is ${state}`, () => job(house.runs().at(-1)) === state);
const qaEnds = async (conclusion: string) => {
  await house.until(`QA ended: ${conclusion}`, () => house.runs().at(-1)?.conclusion === conclusion);
  await house.settled();
};
/** cleo hands it over; what follows is of a later second. */
const handOver = () => {
  house.later();
  house.label(pull, "ready-for-qa", house.bots.cleo);
  house.later();
};

it("goes from hand to hand: held, tested, pushed meanwhile, tested again, approved, merged", async () => {
  const { rex, tess } = house.bots;
  pull = house.openTask({ "gadget.txt": "endless\n" });
  await house.comesTo(pull, "pr-created");
  // Its QA waits, and takes no runner.
  await qaIs("waiting");

  handOver();
  await house.comesTo(pull, "ready-for-qa");
  await qaIs("in_progress");
  await house.until("tess is told", () => house.said(pull).length === 1);
  expect(house.said(pull)).toEqual(["Task 7: over to tess\\[bot\\]"]);

  const [first] = house.runs();
  house.later();
  house.commit(pull, rex, { "gadget.txt": "it works\n" });
  house.later();
  await house.comesTo(pull, "pr-created");
  await house.until("the QA of the commit before is cancelled", () => first?.conclusion === "cancelled");
  // The next one waits for its turn, though the stage was reached before.
  await house.until("there is another", () => house.runs().length === 2);
  await qaIs("waiting");
  await house.settled();
  expect(job(house.runs().at(-1))).toBe("waiting");
  expect(house.labels(pull)).toEqual(["stage/pr-created"]);

  // An approval before the QA counts for nothing.
  house.review(pull, "APPROVED", tess);
  handOver();
  await house.comesTo(pull, "ready-for-qa");
  await qaEnds("success");
  expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  expect(pull).toMatchObject({ merged: false, autoMerge: null });

  house.later();
  house.review(pull, "APPROVED", tess);
  await house.until("it is merged", () => pull.merged);
  await house.settled();
  expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
  expect(await house.moves(pull)).toEqual([
    "- -> pr-created (rex[bot])",
    "pr-created -> ready-for-qa (cleo[bot])",
    "ready-for-qa -> pr-created (rex[bot])",
    "pr-created -> ready-for-qa (cleo[bot])",
    "ready-for-qa -> approved (tess[bot])",
  ]);
  // One comment for each stage, in its newest words.
  expect(house.said(pull).sort()).toEqual([
    expect.stringMatching(/^Task 7: back to rex\\\[bot\\\]: /u),
    "Task 7: over to tess\\[bot\\]",
  ]);
  expect((await house.history(pull)).map((line) => line.reason)).toContain(
    `${pull.head.sha.slice(0, 7)} was merged (squash)`,
  );
}, 60_000);

it("comes back to rex when QA fails, and its job of the next round waits anew", async () => {
  pull = house.openTask({ "gadget.txt": "broken\n" });
  await house.comesTo(pull, "pr-created");
  handOver();
  await qaEnds("failure");
  await house.comesTo(pull, "pr-created");
  expect(house.labels(pull)).toEqual(["stage/pr-created"]);
  await house.until("rex is told", () => house.said(pull).some((text) => text.includes("back to rex")));
  expect(await house.moves(pull)).toEqual([
    "- -> pr-created (rex[bot])",
    "pr-created -> ready-for-qa (cleo[bot])",
    expect.stringMatching(/^ready-for-qa -> pr-created/u),
  ]);
  house.later();
  house.commit(pull, house.bots.rex, { "gadget.txt": "works\n" });
  await house.until("there is another run", () => house.runs().length === 2);
  await qaIs("waiting");
}, 60_000);

it("gives no stage to whom the policy does not name", async () => {
  pull = house.openTask({ "gadget.txt": "works\n" });
  await house.comesTo(pull, "pr-created");
  house.later();
  house.label(pull, "ready-for-qa", house.bots.rex);
  await house.settled();
  house.label(pull, "ready-for-qa", house.bots.tess);
  await house.settled();
  expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  expect(job(house.runs()[0])).toBe("waiting");
}, 60_000);
