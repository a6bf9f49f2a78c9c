/** What is forgotten, what is kept, and what comes back. */
import { afterEach, describe, expect, it } from "vitest";
import type { NewDelivery } from "../../../app/store/model.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import {
  addLabelsByName,
  asUser,
  closePull,
  createStatus,
  install,
  type PullRequest,
  reopenPull,
  submitReview,
  uninstall,
} from "../../../src/sandbox/world/index.ts";
import type { House } from "../house.ts";
import { openPolicyHouse } from "../policy-house.ts";

let house: House;
afterEach(async () => {
  await house.close();
});

/** Seconds. The app signs for ten minutes by the real clock: here the days of the keep times are so short. */
const DAY = 2;
const SHORT_DAYS = {
  oneClock: true,
  timings: { keep: { ...DEFAULT_TIMINGS.keep, closedPulls: 90 * DAY * 1_000 } },
};
const POLICY = `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: ready, enter: { label: go } }
  - { name: approved, enter: { approvals: 1 } }
`;
const world = () => house.sandbox.world;
const go = (pull: PullRequest) => addLabelsByName(world(), asUser(house.cleo), pull, ["go"]);
const approve = (pull: PullRequest) => submitReview(world(), asUser(house.tess), pull, { state: "APPROVED" });
const moves = async (pull: PullRequest) =>
  (await house.history(pull)).filter((line) => line.kind === "moved").map((line) => `${line.from} -> ${line.to}`);
const maintenance = async () => {
  await house.app.engine().reconciliation.maintenance();
  await house.settled();
};

async function approved(): Promise<PullRequest> {
  const pull = house.open();
  await house.settled();
  go(pull);
  await house.settled();
  house.later();
  approve(pull);
  await house.settled();
  expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
  return pull;
}

