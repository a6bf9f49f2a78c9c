/** `auto_merge` over real HTTP: at once, when GitHub lets it, through the queue; and never what was sent back. */
import { afterEach, describe, expect, it } from "vitest";
import {
  addComment,
  addLabelsByName,
  asUser,
  createStatus,
  dequeuePull,
  enableAutoMerge,
  enqueuePull,
  type PullRequest,
  removeLabelByName,
  setMergeQueue,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

interface Options {
  readonly method?: string;
  readonly onPush?: string;
  readonly contents?: "read" | "write";
  readonly requires?: readonly string[];
}

const protect = (requires: readonly string[]) =>
  house.repository.protections.set("main", {
    requiredChecks: requires.map((context) => ({ context, appId: null })),
    requiredApprovals: 0,
  });

/** In its first stage; `go` brings it to the one that merges. */
async function opened({ method = "squash", onPush = "open", contents = "write", requires = [] }: Options = {}) {
  house = await openPolicyHouse(
    `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: merging, enter: { label: go }, on_enter: [{ auto_merge: ${method} }] }
on_push: ${onPush}
`,
    { permissions: { contents } },
  );
  if (requires.length > 0) {
    protect(requires);
  }
  const pull = house.open();
  await house.settled();
  house.later();
  return pull;
}

const go = (pull: PullRequest) => addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["go"]);
const stop = (pull: PullRequest) => removeLabelByName(house.sandbox.world, asUser(house.cleo), pull, "go");
const say = (pull: PullRequest, text: string) => addComment(house.sandbox.world, asUser(house.cleo), pull, text);
const status = (pull: PullRequest, context: string, state: "success" | "failure" | "pending") =>
  createStatus(house.sandbox.world, asUser(house.rex), house.repository, pull.head.sha, { state, context });
const lines = async (pull: PullRequest) =>
  (await house.history(pull)).filter((line) => line.kind === "effect").map((line) => line.reason);
const effects = (pull: PullRequest) =>
  house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number });
/** Nothing is to be done within the next moments. */
const calm = async (pull: PullRequest) => {
  await house.settled();
  await house.until("no effect is due soon", async () =>
    (await effects(pull)).every((each) => each.status !== "pending" || each.nextAt > Date.now() + 10_000),
  );
  await house.settled();
};
const troubles = (pull: PullRequest) =>
  pull.comments.map((each) => each.body).filter((body) => body.includes("could be done"));
const waiting = async (pull: PullRequest) =>
  (await effects(pull)).find((each) => each.kind === "auto_merge" && each.status === "pending")?.error ?? null;

describe("a pull request that GitHub would merge", () => {
  it("is merged at once, as the commit that was judged", async () => {
    const pull = await opened();
    const sha = pull.head.sha;
    go(pull);
    await calm(pull);
    expect(pull).toMatchObject({ merged: true, autoMerge: null });
    expect(await lines(pull)).toEqual([`${sha.slice(0, 7)} was merged (squash)`]);
  });

  it("is merged once although the answer is lost", async () => {
    const pull = await opened();
    house.sandbox.faults.place({ kind: "dropAnswer", match: { operation: "mergePullRequest" } });
    go(pull);
    await house.until("the effect is done", async () => (await effects(pull)).some((each) => each.status === "done"));
    expect(pull.merged).toBe(true);
    expect(house.requests().Merge).toBe(1);
  });

  it("waits for a check that GitHub does not require, and is merged when it has succeeded", async () => {
    const pull = await opened();
    status(pull, "lint", "pending");
    go(pull);
    await calm(pull);
    expect(pull.merged).toBe(false);
    expect(await waiting(pull)).toBe("lint has not ended");
    house.later();
    status(pull, "lint", "failure");
    await house.until(
      "it is known to have failed",
      async () => (await waiting(pull))?.startsWith("lint failed") === true,
    );
    house.later();
    status(pull, "lint", "success");
    await calm(pull);
    expect(pull.merged).toBe(true);
  });

  it("waits for one that failed, however many others came after it", async () => {
    const pull = await opened();
    status(pull, "lint", "failure");
    for (let n = 0; n < 130; n += 1) {
      status(pull, `build-${n}`, "success");
    }
    go(pull);
    await house.until(
      "it is known to have failed",
      async () => (await waiting(pull))?.startsWith("lint failed") === true,
    );
    expect(pull.merged).toBe(false);
  });
});

