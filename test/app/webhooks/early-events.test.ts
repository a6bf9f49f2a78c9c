/** Webhooks about a commit that arrive before the one that tells of the commit. */
import { afterEach, expect, it } from "vitest";
import { asUser, commitFiles, createStatus, openPull } from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

const POLICY = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: built, enter: { checks: [build] } }
`;

it("a check of a push that was not heard of yet counts when it is", async () => {
  house = await openPolicyHouse(POLICY);
  const pull = house.open();
  await house.settled();
  house.sandbox.faults.place({
    kind: "hookDelay",
    match: { event: "pull_request", action: "synchronize" },
    ms: 300,
  });
  house.later();
  house.push(pull);
  const sha = pull.head.sha;
  createStatus(house.sandbox.world, asUser(house.rex), house.repository, sha, { state: "success", context: "build" });
  await house.until("its check counts", () => house.stageLabels(pull).join() === "stage/built");
  expect((await house.row(pull))?.facts.head.sha).toBe(sha);
});

it("a check of a pull request that was not heard of yet counts when it is", async () => {
  house = await openPolicyHouse(POLICY);
  const { world } = house.sandbox;
  commitFiles(world, asUser(house.rex), house.repository, { branch: "b", message: "m", files: { "b.txt": "b\n" } });
  const sha = house.repository.refs.get("refs/heads/b") ?? "";
  createStatus(world, asUser(house.rex), house.repository, sha, { state: "success", context: "build" });
  await house.settled();
  house.later();
  const pull = openPull(world, asUser(house.rex), house.repository, { title: "t", head: "b", base: "main" });
  await house.until("its check counts", () => house.stageLabels(pull).join() === "stage/built");
});
