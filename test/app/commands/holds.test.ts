/** A hold closes the gate: what was ready to be merged is not merged while somebody holds it. */

import { Octokit } from "@octokit/rest";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EffectContext } from "../../../app/effects/handler.ts";
import { autoMerge } from "../../../app/effects/handlers/auto-merge.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import {
  addComment,
  addLabelsByName,
  asUser,
  checkRunsOn,
  createRef,
  enqueuePull,
  mintInstallationToken,
  openPull,
  type PullRequest,
  protectBranch,
  setCollaborator,
  setMergeQueue,
  submitReview,
} from "../../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../house.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse({ oneClock: true, permissions: { contents: "write" } });
  setCollaborator(world(), asUser(house.owner), house.repository, house.cleo, "maintain");
  await house.settled();
});
afterEach(async () => {
  await house.close();
});

const world = () => house.sandbox.world;
const gate = "stagewright / approved";
const requireCheck = (context: string) =>
  protectBranch(house.repository, "main", { requiredChecks: [{ context, appId: null }], requiredApprovals: 0 });
const say = async (pull: PullRequest, text: string) => {
  addComment(world(), asUser(house.cleo), pull, text);
  await house.settled();
  house.later();
};
const approve = async (...pulls: PullRequest[]) => {
  for (const pull of pulls) {
    addLabelsByName(world(), asUser(house.cleo), pull, ["ready-for-qa"]);
  }
  await house.settled();
  house.later();
  for (const pull of pulls) {
    submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
  }
  await house.settled();
  house.later();
};
const approved = async () => {
  const pull = house.open();
  await house.settled();
  house.later();
  await approve(pull);
  expect(house.checks(pull)[gate]).toBe("success");
  return pull;
};
const newest = (sha: string, name = gate) =>
  checkRunsOn(world(), house.repository, sha).findLast((run) => run.name === name);
const said = (pull: PullRequest) =>
  pull.comments
    .filter((each) => each.appId === house.registered.id)
    .map((each) => each.body.replace(/<!--.*-->\n/u, ""));