describe("a pull request that lacks something", () => {
  it("has auto-merge turned on, and GitHub merges it when that is there", async () => {
    const pull = await opened({ requires: ["build"] });
    go(pull);
    await calm(pull);
    expect(pull).toMatchObject({ merged: false, autoMerge: { method: "squash" } });
    status(pull, "build", "success");
    await calm(pull);
    expect(pull.merged).toBe(true);
  });

  it("has it turned off when it is sent back, and on again when it returns", async () => {
    const pull = await opened({ requires: ["build"] });
    go(pull);
    await calm(pull);
    house.later();
    stop(pull);
    await calm(pull);
    expect(pull.autoMerge).toBeNull();
    house.later();
    go(pull);
    await calm(pull);
    expect(pull.autoMerge).not.toBeNull();
    expect((await lines(pull)).map((line) => line.replace(/for \w+$/u, "for it"))).toEqual([
      "auto-merge (squash) was turned on for it",
      "auto-merge was turned off",
      "auto-merge (squash) was turned on for it",
    ]);
  });

  it("has it turned off by a push that sends it back", async () => {
    const pull = await opened({ requires: ["build"] });
    go(pull);
    await calm(pull);
    house.later();
    house.push(pull);
    await calm(pull);
    expect(pull.autoMerge).toBeNull();
    status(pull, "build", "success");
    await calm(pull);
    expect(pull.merged).toBe(false);
  });

  it("has it turned off on hold, and on again off hold", async () => {
    const pull = await opened({ requires: ["build"] });
    go(pull);
    await calm(pull);
    house.later();
    say(pull, "/stage hold");
    await calm(pull);
    expect(pull.autoMerge).toBeNull();
    house.later();
    say(pull, "/stage unhold");
    await calm(pull);
    expect(pull.autoMerge).not.toBeNull();
  });

  it("keeps what a person turned on", async () => {
    const pull = await opened({ requires: ["build"] });
    enableAutoMerge(house.sandbox.world, asUser(house.tess), pull, { method: "merge" });
    go(pull);
    await calm(pull);
    house.later();
    stop(pull);
    await calm(pull);
    expect(pull.autoMerge).toMatchObject({ enabledById: house.tess.id, method: "merge" });
    expect(await lines(pull)).toEqual([
      "auto-merge (merge) was turned on by tess already",
      "auto-merge, which tess turned on, was left on",
    ]);
  });
});

describe("a commit that nobody judged", () => {
  it("is not merged, though its webhook is late", async () => {
    const pull = await opened();
    const { faults } = house.sandbox;
    faults.place({ kind: "status", match: { operation: "Merging" }, status: 502, times: 2 });
    go(pull);
    await house.until("it is tried", async () => (await effects(pull)).some((each) => each.tries > 0));
    faults.place({ kind: "hookDelay", match: { event: "pull_request", action: "synchronize" }, ms: 300 });
    house.later();
    house.push(pull);
    await house.until("it is back", () => house.stageLabels(pull).join() === "stage/open");
    await calm(pull);
    expect(pull.merged).toBe(false);
    expect((await effects(pull)).every((each) => each.status === "done")).toBe(true);
  });

  it("pushed where pushes send nothing back is merged once it has been judged", async () => {
    const pull = await opened({ onPush: "{ back_to: false }" });
    status(pull, "lint", "pending");
    go(pull);
    await calm(pull);
    house.later();
    house.push(pull);
    await calm(pull);
    expect(pull.merged).toBe(true);
    expect((await lines(pull)).at(-1)).toBe(`${pull.head.sha.slice(0, 7)} was merged (squash)`);
  });
});