describe("a closed pull request", () => {
  it("is forgotten with its history 90 days after it was closed, and open ones never are", async () => {
    house = await openPolicyHouse(POLICY, SHORT_DAYS);
    const [closed, open] = [await approved(), house.open()];
    await house.settled();
    house.later(60 * DAY);
    closePull(world(), asUser(house.rex), closed);
    await house.settled();
    house.later(82 * DAY);
    await maintenance();
    expect(await house.row(closed)).not.toBeNull();
    expect(await moves(closed)).toHaveLength(3);
    house.later(12 * DAY);
    await maintenance();
    expect(await house.row(closed)).toBeNull();
    expect(await house.history(closed)).toEqual([]);
    expect(await house.row(open)).toMatchObject({ confirmed: { stage: "open" } });
    expect(await moves(open)).toEqual(["null -> open"]);
    // What GitHub shows of it stays as it was.
    expect(house.stageLabels(closed)).toEqual(["stage/approved"]);
  });

  it("that is reopened after it was forgotten starts anew, with one label, and goes its way again", async () => {
    house = await openPolicyHouse(POLICY, SHORT_DAYS);
    const pull = await approved();
    closePull(world(), asUser(house.rex), pull);
    await house.settled();
    house.later(91 * DAY);
    await maintenance();
    expect(await house.row(pull)).toBeNull();

    house.requests();
    reopenPull(world(), asUser(house.rex), pull);
    await house.settled();
    // The label and the approval were of the time before.
    expect(house.stageLabels(pull)).toEqual(["stage/open"]);
    const row = await house.row(pull);
    expect(row?.facts.acts.map((act) => act.kind)).toEqual(
      expect.arrayContaining(["opened", "labeled", "review", "closed", "reopened"]),
    );
    expect(row?.evaluation).toMatchObject({ stage: "open", missing: { stage: "ready" } });
    expect(await moves(pull)).toEqual(["null -> open"]);

    house.later();
    go(pull);
    house.later();
    approve(pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
    expect(house.checks(pull)).toMatchObject({ "stagewright / approved": "success" });
  });

  it("that is reopened before is what it was, with its history", async () => {
    house = await openPolicyHouse(POLICY, SHORT_DAYS);
    const pull = await approved();
    closePull(world(), asUser(house.rex), pull);
    await house.settled();
    house.later(80 * DAY);
    await maintenance();
    reopenPull(world(), asUser(house.rex), pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/open"]);
    expect((await moves(pull)).at(0)).toBe("null -> open");
    // Its time begins anew when it is closed again.
    house.later(20 * DAY);
    closePull(world(), asUser(house.rex), pull);
    await house.settled();
    house.later(80 * DAY);
    await maintenance();
    expect(await house.row(pull)).not.toBeNull();
  });

  it("is read again when it is heard of after it was forgotten: checks that ended before count", async () => {
    house = await openPolicyHouse(
      `version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: tested, enter: { checks: [tests] } }
`,
      SHORT_DAYS,
    );
    const pull = house.open();
    await house.settled();
    closePull(world(), asUser(house.rex), pull);
    createStatus(world(), asUser(house.rex), house.repository, pull.head.sha, { state: "success", context: "tests" });
    await house.settled();
    house.later(91 * DAY);
    await maintenance();
    expect(await house.row(pull)).toBeNull();
    reopenPull(world(), asUser(house.rex), pull);
    await house.settled();
    expect(house.stageLabels(pull)).toEqual(["stage/tested"]);
  });

  it("stays while something is still to be done for it", async () => {
    house = await openPolicyHouse(POLICY, SHORT_DAYS);
    const pull = await approved();
    closePull(world(), asUser(house.rex), pull);
    await house.settled();
    const far = Date.now() + 500 * DAY * 1_000;
    const id = { repositoryId: house.repository.id, number: pull.number };
    const row = await house.row(pull);
    const effect = { ...id, key: "still", installationId: row?.installationId ?? 0, kind: "comment", payload: {} };
    await house.store.commit({ effects: [{ ...effect, nextAt: far }], now: 1 });
    house.later(100 * DAY);
    await maintenance();
    expect(await house.row(pull)).not.toBeNull();
    const pending = (await house.store.effectsOf(id)).filter((each) => each.status === "pending");
    await house.store.commit({
      settled: pending.map((each) => ({
        ...each,
        status: "done" as const,
        error: null,
        errorCode: null,
        result: null,
      })),
      now: 1,
    });
    await maintenance();
    expect(await house.row(pull)).toBeNull();
  });
});

describe("a repository on which the app is not installed any more", () => {
  const days = { ...SHORT_DAYS, timings: { keep: { ...DEFAULT_TIMINGS.keep, repositories: 90 * DAY * 1_000 } } };
  const leave = () => {
    for (const each of world().installations.values()) uninstall(world(), asUser(house.owner), each);
  };
  const comeBack = () =>
    install(world(), asUser(house.owner), {
      app: house.registered,
      account: house.owner,
      repositories: [house.repository],
    });

  it("is forgotten with all of its pull requests after 90 days, and begins anew when the app comes back", async () => {
    house = await openPolicyHouse(POLICY, days);
    const pull = await approved();
    leave();
    await house.settled();
    await maintenance();
    house.later(82 * DAY);
    await maintenance();
    expect(await house.row(pull)).not.toBeNull();
    house.later(12 * DAY);
    await maintenance();
    expect(await house.row(pull)).toBeNull();
    expect(await house.history(pull)).toEqual([]);
    expect(await house.store.effectsOf({ repositoryId: house.repository.id, number: pull.number })).toEqual([]);
    expect(await house.store.repository(house.repository.id)).toBeNull();
    expect(await house.store.policies.of(house.repository.id)).toBeNull();

    comeBack();
    await house.settled();
    const other = house.open();
    go(pull);
    await house.settled();
    expect(house.stageLabels(other)).toEqual(["stage/open"]);
    // Something happened to it: it is taken up as it is.
    expect(house.stageLabels(pull)).toEqual(["stage/approved"]);
  });

  it("has its time anew when the app was installed in between", async () => {
    house = await openPolicyHouse(POLICY, days);
    const pull = await approved();
    leave();
    await house.settled();
    await maintenance();
    house.later(60 * DAY);
    comeBack();
    await house.settled();
    await maintenance();
    leave();
    await house.settled();
    house.later(60 * DAY);
    await maintenance();
    expect(await house.row(pull)).not.toBeNull();
    await maintenance();
    expect(await house.row(pull)).not.toBeNull();
  });
});

describe("maintenance", () => {
  it("forgets each kind of row after its time, more than one step's worth of them, and nothing that is younger", async () => {
    house = await openPolicyHouse(POLICY, { oneClock: true });
    await house.settled();
    const { store } = house;
    const { keep } = DEFAULT_TIMINGS;
    const now = Date.now();
    const delivery = (id: string, receivedAt: number): NewDelivery => ({
      id,
      event: "ping",
      payload: "{}",
      key: id,
      receivedAt,
    });
    const old = Array.from({ length: 1_100 }, (_, index) => delivery(`old-${index}`, now - keep.deliveries - 60_000));
    const taken = await store.acceptDeliveries([
      ...old,
      delivery("dead-old", now - keep.deadDeliveries - 60_000),
      delivery("dead-young", now - keep.deadDeliveries + 3_600_000),
      delivery("young", now - keep.deliveries + 3_600_000),
    ]);
    const seqs = (prefix: string) => taken.filter((each) => each.id.startsWith(prefix)).map((each) => each.seq);
    await store.commit({ done: seqs("old-"), now: now - keep.deliveries - 60_000 });
    await store.commit({ done: seqs("young"), now: now - keep.deliveries + 3_600_000 });
    for (const seq of seqs("dead-")) {
      await store.buryDelivery(seq, "no");
    }
    const entries = Array.from({ length: 600 }, (_, index) => ({ key: `k${index}`, scope: "s", value: 1 }));
    await store.cache(entries, now - keep.cache - 60_000);
    await store.cache([{ key: "kept", scope: "s", value: 1 }], now - keep.cache + 3_600_000);
    const created = (at: number) => [{ event: { type: "coordinator_started", at } }] as const;
    for (const [run, over] of [
      ["old", now - keep.runs - 60_000],
      ["young", now - keep.runs + 3_600_000],
      ["going-on", null],
    ] as const) {
      await store.runs.append(run, 0, created(1));
      if (over !== null) {
        await store.runs.close(run, over);
      }
    }
    await maintenance();
    const known = await store.knownDeliveries(taken.map((each) => each.id));
    expect([...known].sort()).toEqual(["dead-young", "young"]);
    expect(await store.cached("k0", 0)).toBeUndefined();
    expect(await store.cached("k599", 0)).toBeUndefined();
    expect(await store.cached("kept", 0)).toBe(1);
    expect((await store.runs.list(10)).items.map(({ id }) => id).sort()).toEqual(["going-on", "young"]);
    expect(await store.runs.load("old")).toBeNull();
    expect((await store.runs.load("young"))?.records).toHaveLength(1);
  });
});
