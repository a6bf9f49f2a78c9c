/** What is done while a pull request stays where it is: it is overdue, or was sent back too often. */
import { afterEach, describe, expect, it } from "vitest";
import {
  addComment,
  addLabelsByName,
  asUser,
  type PullRequest,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

const go = (pull: PullRequest) => addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);
const say = (pull: PullRequest, text: string) => addComment(house.sandbox.world, asUser(house.cleo), pull, text);
const lines = async (pull: PullRequest) =>
  (await house.history(pull)).filter((line) => line.kind === "effect").map((line) => line.reason);
const ours = (pull: PullRequest) =>
  pull.comments
    .filter((each) => each.appId === house.registered.id)
    .map((each) => each.body.replace(/<!--.*-->\n/u, ""));

async function opened(policy: string) {
  house = await openPolicyHouse(policy);
  const pull = house.open();
  await house.settled();
  return pull;
}

describe("a pull request that stays too long", () => {
  const policy = (rest: string) => `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: ready, owner: tess, enter: { label: go }, max_age: 1s${rest} }
  - { name: approved, enter: { approvals: 1 } }
`;

  it("is said once, with a comment for its owner, and is in the history", async () => {
    const pull = await opened(policy(""));
    go(pull);
    await house.until("it is overdue", () => ours(pull).length > 0);
    // Later events of the same stage say nothing more.
    addLabelsByName(house.sandbox.world, asUser(house.rex), pull, ["documentation"]);
    say(pull, "when?");
    await house.settled();
    expect(ours(pull)).toEqual([
      expect.stringMatching(/^@tess This pull request has been in ready for longer than the policy allows: .*approv/u),
    ]);
    expect(await lines(pull)).toEqual([expect.stringMatching(/^overdue in ready: .* 1 s at most \(.*approv/u)]);
  });

  it("has the policy's own actions done instead, once for each entry", async () => {
    const pull = await opened(policy(", on_overdue: [{ label: late }]"));
    go(pull);
    await house.until("it is overdue", () => house.labels(pull).includes("late"));
    await house.settled();
    expect(ours(pull)).toEqual([]);
    expect(await lines(pull)).toEqual([expect.stringMatching(/^overdue in ready/u), "added the label late"]);
  });

  it("is not reminded of while it is on hold", async () => {
    const pull = await opened(policy(""));
    say(pull, "/stage hold");
    await house.settled();
    expect((await house.row(pull))?.evaluation?.held).not.toBeNull();
    go(pull);
    await house.settled();
    expect(ours(pull)).toEqual([]);
  });
});

describe("a pull request that was sent back too often", () => {
  it("is held where it was sent to, its owner is mentioned once, and it goes on when it is let", async () => {
    const pull = await opened(`version: 1
stages:
  - { name: open, owner: rex, enter: { draft: false } }
  - { name: ready, enter: { label: go }, back: { when: changes_requested, to: open } }
max_rounds: 2
`);
    for (const round of [1, 2, 3]) {
      house.later();
      go(pull);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual([round < 3 ? "stage/ready" : "stage/open"]);
      house.later();
      submitReview(house.sandbox.world, asUser(house.tess), pull, { state: "CHANGES_REQUESTED", body: "no" });
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/open"]);
    }
    expect(ours(pull)).toEqual([
      expect.stringMatching(/^@rex This pull request was sent back 2 times and is on hold/u),
    ]);
    house.later();
    say(pull, "/stage unhold");
    house.later();
    go(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready"]);
    expect((await house.history(pull)).filter((line) => line.kind === "moved").map((line) => line.to)).toEqual([
      "open",
      "ready",
      "open",
      "ready",
      "open",
      "ready",
    ]);
  });
});