describe("a hold of a pull request that could be merged", () => {
  it("closes its gate, says who, why and how to end it, and gives it back afterwards", async () => {
    const pull = await approved();
    await say(pull, "/stage hold prod is broken");
    expect(house.checks(pull)).toEqual({
      "stagewright / pr-created": "success",
      "stagewright / ready-for-qa": "success",
      [gate]: "in_progress",
    });
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    const { title, summary } = newest(pull.head.sha)?.output ?? {};
    expect(title).toMatch(/^On hold by cleo since .* UTC: prod is broken\. Reached: /u);
    expect(summary).toContain("This gate is closed until `/stage unhold`.");
    await house.until("the answer says so", () => said(pull).join().includes("1 of 1 gate closed."));
    await say(pull, "/stage unhold");
    expect(house.checks(pull)[gate]).toBe("success");
  });

  it("fails a merge group that holds it, whether it was judged already or comes later", async () => {
    setMergeQueue(house.repository, "main", true);
    const [first, second] = [await approved(), await approved()];
    const enqueue = async (pull: PullRequest) => {
      requireCheck(gate);
      enqueuePull(world(), asUser(house.rex), pull);
      // Leaves it in the queue: a check that never comes is required there.
      requireCheck("never");
      await house.settled();
      return pull.queued?.group.headSha ?? "";
    };
    const sha = await enqueue(first);
    expect(newest(sha)?.conclusion).toBe("success");
    await say(first, "/stage hold wait");
    await house.until("the group fails", () => newest(sha)?.conclusion === "failure");
    expect(newest(sha)?.output.title).toMatch(/^#\d+ is on hold by cleo since .*: wait; \/stage unhold ends it$/u);
    const later = await enqueue(second);
    await house.until("the group behind fails", () => newest(later)?.conclusion === "failure");
    await say(first, "/stage unhold");
    await house.until("both may be merged", () => [sha, later].every((each) => newest(each)?.conclusion === "success"));
  });
});

describe("a hold of the whole repository", () => {
  it("closes every open gate, counts them in its answer, and writes nothing else", async () => {
    const pulls = [house.open(), house.open(), house.open()];
    const waiting = house.open();
    await house.settled();
    house.later();
    await approve(...pulls);
    const before = checkRunsOn(world(), house.repository, waiting.head.sha).map((run) => [run.id, run.output.title]);
    await say(waiting, "/stage hold --repository release 2.0");
    expect(pulls.map((pull) => house.checks(pull)[gate])).toEqual(["in_progress", "in_progress", "in_progress"]);
    expect(newest(pulls[0]?.head.sha ?? "")?.output.summary).toContain("`/stage unhold --repository`");
    expect(checkRunsOn(world(), house.repository, waiting.head.sha).map((run) => [run.id, run.output.title])).toEqual(
      before,
    );
    await house.until("the answer counts them", () => said(waiting).join().includes("3 of 3 gates closed."));
    await say(waiting, "/stage unhold --repository");
    expect(pulls.map((pull) => house.checks(pull)[gate])).toEqual(["success", "success", "success"]);
  });

  it("closes first what GitHub is about to merge", async () => {
    const pulls = [house.open(), house.open(), house.open()];
    const [, , last] = pulls;
    if (last === undefined) throw new Error("three pull requests");
    await house.settled();
    house.later();
    await approve(...pulls);
    setMergeQueue(house.repository, "main", true);
    requireCheck(gate);
    enqueuePull(world(), asUser(house.rex), last);
    requireCheck("never");
    await house.settled();
    const order: string[] = [];
    world().changes.record((change) => {
      if (change.kind === "check_run" && change.action === "created" && change.run.name === gate) {
        order.push(change.run.headSha);
      }
    });
    await say(last, "/stage hold --repository stop");
    await house.until("all are closed", () => pulls.every((pull) => house.checks(pull)[gate] === "in_progress"));
    expect(order.filter((sha) => pulls.some((pull) => pull.head.sha === sha))[0]).toBe(last.head.sha);
  });

  it("keeps merge groups waiting, those that were judged before too, until it is ended", async () => {
    setMergeQueue(house.repository, "main", true);
    const pull = await approved();
    requireCheck(gate);
    enqueuePull(world(), asUser(house.rex), pull);
    requireCheck("never");
    await house.settled();
    const sha = pull.queued?.group.headSha ?? "";
    expect(newest(sha)?.conclusion).toBe("success");
    await say(pull, "/stage hold --repository release");
    await house.until("the group waits", () => newest(sha)?.status === "in_progress");
    expect(newest(sha)?.output.title).toMatch(/^The whole repository is on hold by cleo/u);
    await say(pull, "/stage unhold --repository");
    await house.until("the group may be merged", () => newest(sha)?.conclusion === "success");
  });
});

it("a hold of one of two pull requests with one commit closes the gate of both", async () => {
  const base = house.repository.refs.get("refs/heads/main") ?? "";
  createRef(world(), asUser(house.owner), house.repository, "refs/heads/release", base);
  const one = house.open({ branch: "fix" });
  await house.settled();
  house.later();
  const other = openPull(world(), asUser(house.rex), house.repository, { title: "Port", head: "fix", base: "release" });
  await house.settled();
  house.later();
  await approve(one, other);
  expect(house.checks(one)[gate]).toBe("success");
  for (const held of [one, other]) {
    await say(held, "/stage hold not this one");
    expect(house.checks(one)[gate]).toBe("in_progress");
    expect(newest(one.head.sha)?.output.title).toMatch(/on hold by cleo/iu);
    await say(held, "/stage unhold");
    expect(house.checks(one)[gate]).toBe("success");
  }
});

it.each([
  ["is not done when a hold was given before its turn to write came", true, false],
  ["is done when there was none", false, true],
])("a merge that waits %s", async (_, held, merged) => {
  const pull = await approved();
  const id = { repositoryId: house.repository.id, number: pull.number };
  const [row, repository] = [await house.row(pull), await house.store.repository(house.repository.id)];
  const [installation] = world().installations.values();
  if (repository === null || installation === undefined) throw new Error("the app is installed");
  const { token } = mintInstallationToken(world(), installation);
  const client = new Octokit({ auth: token, baseUrl: `${house.sandbox.url}/api/v3` });
  const by = { kind: "user", id: house.cleo.id, login: "cleo" } as const;
  const word = { repositoryId: house.repository.id, held: true, at: Date.now(), by, reason: "" };
  const context: EffectContext = {
    effect: {
      ...id,
      id: 1,
      version: 1,
      key: "merge",
      installationId: installation.id,
      kind: "auto_merge",
      payload: {},
      nextAt: 0,
      status: "pending",
      tries: 0,
      error: null,
      errorCode: null,
      result: null,
    },
    cause: null,
    client,
    repository,
    pull: row,
    write: async (send) => {
      if (held) {
        await house.store.holds.put(word);
      }
      return await send(client);
    },
    remember: async () => {},
    keep: async () => {},
    signal: AbortSignal.timeout(20_000),
    wakeups: new Wakeups(),
    timings: DEFAULT_TIMINGS,
    store: house.store,
    appId: house.registered.id,
    botLogin: "stagewright[bot]",
    now: Date.now,
    log: pino({ level: "silent" }),
  };
  const performed = await autoMerge({ method: "squash", sha: pull.head.sha }, context);
  expect(performed.state).toBe(merged ? "done" : "again");
  expect(pull.merged).toBe(merged);
});