describe("a merge queue", () => {
  const queued = async (requires: readonly string[] = ["build"]) => {
    const pull = await opened({ method: "queue", requires });
    setMergeQueue(house.repository, "main", true);
    return pull;
  };

  it("takes what GitHub would merge, and merges it when the group's checks are there", async () => {
    const pull = await queued();
    status(pull, "build", "success");
    go(pull);
    await calm(pull);
    expect(pull.queued).not.toBeNull();
    createStatus(house.sandbox.world, asUser(house.rex), house.repository, pull.queued?.group.headSha ?? "", {
      state: "success",
      context: "build",
    });
    await calm(pull);
    expect(pull).toMatchObject({ merged: true, queued: null });
  });

  it("is left when the pull request is sent back", async () => {
    const pull = await queued();
    status(pull, "build", "success");
    go(pull);
    await calm(pull);
    house.later();
    stop(pull);
    await calm(pull);
    expect(pull).toMatchObject({ merged: false, queued: null });
    expect(await lines(pull)).toContain("it was taken out of the merge queue");
  });

  it("takes later what lacks something now", async () => {
    const pull = await queued();
    go(pull);
    await calm(pull);
    expect(pull).toMatchObject({ queued: null, autoMerge: {} });
    status(pull, "build", "success");
    await calm(pull);
    expect(pull.queued).not.toBeNull();
  });

  const waits = async (): Promise<PullRequest> => {
    const pull = await queued();
    status(pull, "build", "success");
    go(pull);
    await calm(pull);
    expect(pull.queued).not.toBeNull();
    house.later();
    return pull;
  };
  const leave = async (pull: PullRequest, reason: "MANUAL" | "CI_FAILURE") => {
    dequeuePull(house.sandbox.world, asUser(house.tess), pull, reason);
    await calm(pull);
    house.later();
  };

  it.each([
    ["CI_FAILURE", "a check that the queue requires failed"],
    ["MANUAL", "tess took it out"],
  ] as const)("that a pull request left without being merged is said, and takes it again: %s", async (reason, why) => {
    const pull = await waits();
    await leave(pull, reason);
    expect(pull.queued).toBeNull();
    expect((await lines(pull)).at(-1)).toBe(`it left the merge queue without being merged: ${why}`);
    expect(troubles(pull)).toEqual([
      expect.stringContaining(`it left the merge queue: ${why}\n\nWhen the cause is gone`),
    ]);
    say(pull, "/stage retry");
    await calm(pull);
    expect(pull.queued).not.toBeNull();
    expect(troubles(pull)).toEqual([]);
  });

  it("that a pull request left and came to again is not called trouble", async () => {
    const pull = await waits();
    house.sandbox.faults.place({ kind: "hookDelay", match: { event: "pull_request", action: "dequeued" }, ms: 300 });
    dequeuePull(house.sandbox.world, asUser(house.tess), pull, "CI_FAILURE");
    enqueuePull(house.sandbox.world, asUser(house.tess), pull);
    await house.until("it is told", async () => (await effects(pull)).some((each) => each.kind === "dequeued"));
    await calm(pull);
    expect(troubles(pull)).toEqual([]);
    expect(pull.queued).not.toBeNull();
  });

  it("that a pull request left by a push that sends it back is no trouble", async () => {
    const pull = await waits();
    house.push(pull);
    await calm(pull);
    expect(house.stageLabels(pull)).toEqual(["stage/open"]);
    expect(pull.queued).toBeNull();
    expect(troubles(pull)).toEqual([]);
  });

  it("that is not there is said", async () => {
    const pull = await opened({ method: "queue" });
    go(pull);
    await calm(pull);
    expect(pull.merged).toBe(false);
    expect(troubles(pull)).toEqual([expect.stringContaining("its base has no merge queue")]);
  });
});

describe("what stands in the way is said on the pull request, with the remedy", () => {
  it.each<[string, Options, () => void, RegExp]>([
    [
      "auto-merge turned off in the repository",
      { requires: ["build"] },
      () => {
        house.repository.merging.autoMerge = false;
      },
      /auto-merge is turned off in the repository: turn it on in its settings/u,
    ],
    [
      "a method that is not allowed",
      {},
      () => {
        house.repository.merging.methods = ["merge"];
      },
      /do not allow “squash”/u,
    ],
    ["a permission that the app lacks", { contents: "read" }, () => {}, /contents: write/u],
  ])("%s", async (_, options, arrange, text) => {
    const pull = await opened(options);
    arrange();
    go(pull);
    await calm(pull);
    expect(pull).toMatchObject({ merged: false, autoMerge: null });
    expect(troubles(pull)).toEqual([expect.stringMatching(text)]);
    expect((await lines(pull)).at(-1)).toMatch(/^auto_merge was not done: /u);
  });
});
