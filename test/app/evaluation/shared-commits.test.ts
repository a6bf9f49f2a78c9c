import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  asUser,
  closePull,
  commitFiles,
  createRef,
  openPull,
  type PullRequest,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

describe("two pull requests with one head commit", () => {
  let house: House;
  let ahead: PullRequest;
  let behind: PullRequest;
  beforeEach(async () => {
    house = await openHouse({ oneClock: true });
    const { world } = house.sandbox;
    createRef(world, asUser(house.owner), house.repository, "refs/heads/release", ref("main"));
    ahead = house.open({ branch: "fix" });
    await house.settled();
    house.later();
    behind = openPull(world, asUser(house.rex), house.repository, { title: "Port", head: "fix", base: "release" });
    await house.settled();
    house.later();
  });
  afterEach(async () => {
    await house.close();
  });

  const ref = (branch: string) => house.repository.refs.get(`refs/heads/${branch}`) ?? "";
  const approve = async (pull: PullRequest) => {
    const { world } = house.sandbox;
    addLabelsByName(world, asUser(house.cleo), pull, ["ready-for-qa"]);
    await house.settled();
    house.later();
    submitReview(world, asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    house.later(90);
  };
  const title = (pull: PullRequest, stage: string) =>
    [...house.sandbox.world.checkRuns.values()]
      .filter((run) => run.headSha === pull.head.sha && run.name === `stagewright / ${stage}`)
      .at(-1)?.output.title;
  const sweep = async () => {
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    const report = await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
    return report;
  };

  it("show how far the one is that is the furthest behind, and say so", async () => {
    expect(ahead.head.sha).toBe(behind.head.sha);
    await approve(ahead);
    expect([house.stageLabels(ahead), house.stageLabels(behind)]).toEqual([["stage/approved"], ["stage/pr-created"]]);
    expect(house.checks(ahead)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "in_progress",
      "stagewright / approved": "queued",
    });
    expect(title(ahead, "ready-for-qa")).toContain(`#${behind.number} of #${ahead.number} and #${behind.number}: `);
    expect(await sweep()).toMatchObject({ unchanged: 2, repaired: 0 });

    await approve(behind);
    expect(house.checks(behind)).toMatchObject({ "stagewright / approved": "success" });
    expect(await sweep()).toMatchObject({ unchanged: 2, repaired: 0 });
  });

  it("go their own ways when one is closed", async () => {
    await approve(ahead);
    closePull(house.sandbox.world, asUser(house.rex), behind);
    await house.settled();
    expect(house.checks(ahead)).toMatchObject({ "stagewright / approved": "success" });
    expect(title(ahead, "approved")).toMatch(/^Reached: /u);
  });

  it("let neither be merged by the other's success when that one opts out", async () => {
    await approve(ahead);
    addLabelsByName(house.sandbox.world, asUser(house.rex), behind, ["stagewright/off"]);
    await house.settled();
    expect(house.checks(behind)).toMatchObject({ "stagewright / approved": "cancelled" });
    expect(title(behind, "approved")).toContain(`#${behind.number} of #${ahead.number} and #${behind.number}: Opted`);
    expect(await sweep()).toMatchObject({ repaired: 0 });
    closePull(house.sandbox.world, asUser(house.rex), behind);
    await house.settled();
    expect(house.checks(ahead)).toMatchObject({ "stagewright / approved": "success" });
  });

  it("are never shown further than the last of them, whichever was written to last", async () => {
    await approve(behind);
    expect(house.checks(ahead)).toMatchObject({ "stagewright / approved": "queued" });
    await approve(ahead);
    expect(house.checks(ahead)).toMatchObject({ "stagewright / approved": "success" });
    commitFiles(house.sandbox.world, asUser(house.rex), house.repository, {
      branch: "fix",
      message: "More",
      files: { "more.txt": "more\n" },
    });
    await house.settled();
    expect(ahead.head.sha).toBe(behind.head.sha);
    expect(house.checks(ahead)).toMatchObject({ "stagewright / approved": "queued" });
    expect([house.stageLabels(ahead), house.stageLabels(behind)]).toEqual([["stage/pr-created"], ["stage/pr-created"]]);
  });
});
