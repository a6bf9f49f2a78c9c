import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addComment,
  addLabelsByName,
  asUser,
  changeInstallationRepositories,
  closePull,
  createStatus,
  deleteLabel,
  dismissReview,
  editPull,
  labelByName,
  type PullRequest,
  removeLabelByName,
  reopenPull,
  setAssignee,
  setDraft,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

describe("a pull request in the sandbox", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });

  const label = (pull: PullRequest, name = "ready-for-qa", by = house.cleo) =>
    addLabelsByName(house.sandbox.world, asUser(by), pull, [name]);
  const approve = (pull: PullRequest, by = house.tess) =>
    submitReview(house.sandbox.world, asUser(by), pull, { state: "APPROVED" });
  const opened = async (overrides: Parameters<House["open"]>[0] = {}) => {
    const pull = house.open(overrides);
    await house.settled();
    house.later();
    house.requests();
    return pull;
  };
  const moves = async (pull: PullRequest) =>
    (await house.history(pull)).filter((line) => line.kind === "moved").map((line) => `${line.from} -> ${line.to}`);

  it("moves through the default stages, each shown and explained", async () => {
    const pull = await opened();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "in_progress",
      "stagewright / approved": "queued",
    });

    label(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "success",
      "stagewright / approved": "in_progress",
    });

    house.later();
    approve(pull);
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

  it("takes one GraphQL request for each transition, also when several stages are passed at once", async () => {
    const pull = await opened();
    label(pull);
    await house.settled();
    expect(house.requests()).toEqual({ Transitions: 1 });
    house.later();
    approve(pull);
    await house.settled();
    expect(house.requests()).toEqual({ Transitions: 1 });
    house.later();
    house.push(pull);
    await house.settled();
    expect(house.requests()).toEqual({ Transitions: 1 });
    expect(await moves(pull)).toEqual([
      "null -> pr-created",
      "pr-created -> ready-for-qa",
      "ready-for-qa -> approved",
      "approved -> pr-created",
    ]);
  });

  it("writes labels, and the check runs of what is reached and of what comes next, with each move and no more", async () => {
    const pull = await opened();
    const mutations = async (move: () => void): Promise<string[]> => {
      house.requests();
      house.later();
      move();
      await house.settled();
      return house.sandbox.requests.entries().flatMap(({ graphql }) => graphql?.fields ?? []);
    };
    const forward = ["removeLabelsFromLabelable", "addLabelsToLabelable", "updateCheckRun", "updateCheckRun"];
    expect(await mutations(() => label(pull))).toEqual(forward);
    expect(await mutations(() => approve(pull))).toEqual(forward.slice(0, 3));
  });

  it("asks nothing of GitHub when an event changes nothing", async () => {
    const pull = await opened();
    const { world } = house.sandbox;
    for (const edit of ["one", "two", "three"]) {
      house.later();
      editPull(world, asUser(house.rex), pull, { title: edit });
      addComment(world, asUser(house.rex), pull, edit);
      createStatus(world, asUser(house.rex), house.repository, pull.head.sha, { state: "success", context: edit });
    }
    setAssignee(world, asUser(house.rex), pull, house.rex, true);
    label(pull, "documentation");
    await house.settled();
    expect(house.sandbox.requests.counts().total).toBe(0);
    expect((await house.row(pull))?.facts.title).toBe("three");
  });

  it("does not skip a stage for an approval that came before it, and takes one that comes after", async () => {
    const pull = await opened();
    approve(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    house.later();
    label(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    house.later();
    approve(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
  });

  it("gets through pr-created to ready-for-qa when it has the label from the start", async () => {
    const pull = house.open();
    label(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(await moves(pull)).toEqual(["null -> pr-created", "pr-created -> ready-for-qa"]);
  });

  it("gives nothing for a label by somebody without write permission, nor for the author's own approval", async () => {
    const pull = await opened();
    label(pull, "ready-for-qa", house.mallory);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    removeLabelByName(house.sandbox.world, asUser(house.cleo), pull, "ready-for-qa");
    house.later();
    label(pull);
    house.later();
    approve(pull, house.mallory);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
  });

  it("goes back with new commits, which take the trigger label away so that it can be given again", async () => {
    const pull = await opened();
    label(pull);
    await house.settled();
    house.later();
    house.push(pull);
    await house.settled();
    expect(house.labels(pull)).toEqual(["stage/pr-created"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / ready-for-qa": "in_progress" });
    house.later();
    label(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    const back = (await house.history(pull)).find((line) => line.to === "pr-created" && line.from !== null);
    expect(back).toMatchObject({ actor: { login: "rex" }, reason: "new commits were pushed" });
  });

  it("goes back as far as a withdrawn label or review carried it", async () => {
    const pull = await opened();
    label(pull);
    house.later();
    const review = approve(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    house.later();
    dismissReview(house.sandbox.world, asUser(house.cleo), pull, review, "not yet");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / approved": "in_progress" });
    house.later();
    removeLabelByName(house.sandbox.world, asUser(house.cleo), pull, "ready-for-qa");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const lines = (await house.history(pull)).slice(-2);
    expect(lines.map((line) => [line.actor?.login, line.evidence.length])).toEqual([
      ["cleo", 1],
      ["cleo", 1],
    ]);
  });

  it("has no stage while it is a draft, and starts anew when it is ready", async () => {
    const pull = await opened({ draft: true });
    expect(house.stageLabels(pull)).toEqual([]);
    setDraft(house.sandbox.world, asUser(house.rex), pull, false);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    house.later();
    setDraft(house.sandbox.world, asUser(house.rex), pull, true);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual([]);
  });

  it("is left as it is when it is closed, and looked at again when it is reopened", async () => {
    const pull = await opened();
    label(pull);
    await house.settled();
    house.later();
    closePull(house.sandbox.world, asUser(house.rex), pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    house.later();
    reopenPull(house.sandbox.world, asUser(house.rex), pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });

  it("can be opted out with a label", async () => {
    const pull = await opened();
    label(pull, "stagewright/off");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual([]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / approved": "cancelled" });
  });

  describe("when somebody else changes stage labels", () => {
    it.each([
      ["adds another", (pull: PullRequest) => label(pull, "stage/approved", house.mallory)],
      [
        "takes the right one away",
        (pull: PullRequest) => removeLabelByName(house.sandbox.world, asUser(house.mallory), pull, "stage/pr-created"),
      ],
      [
        "swaps them",
        (pull: PullRequest) => {
          removeLabelByName(house.sandbox.world, asUser(house.mallory), pull, "stage/pr-created");
          label(pull, "stage/approved", house.mallory);
        },
      ],
      ["makes up one of their own", (pull: PullRequest) => label(pull, "stage/done", house.mallory)],
    ])("%s, it is put right", async (_, tamper) => {
      const pull = await opened();
      tamper(pull);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
      expect(await moves(pull)).toEqual(["null -> pr-created"]);
    });

    it("deletes the label from the repository, it is made again for the next move", async () => {
      const pull = await opened();
      const known = labelByName(house.repository, "stage/ready-for-qa");
      expect(known).not.toBeNull();
      if (known !== null) {
        deleteLabel(house.sandbox.world, asUser(house.owner), house.repository, known);
      }
      label(pull);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    });
  });

  it("is taken up when something happens to it, though it was open before the app was installed", async () => {
    const { world } = house.sandbox;
    const [installation] = world.installations.values();
    if (installation === undefined) {
      throw new Error("not installed");
    }
    changeInstallationRepositories(world, asUser(house.owner), installation, "removed", [house.repository]);
    await house.settled();
    const pull = house.open();
    house.later();
    label(pull);
    house.later();
    changeInstallationRepositories(world, asUser(house.owner), installation, "added", [house.repository]);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual([]);
    addComment(world, asUser(house.rex), pull, "/stage hold");
    await house.settled();
    addComment(world, asUser(house.rex), pull, "/stage unhold");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect(await moves(pull)).toEqual(["null -> pr-created", "pr-created -> ready-for-qa"]);
  });

  it("is moved again after the app was uninstalled and installed anew", async () => {
    const { world } = house.sandbox;
    const pull = await opened();
    const [installation] = world.installations.values();
    if (installation === undefined) {
      throw new Error("not installed");
    }
    changeInstallationRepositories(world, asUser(house.owner), installation, "removed", [house.repository]);
    await house.settled();
    house.requests();
    label(pull);
    await house.settled();
    expect(house.requests()).toEqual({});
    changeInstallationRepositories(world, asUser(house.owner), installation, "added", [house.repository]);
    await house.settled();
    addComment(world, asUser(house.rex), pull, "/stage hold");
    addComment(world, asUser(house.rex), pull, "/stage unhold");
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });

  it("moves with fifty others of the same moment in a few requests", async () => {
    await house.close();
    // Much longer than the fifty webhooks take on the slowest machine, or each pause would find a few more.
    house = await openHouse({ timings: { writeInterval: 2_000 } });
    const pulls = Array.from({ length: 50 }, () => house.open());
    await house.settled();
    house.later();
    house.requests();
    for (const pull of pulls) {
      label(pull);
    }
    await house.settled();
    for (const pull of pulls) {
      expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    }
    expect(house.requests().Transitions).toBeLessThanOrEqual(12);
  });

  it("stops after the request that is on its way, and keeps what waits for its turn", async () => {
    await house.close();
    house = await openHouse({ timings: { writeInterval: 2_000 } });
    const [installation] = house.sandbox.world.installations.values();
    const waiting = () => house.store.due.transitions.of(installation?.id ?? 0, Number.MAX_SAFE_INTEGER, 100);
    Array.from({ length: 50 }, () => house.open());
    await house.until("many wait for their turn", async () => (await waiting()).length >= 20);
    await house.app.stop();
    expect((await waiting()).length).toBeGreaterThan(0);
  });
});
