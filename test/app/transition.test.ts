import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addLabelsByName, asUser, submitReview } from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "./house.ts";

describe("a pull request in the sandbox", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });

  it("moves through the default stages, each shown and explained", async () => {
    const { sandbox, cleo, tess } = house;
    const pull = house.open();
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "in_progress",
      "stagewright / approved": "queued",
    });

    addLabelsByName(sandbox.world, asUser(cleo), pull, ["ready-for-qa"]);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "success",
      "stagewright / approved": "in_progress",
    });

    submitReview(sandbox.world, asUser(tess), pull, { state: "APPROVED" });
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "success",
      "stagewright / approved": "success",
    });

    expect((await house.history(pull)).map(({ kind, from, to, actor }) => [kind, from, to, actor?.login])).toEqual([
      ["moved", null, "pr-created", "rex"],
      ["moved", "pr-created", "ready-for-qa", "cleo"],
      ["moved", "ready-for-qa", "approved", "tess"],
    ]);
    for (const line of await house.history(pull)) {
      expect(line.reason).not.toBe("");
      expect(line.evidence.length).toBeGreaterThan(0);
    }
  });
});
