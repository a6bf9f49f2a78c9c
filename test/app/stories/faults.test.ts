import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  asUser,
  type CheckRun,
  editLabel,
  labelByName,
  type PullRequest,
  requestAction,
  rerequestCheckRun,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

describe("when GitHub's answers go wrong", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });

  const label = (pull: PullRequest, name = "ready-for-qa", by = house.cleo) =>
    addLabelsByName(house.sandbox.world, asUser(by), pull, [name]);
  const opened = async () => {
    const pull = house.open();
    await house.settled();
    house.later();
    house.requests();
    return pull;
  };
  const moved = async (pull: PullRequest, stage: string) =>
    house.until(`${stage} is shown and confirmed`, async () => {
      const row = await house.row(pull);
      return (
        house.stageLabels(pull).join() === `stage/${stage}` && row?.confirmed?.stage === stage && row.intent === null
      );
    });
  const lines = async (pull: PullRequest) =>
    (await house.history(pull)).map((line) => (line.kind === "moved" ? `${line.from} -> ${line.to}` : line.reason));
  const ourRuns = (pull: PullRequest): CheckRun[] =>
    [...house.sandbox.world.checkRuns.values()].filter(
      (run) => run.appId === house.registered.id && run.headSha === pull.head.sha,
    );
  const match = { operation: "Transitions" };

  it("a token that never comes is asked for again", async () => {
    await house.close();
    house = await openHouse({ timings: { requestTimeout: 400 } });
    const route = "POST /app/installations/{installation_id}/access_tokens";
    house.sandbox.faults.place({ kind: "delay", match: { route }, ms: 600_000 });
    const pull = house.open();
    await moved(pull, "pr-created");
  });

  it.each([
    ["anything", { kind: "unread", match: { operation: "Shown" } }],
    ["the check runs", { kind: "unread", match: { operation: "Shown" }, field: "checkRuns" }],
    ["the labels", { kind: "unread", match: { operation: "Shown" }, field: "labels" }],
  ])("what a lost answer led to is looked for again when GitHub fails to read %s", async (_, fault) => {
    house.sandbox.faults.place({ kind: "status", status: 502, match });
    house.sandbox.faults.place(fault);
    const pull = house.open();
    await moved(pull, "pr-created");
    expect(house.sandbox.faults.list()).toEqual([]);
  });

  it("a lost answer is found to have been applied, and nothing is written twice", async () => {
    const pull = await opened();
    const runs = ourRuns(pull).length;
    house.sandbox.faults.place({ kind: "dropAnswer", match });
    label(pull);
    await moved(pull, "ready-for-qa");
    expect(house.requests()).toEqual({ Transitions: 1, Shown: 1 });
    expect(ourRuns(pull)).toHaveLength(runs);
    expect(await lines(pull)).toEqual([
      "null -> pr-created",
      expect.stringMatching(/^GitHub's answer was lost; looked again after/),
      "GitHub had applied the change although its answer did not say so",
      "pr-created -> ready-for-qa",
    ]);
  });

  it("a lost answer to the first move makes no second check run either", async () => {
    house.sandbox.faults.place({ kind: "dropAnswer", match, how: "502" });
    const pull = house.open();
    await moved(pull, "pr-created");
    expect(ourRuns(pull).map((run) => run.name)).toHaveLength(3);
  });

  it("a 502 before anything was applied: the same is sent once more", async () => {
    const pull = await opened();
    house.sandbox.faults.place({ kind: "status", match, status: 502 });
    label(pull);
    await moved(pull, "ready-for-qa");
    expect(house.requests()).toEqual({ Transitions: 2, Shown: 1 });
    expect(await lines(pull)).toContainEqual(expect.stringMatching(/^GitHub answered 502; looked again after/));
  });

  it("a label added by hand while the request is on its way: it ends with the one right label", async () => {
    const pull = await opened();
    house.sandbox.faults.place({ kind: "delay", match, ms: 150 });
    label(pull);
    await house.until("the request is on its way", async () => (await house.row(pull))?.intent?.sentAt != null);
    label(pull, "stage/approved", house.mallory);
    await house.until("the label was put right", () => house.stageLabels(pull).length === 1);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/ready-for-qa"]);
    expect((await house.row(pull))?.confirmed?.stage).toBe("ready-for-qa");
  });

  it("a label added by hand just before: the read-back shows two, and only the other one is taken away", async () => {
    const pull = await opened();
    house.sandbox.faults.place({ kind: "hookDrop", match: { event: "pull_request", action: "labeled" } });
    label(pull, "stage/approved", house.mallory);
    await house.settled();
    label(pull);
    await moved(pull, "ready-for-qa");
    expect(await lines(pull)).toContainEqual(expect.stringMatching(/it also has the label stage\/approved/));
  });

  it.each([false, true])(
    "a stage's label renamed unnoticed: its new name stays on nothing but what it was on (%s)",
    async (on) => {
      const { world, faults } = house.sandbox;
      const first = await opened();
      label(first);
      await moved(first, "ready-for-qa");
      const pull = await opened();
      const renamed = labelByName(house.repository, "stage/ready-for-qa");
      faults.place({ kind: "hookDrop", match: { event: "label" } });
      if (renamed !== null) {
        editLabel(world, asUser(house.owner), house.repository, renamed, { name: "important" });
      }
      if (on) {
        label(pull, "important");
        await house.settled();
        house.later();
      }
      label(pull);
      await moved(pull, "ready-for-qa");
      expect(house.labels(pull).toSorted()).toEqual([
        ...(on ? ["important"] : []),
        "ready-for-qa",
        "stage/ready-for-qa",
      ]);
    },
  );

  it("several faults in a row are overcome one after another", async () => {
    const pull = await opened();
    house.sandbox.faults.place({ kind: "status", match, status: 502 });
    house.sandbox.faults.place({ kind: "status", match: { operation: "Shown" }, status: 503 });
    house.sandbox.faults.place({ kind: "dropAnswer", match });
    label(pull);
    await moved(pull, "ready-for-qa");
    expect((await house.history(pull)).filter((line) => line.kind === "note").length).toBeGreaterThanOrEqual(3);
  });

  it("a rate limit is waited for as long as GitHub says, and counts as no failure", async () => {
    const pull = await opened();
    house.sandbox.faults.place({ kind: "rateLimited", match, retryAfter: 1 });
    const before = Date.now();
    label(pull);
    await moved(pull, "ready-for-qa");
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
    expect((await house.history(pull)).filter((line) => line.kind === "blocked")).toEqual([]);
  });

  it.each([403, 429] as const)("a secondary limit answered with %i is waited for", async (status) => {
    const pull = await opened();
    house.sandbox.faults.place({
      kind: "rateLimited",
      match: { route: "GET /repos/{owner}/{repo}/collaborators/{username}/permission" },
      status,
      retryAfter: 0,
    });
    label(pull);
    await moved(pull, "ready-for-qa");
  });

  it("a permission that cannot be asked for grants nothing until it can", async () => {
    const pull = await opened();
    house.sandbox.faults.place({
      kind: "status",
      match: { route: "GET /repos/{owner}/{repo}/collaborators/{username}/permission" },
      status: 500,
      times: 3,
    });
    label(pull);
    await moved(pull, "ready-for-qa");
  });

  describe("and stay wrong", () => {
    const blocked = async (pull: PullRequest) =>
      house.until("the move is blocked", async () => (await house.row(pull))?.blocked != null);

    it("the move is blocked with its reason: the old label is back, and a button is shown", async () => {
      const pull = await opened();
      house.sandbox.faults.place({ kind: "status", match, status: 502, times: 4 });
      label(pull);
      await blocked(pull);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
      const row = await house.row(pull);
      expect(row?.blocked).toMatchObject({ to: "ready-for-qa", times: 1, reason: "GitHub answered 502" });
      expect(row?.confirmed?.stage).toBe("pr-created");
      const run = ourRuns(pull).findLast((each) => each.conclusion === "action_required");
      expect(run?.output.title).toBe("Blocked: GitHub answered 502");
      expect((await house.history(pull)).at(-1)).toMatchObject({
        kind: "blocked",
        from: "pr-created",
        to: "ready-for-qa",
      });
      // Nothing more is sent until there is a reason to.
      house.requests();
      label(pull, "documentation");
      await house.settled();
      expect(house.requests()).toEqual({});
    });

    it.each([
      ["the button", (run: CheckRun) => requestAction(house.sandbox.world, asUser(house.rex), run, "retry")],
      ["re-run", (run: CheckRun) => rerequestCheckRun(house.sandbox.world, asUser(house.rex), run)],
    ])("%s tries it again at once", async (_, press) => {
      const pull = await opened();
      house.sandbox.faults.place({ kind: "status", match, status: 502, times: 4 });
      label(pull);
      await blocked(pull);
      await house.settled();
      const run = ourRuns(pull).findLast((each) => each.conclusion === "action_required");
      if (run === undefined) {
        throw new Error("there is no button");
      }
      press(run);
      await moved(pull, "ready-for-qa");
      await house.settled();
      expect((await house.row(pull))?.blocked).toBeNull();
      expect(house.checks(pull)).toMatchObject({ "stagewright / ready-for-qa": "success" });
    });

    it("it is tried again by itself after a while", async () => {
      await house.close();
      house = await openHouse({ timings: { blockedPause: 300 } });
      const pull = await opened();
      house.sandbox.faults.place({ kind: "status", match, status: 502, times: 4 });
      label(pull);
      await blocked(pull);
      await moved(pull, "ready-for-qa");
      expect(await lines(pull)).toContain("the move could be made");
    });

    it("it is tried again at once when the facts change", async () => {
      const pull = await opened();
      house.sandbox.faults.place({ kind: "status", match, status: 502, times: 4 });
      label(pull);
      await blocked(pull);
      await house.settled();
      house.later();
      house.push(pull);
      await house.settled();
      expect(house.stageLabels(pull)).toEqual(["stage/pr-created"]);
      expect((await house.row(pull))?.blocked).toBeNull();
    });

    it("what the app may not do is not tried again and again", async () => {
      await house.close();
      house = await openHouse({ permissions: { checks: "read" } });
      const pull = house.open();
      await blocked(pull);
      await house.settled();
      expect((await house.row(pull))?.blocked?.reason).toMatch(/could not be written: .*not accessible/i);
      expect(house.requests().Transitions).toBeLessThanOrEqual(2);
      expect(house.stageLabels(pull)).toEqual([]);
    });
  });

  it("webhooks that are doubled, late or out of order lead to the same place", async () => {
    const { faults, world } = house.sandbox;
    faults.place({ kind: "hookDuplicate", times: 4 });
    faults.place({ kind: "hookReorder", match: { event: "pull_request" }, times: 3 });
    const pull = house.open();
    house.later();
    label(pull);
    house.later();
    house.push(pull);
    house.later();
    addLabelsByName(world, asUser(house.cleo), pull, ["documentation"]);
    await house.settled();
    expect(house.labels(pull).sort()).toEqual(["documentation", "stage/pr-created"]);
  });
});
