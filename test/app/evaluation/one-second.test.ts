/** Acts of one second, over real HTTP: GitHub's timeline is asked for their order when the second is over. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  addLabelsByName,
  asUser,
  closePull,
  type PullRequest,
  removeLabelByName,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

const QA = "ready-for-qa";
let house: House;
beforeEach(async () => {
  house = await openHouse({ oneClock: true });
});
afterEach(async () => {
  vi.useRealTimers();
  await house.close();
});

const label = (pull: PullRequest) => addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, [QA]);
const unlabel = (pull: PullRequest) => removeLabelByName(house.sandbox.world, asUser(house.cleo), pull, QA);
/** The second is over, and something wakes the app. */
const goesBy = async (pull: PullRequest) => {
  house.later(5);
  addLabelsByName(house.sandbox.world, asUser(house.rex), pull, ["seen"]);
  await house.settled();
};
const opened = async () => {
  const pull = house.open();
  await house.settled();
  house.later();
  return pull;
};

it("a label put on, off and on again in one second counts", async () => {
  const pull = await opened();
  label(pull);
  unlabel(pull);
  label(pull);
  await house.settled();
  await goesBy(pull);
  expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  expect((await house.row(pull))?.facts.labels).toContain(QA);
});

it("a label given again in the second in which the app takes it off counts", async () => {
  const pull = await opened();
  label(pull);
  await house.settled();
  expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  house.later();
  let again = 0;
  house.sandbox.world.changes.record((change) => {
    if (change.kind === "pull_request" && change.action === "unlabeled" && change.label?.name === QA) {
      again += 1;
      queueMicrotask(() => label(pull));
    }
  });
  house.push(pull);
  await house.settled();
  await goesBy(pull);
  expect(again).toBe(1);
  expect(house.labels(pull)).toContain(QA);
  expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
});

it("a label given after a push of the same second counts, one given before it is taken off", async () => {
  const [before, after] = [await opened(), await opened()];
  label(before);
  house.push(before);
  house.push(after);
  label(after);
  await house.settled();
  await goesBy(before);
  await goesBy(after);
  expect(house.stageLabels(after)).toEqual(["stage/ready-for-qa"]);
  expect(house.stageLabels(before)).toEqual(["stage/pr-created"]);
  expect(house.labels(before)).not.toContain(QA);
});

it("a pull request closed in the second in which its timeline was read is closed", async () => {
  const pull = await opened();
  // Within a second, which does not end: what happens in it is dated to before the reading.
  vi.useFakeTimers({ toFake: ["Date"], now: Math.ceil(Date.now() / 1_000) * 1_000 + 500 });
  label(pull);
  unlabel(pull);
  label(pull);
  await house.settled();
  await goesBy(pull);
  expect((await house.row(pull))?.facts.orders).toHaveLength(1);
  closePull(house.sandbox.world, asUser(house.rex), pull);
  await house.settled();
  expect((await house.row(pull))?.facts.state).toBe("closed");
});
