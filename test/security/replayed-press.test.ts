/** Who has read one of our webhooks on its way can send it again, signature and all, under an id of their own. */
import { afterEach, beforeEach, expect, it } from "vitest";
import * as w from "../../src/sandbox/world/index.ts";
import type { House } from "../app/house.ts";
import { openPolicyHouse } from "../app/policy-house.ts";

const POLICY = `
version: 1
operators: [cleo]
stages:
  - { name: opened, enter: { draft: false } }
  - { name: checked, enter: { label: go }, gate: true }
`;

let house: House;
let pull: w.PullRequest;
beforeEach(async () => {
  house = await openPolicyHouse(POLICY, { oneClock: true, timings: { deliveryGrace: 100 } });
  pull = house.open();
  await house.settled();
});
afterEach(() => house.close());

const held = async (): Promise<boolean> => (await house.row(pull))?.evaluation?.held != null;
const answers = (): number => pull.comments.filter((each) => each.appId === house.registered.id).length;

async function press(identifier: string): Promise<void> {
  const { world } = house.sandbox;
  const run = [...world.checkRuns.values()].findLast((each) => each.name === "stagewright / checked");
  if (run === undefined) throw new Error("no check run");
  w.requestAction(world, w.asUser(house.cleo), run, identifier);
  await house.settled();
  house.later();
}

/** All presses that GitHub told of so far, as who captured them has them. */
function captured() {
  return [...house.sandbox.world.deliveries.values()]
    .filter((each) => each.event === "check_run" && each.request.body.includes("requested_action"))
    .map(({ request: { body, headers } }) => ({ body, headers }));
}

async function replay({ body, headers }: ReturnType<typeof captured>[number], id: string): Promise<number> {
  const answer = await fetch(`${house.url}/api/github/webhooks`, {
    method: "POST",
    body,
    headers: { ...headers, "x-github-delivery": id },
  });
  return answer.status;
}

it("a press that was captured acts once, however often and under whatever ids it is sent again", async () => {
  await press("hold");
  expect(await held()).toBe(true);
  const [hold] = captured();
  if (hold === undefined) throw new Error("nothing was captured");
  await press("unhold");
  expect(await held()).toBe(false);
  const before = answers();
  expect(await replay(hold, "00000000-0000-4000-8000-000000000001")).toBe(202);
  expect(await replay(hold, "00000000-0000-4000-8000-000000000002")).toBe(202);
  const copies = async () =>
    (await house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number }))
      .filter(({ kind }) => kind === "button")
      .map(({ status }) => status);
  await house.until("the copies are dropped", async () => {
    const all = await copies();
    return all.length === 4 && all.every((each) => each === "done");
  });
  await house.settled();
  expect([await held(), answers()]).toEqual([false, before]);
});

it("a second press that says the very same is one of its own: GitHub lists both", async () => {
  await press("hold");
  await press("unhold");
  await press("hold");
  const [first, , third] = captured();
  // It is the copy that is told from it, not another text.
  expect(third?.body).toBe(first?.body);
  await house.until("it is held again", held);
});
