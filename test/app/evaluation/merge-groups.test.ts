import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addLabelsByName,
  asUser,
  checkRunsOn,
  enqueuePull,
  type PullRequest,
  protectBranch,
  removeLabelByName,
  setMergeQueue,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

describe("merge groups", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
    setMergeQueue(house.repository, "main", true);
    requireCheck("stagewright / approved");
  });
  afterEach(async () => {
    await house.close();
  });

  const world = () => house.sandbox.world;
  const requireCheck = (context: string) =>
    protectBranch(house.repository, "main", { requiredChecks: [{ context, appId: null }], requiredApprovals: 0 });
  const approved = async () => {
    const pull = house.open();
    await house.settled();
    house.later();
    addLabelsByName(world(), asUser(house.cleo), pull, ["ready-for-qa"]);
    await house.settled();
    house.later();
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
    await house.settled();
    house.later();
    return pull;
  };
  const shown = (sha: string) =>
    Object.fromEntries(
      checkRunsOn(world(), house.repository, sha).map((run) => [run.name, [run.conclusion, run.output.title]]),
    );

  it("are merged when their pull request is in the last stage", async () => {
    const pull = await approved();
    enqueuePull(world(), asUser(house.rex), pull);
    const sha = pull.queued?.group.headSha ?? "";
    expect(sha).not.toBe("");
    await house.until("it is merged", () => pull.merged);
    await house.settled();
    expect(shown(sha)).toEqual({
      "stagewright / pr-created": ["success", `Reached by #${pull.number}`],
      "stagewright / ready-for-qa": ["success", `Reached by #${pull.number}`],
      "stagewright / approved": ["success", `Reached by #${pull.number}`],
    });
    expect((await house.history(pull)).map((line) => line.reason)).toContain(
      `the merge group of #${pull.number} may be merged`,
    );
  });

  it.each([
    ["GitHub reads all", null],
    [
      "GitHub fails to read the queue at first",
      { kind: "unread", match: { operation: "MergeGroup" }, field: "mergeQueue" },
    ],
    ["GitHub fails to read anything at first", { kind: "unread", match: { operation: "MergeGroup" } }],
  ])(
    "are not merged when one of their pull requests has lost its stage, and say which and why: %s",
    async (_, fault) => {
      const [first, second] = [await approved(), await approved()];
      /** Leaves it in the queue: a check that never comes is required there. */
      const enqueue = async (pull: PullRequest) => {
        requireCheck("stagewright / approved");
        enqueuePull(world(), asUser(house.rex), pull);
        requireCheck("never");
        await house.settled();
        return pull.queued?.group.headSha ?? "";
      };
      expect(await enqueue(first)).not.toBe("");
      removeLabelByName(world(), asUser(house.cleo), first, "ready-for-qa");
      await house.settled();
      expect(house.stageLabels(first)).toEqual(["stage/pr-created"]);
      house.later();
      if (fault !== null) {
        house.sandbox.faults.place(fault);
      }
      const sha = await enqueue(second);
      await house.until("the group is judged", () => shown(sha)["stagewright / approved"] !== undefined);
      expect(house.stageLabels(second)).toEqual(["stage/approved"]);
      const [conclusion, title] = shown(sha)["stagewright / approved"] ?? [];
      expect(conclusion).toBe("failure");
      expect(title).toContain(`#${first.number} is in pr-created: label ready-for-qa is missing`);
      expect(shown(sha)["stagewright / pr-created"]).toEqual([
        "success",
        `Reached by #${first.number}, #${second.number}`,
      ]);
    },
  );

  it("are shown their check runs once, though the event comes twice and an answer is lost", async () => {
    const pull = await approved();
    house.sandbox.faults.place({ kind: "hookDuplicate", match: { event: "merge_group" } });
    house.sandbox.faults.place({ kind: "dropAnswer", match: { operation: "Transitions" } });
    enqueuePull(world(), asUser(house.rex), pull);
    const sha = pull.queued?.group.headSha ?? "";
    await house.until("it is merged", () => pull.merged);
    await house.until("nothing is left to do", async () =>
      (await house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number })).every(
        (effect) => effect.status !== "pending",
      ),
    );
    await house.settled();
    expect(Object.values(shown(sha)).map(([conclusion]) => conclusion)).toEqual(["success", "success", "success"]);
    expect(checkRunsOn(world(), house.repository, sha)).toHaveLength(3);
  });
});
