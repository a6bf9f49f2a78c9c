/** The policy of examples/policies/three-bots.yml on a pull request: rounds of QA that real processes fail or pass. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addComment, addTeam, asUser, type PullRequest } from "../../../src/sandbox/world/index.ts";
import { type BotsHouse, openBotsHouse } from "./bots-house.ts";

const POLICY = readFileSync("examples/policies/three-bots.yml", "utf8").replaceAll("@org/", "@acme/");
const WORKFLOW = `name: QA
run-name: "QA (\${{ inputs.stagewright_key }})"
on:
  workflow_dispatch:
    inputs:
      sha: { required: true, type: string }
      pull_request: { required: true, type: string }
      stagewright_key: { required: true, type: string }
      pr: { type: string }
jobs:
  qa:
    runs-on: self-hosted
    steps:
      - uses: actions/checkout@v5
        with: { ref: "\${{ inputs.sha }}" }
      - run: sh qa.sh
`;
const QA = "while grep -q endless gadget.txt; do sleep 0.1; done; grep -q works gadget.txt\n";
const READY = "ready-for-qa";

let house: BotsHouse;
let pull: PullRequest;

beforeEach(async () => {
  house = await openBotsHouse({
    ".github/stagewright.yml": POLICY,
    ".github/workflows/qa.yml": WORKFLOW,
    "qa.sh": QA,
  });
  for (const team of ["leads", "quality", "testing"]) {
    addTeam(house.sandbox.world, asUser(house.owner), house.owner, team);
  }
});
afterEach(async () => {
  await house.close();
});

const opened = async (gadget: string) => {
  pull = house.openTask({ "gadget.txt": gadget });
  house.build(pull, "success");
  await house.comesTo(pull, "pr-created");
};
const push = async (gadget: string, by = house.bots.rex) => {
  house.later();
  house.commit(pull, by, { "gadget.txt": gadget });
  house.later();
  house.build(pull, "success");
  await house.settled();
};
const handOver = () => {
  house.later();
  house.label(pull, READY, house.bots.cleo);
  house.later();
};
const review = async (state: "APPROVED" | "CHANGES_REQUESTED", sha?: string) => {
  house.later();
  house.review(pull, state, house.bots.tess, sha);
  house.later();
  await house.settled();
};
/** The newest run of QA has ended so, and everybody knows. */
const qa = async (count: number, conclusion: string) => {
  await house.until(`QA ${count} ended: ${conclusion}`, () => {
    const runs = house.runs();
    return runs.length === count && runs.at(-1)?.conclusion === conclusion;
  });
  await house.settled();
};
const missing = async () => (await house.row(pull))?.evaluation?.missing?.summary ?? "";

it("two rounds of failed QA, an approval of an old commit, a formatter's push, an approval, the merge", async () => {
  await opened("broken\n");
  handOver();
  await house.comesTo(pull, READY);
  await qa(1, "failure");
  await house.comesTo(pull, "pr-created");
  expect(house.labels(pull)).toEqual(["stage/pr-created"]);

  await push("works, but badly\n");
  const secondHead = pull.head.sha;
  handOver();
  await house.comesTo(pull, READY);
  await qa(2, "success");
  await review("CHANGES_REQUESTED");
  await house.comesTo(pull, "pr-created");
  expect((await house.row(pull))?.evaluation?.rounds).toBe(2);

  await push("works well\n");
  handOver();
  await house.comesTo(pull, READY);
  await qa(3, "success");
  await review("APPROVED", secondHead);
  expect(house.stageLabels(pull)).toEqual([`stage/${READY}`]);
  expect(await missing()).toContain(`tess[bot] approved ${secondHead.slice(0, 7)}`);

  // Only formatting: nothing has to be done again.
  house.later();
  house.commit(pull, house.bots.cleo, { "gadget.txt": "works well.\n" });
  await house.settled();
  expect(house.stageLabels(pull)).toEqual([`stage/${READY}`]);
  expect(house.labels(pull)).toContain(READY);
  expect(house.runs()).toHaveLength(3);

  await review("APPROVED");
  await house.until("it is merged", () => pull.merged);
  await house.settled();
  expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
  expect((await house.moves(pull)).map((move) => move.replace(/ \(.*/u, ""))).toEqual([
    "- -> pr-created",
    `pr-created -> ${READY}`,
    `${READY} -> pr-created`,
    `pr-created -> ${READY}`,
    `${READY} -> pr-created`,
    `pr-created -> ${READY}`,
    `${READY} -> approved`,
  ]);
  // Once said, and not once more for each round.
  expect(house.said(pull)).toEqual(["Task 7: over to tess\\[bot\\]"]);
}, 60_000);

it("a person's push during QA cancels it and brings it back; the formatter's does not", async () => {
  await opened("endless\n");
  handOver();
  await house.comesTo(pull, READY);
  await house.until("QA runs", () => house.runs()[0]?.status === "in_progress");
  await push("endless, formatted\n", house.bots.cleo);
  expect(house.stageLabels(pull)).toEqual([`stage/${READY}`]);
  expect(house.runs().map((run) => run.conclusion)).toEqual([null]);

  await push("works\n", asUser(house.rex));
  await house.comesTo(pull, "pr-created");
  await qa(1, "cancelled");
  // The cancelled run is no failed round.
  expect((await house.row(pull))?.evaluation?.rounds).toBe(0);

  handOver();
  await house.comesTo(pull, READY);
  await qa(2, "success");
  await review("APPROVED");
  await house.until("it is merged", () => pull.merged);
  await house.settled();
}, 60_000);

it("sent back five times it is held, its owner is named once, and it goes on when somebody lets it", async () => {
  await opened("works\n");
  for (let round = 1; round <= 5; round += 1) {
    handOver();
    await house.comesTo(pull, READY);
    await review("CHANGES_REQUESTED");
    await house.comesTo(pull, "pr-created");
  }
  await house.until("rex is told", () => house.said(pull).some((text) => text.includes("on hold")));
  expect(house.said(pull).filter((text) => text.includes("on hold"))).toEqual([
    expect.stringMatching(/^rex\\\[bot\\\] This pull request was sent back 5 times and is on hold/u),
  ]);
  handOver();
  await house.settled();
  expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  expect(await missing()).toContain("on hold");

  house.later();
  addComment(house.sandbox.world, asUser(house.cleo), pull, "/stage unhold");
  await house.comesTo(pull, READY);
  expect((await house.row(pull))?.evaluation?.rounds).toBe(0);
}, 60_000);
