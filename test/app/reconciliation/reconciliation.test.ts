import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addComment,
  addLabelsByName,
  asUser,
  closePull,
  createStatus,
  editLabel,
  labelByName,
  type PullRequest,
  removeLabelByName,
  setCollaborator,
  setDraft,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

const LOST = { kind: "hookDrop", match: {}, times: 1_000_000 } as const;

describe("a sweep", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse({ oneClock: true });
  });
  afterEach(async () => {
    await house.close();
  });

  const world = () => house.sandbox.world;
  /** Webhooks of what happens in here never come. */
  const lost = async (what: () => void) => {
    house.sandbox.faults.place(LOST);
    what();
    await house.sandbox.webhooks.idle();
    house.sandbox.faults.clear();
  };
  const opened = async (overrides: Parameters<House["open"]>[0] = {}) => {
    const pull = house.open(overrides);
    await house.settled();
    house.later(120);
    house.requests();
    return pull;
  };
  const sweep = async () => {
    const repository = await house.store.repository(house.repository.id);
    if (repository === null) throw new Error("The repository is not known.");
    const report = await house.app.engine().reconciliation.sweep(repository);
    await house.settled();
    return report;
  };
  const label = (pull: PullRequest, name = "ready-for-qa", by = house.cleo) =>
    addLabelsByName(world(), asUser(by), pull, [name]);
  const approve = (pull: PullRequest, by = house.tess) =>
    submitReview(world(), asUser(by), pull, { state: "APPROVED" });

  it.each(["labels", "timelineItems", "reviews", "statusCheckRollup"])(
    "takes %s that GitHub failed to read for no news",
    async (field) => {
      const pull = await opened();
      label(pull);
      await house.settled();
      house.later();
      approve(pull);
      await house.settled();
      house.later(120);
      const before = await house.history(pull);
      house.sandbox.faults.place({ kind: "unread", match: { operation: "Snapshots" }, field, times: 1_000 });
      await expect(sweep()).rejects.toThrow("GitHub could not read");
      house.sandbox.faults.clear();
      await sweep();
      expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
      expect(await house.history(pull)).toEqual(before);
    },
  );

  it("changes nothing and writes nothing where nothing was missed", async () => {
    const pulls = await Promise.all(Array.from({ length: 3 }, () => opened()));
    label(pulls[0] as PullRequest);
    await house.settled();
    house.later(120);
    house.requests();
    expect(await sweep()).toMatchObject({ open: 3, queries: 1, unchanged: 3, repaired: 0, taken_up: 0 });
    expect(house.sandbox.requests.counts().graphql).toMatchObject({ queries: 1, mutations: 0 });
    const version = (await house.row(pulls[0] as PullRequest))?.version;
    expect(await sweep()).toMatchObject({ unchanged: 3 });
    expect((await house.row(pulls[0] as PullRequest))?.version).toBe(version);
    expect(house.sandbox.requests.counts().graphql.mutations).toBe(0);
  });

  it("finds labels, reviews and pushes whose webhooks were lost", async () => {
    const pull = await opened();
    await lost(() => label(pull));
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(await sweep()).toMatchObject({ repaired: 1 });
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);

    house.later(120);
    await lost(() => approve(pull));
    await sweep();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);

    house.later(120);
    await lost(() => house.push(pull));
    await sweep();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / pr-created": "success" });
    expect((await house.history(pull)).filter((line) => line.kind === "moved").map((line) => line.to)).toEqual([
      "pr-created",
      "ready-for-qa",
      "approved",
      "pr-created",
    ]);
  });

  it("finds what was taken away: a label, a review, a pull request that was closed", async () => {
    const pull = await opened();
    label(pull);
    await house.settled();
    house.later(120);
    await lost(() => removeLabelByName(world(), asUser(house.cleo), pull, "ready-for-qa"));
    await sweep();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);

    house.later(120);
    await lost(() => setDraft(world(), asUser(house.rex), pull, true));
    await sweep();
    expect(house.stageLabels(pull)).toEqual([]);

    house.later(120);
    await lost(() => closePull(world(), asUser(house.rex), pull));
    expect(await sweep()).toMatchObject({ open: 0, gone: 1 });
    expect((await house.row(pull))?.facts.state).toBe("closed");
    expect(await sweep()).toMatchObject({ open: 0, gone: 0 });
    house.later(120);
    await sweep();
    house.later(120);
    expect(await sweep()).toMatchObject({ open: 0, gone: 0, queries: 1 });
  });

  it("finds statuses and commands", async () => {
    const pull = await opened();
    await lost(() => {
      createStatus(world(), asUser(house.rex), house.repository, pull.head.sha, { state: "success", context: "build" });
      addComment(world(), asUser(house.tess), pull, "/stage hold until Monday");
    });
    await sweep();
    const row = await house.row(pull);
    expect(row?.facts.checks.filter((check) => !check.ours).map((check) => check.name)).toEqual(["build"]);
    expect(row?.evaluation?.held).toMatchObject({ reason: "until Monday" });
    house.later(120);
    const { version } = (await house.row(pull)) ?? {};
    await sweep();
    expect((await house.row(pull))?.version).toBe(version);
  });

  it("finds a hold of the repository on a pull request that was closed before the sweep", async () => {
    const pull = await opened();
    setCollaborator(world(), asUser(house.owner), house.repository, house.tess, "maintain");
    await lost(() => {
      addComment(world(), asUser(house.tess), pull, "/stage hold --repository until Monday");
    });
    closePull(world(), asUser(house.rex), pull);
    await house.settled();
    await sweep();
    expect(await house.store.holds.of(house.repository.id)).toMatchObject({ reason: "until Monday" });
  });

  it("answers a question that it finds, once", async () => {
    const pull = await opened();
    await lost(() => {
      addComment(world(), asUser(house.tess), pull, "See https://example.com/stage\n/stage status");
    });
    const answers = () => pull.comments.filter((comment) => comment.authorId === house.registered.botId);
    await sweep();
    expect(answers()).toHaveLength(1);
    house.later(120);
    await sweep();
    expect(answers()).toHaveLength(1);
  });

  it("puts stage labels and check runs right that were changed behind its back", async () => {
    const pull = await opened();
    await lost(() => {
      removeLabelByName(world(), asUser(house.mallory), pull, "stage/pr-created");
      addLabelsByName(world(), asUser(house.cleo), pull, ["stage/approved"]);
    });
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    await sweep();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    const notes = (await house.history(pull)).filter((line) => line.kind === "note").map((line) => line.reason);
    expect(notes.join()).toContain("the label stage/pr-created is gone, it has the label stage/approved");

    house.later(120);
    for (const run of world().checkRuns.values()) {
      if (run.name === "stagewright / ready-for-qa") {
        // GitHub does so after fourteen days.
        Object.assign(run, { status: "completed", conclusion: "stale", completedAt: world().now() });
      }
    }
    expect(house.checks(pull)["stagewright / ready-for-qa"]).toBe("stale");
    await sweep();
    expect(house.checks(pull)["stagewright / ready-for-qa"]).toBe("in_progress");
    house.later(120);
    expect(await sweep()).toMatchObject({ repaired: 0 });
  });

  it("notices that a trigger label was renamed, though nothing about the pull request has a newer date", async () => {
    const pull = await opened();
    label(pull);
    await house.settled();
    house.later(120);
    const found = labelByName(house.repository, "ready-for-qa");
    if (found === null) throw new Error("There is no such label.");
    await lost(() => editLabel(world(), asUser(house.owner), house.repository, found, { name: "qa" }));
    await sweep();
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
    expect((await house.row(pull))?.facts.labels).toContain("qa");
  });

  it("takes up what was opened since the installation, and leaves what was there before", async () => {
    let pull: PullRequest | undefined;
    await house.settled();
    house.later(60);
    await lost(() => {
      pull = house.open();
    });
    if (pull === undefined) throw new Error("It was not opened.");
    expect(await sweep()).toMatchObject({ taken_up: 1, left: 0 });
    expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
  });

  it("reads smaller pages when GitHub cannot answer in time", async () => {
    await opened();
    house.sandbox.faults.place({ kind: "status", match: { operation: "Snapshots" }, status: 502, times: 2 });
    expect(await sweep()).toMatchObject({ open: 1, queries: 3 });
  });

  it("reads on where a pull request has more than fits in a page", async () => {
    const pull = await opened();
    await lost(() => {
      for (let n = 0; n < 130; n += 1) {
        createStatus(world(), asUser(house.rex), house.repository, pull.head.sha, {
          state: "success",
          context: `build-${n}`,
        });
        addLabelsByName(world(), asUser(house.cleo), pull, [`area-${n}`]);
        addComment(world(), asUser(house.rex), pull, n === 0 ? "/stage hold long ago" : "well");
      }
    });
    expect(await sweep()).toMatchObject({ repaired: 1 });
    const row = await house.row(pull);
    expect(row?.facts.checks.filter((check) => !check.ours)).toHaveLength(130);
    expect(row?.facts.acts.filter((act) => act.kind === "labeled" && act.label.startsWith("area-"))).toHaveLength(130);
    expect(row?.evaluation?.held).toMatchObject({ reason: "long ago" });
  });
});
