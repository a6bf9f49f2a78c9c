import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Claim, ClaimLost, type Store, type TakenClaim } from "../../../app/store/model.ts";
import { isPostgresUrl, openStore } from "../../../app/store/open.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";
import { openMemoryStore } from "./memory.ts";

const LEASE = 15_000;
const REQUEST = 10_000;

// Where the store's clock is injected: times are exact.
let at = 0;
let store: Store;
beforeEach(async () => {
  at = 1_000_000;
  store = await openMemoryStore({ now: () => at });
});
afterEach(() => store.close());

const beat = (id: string, leaseMs = LEASE) =>
  store.replicas.beat({ id, address: `http://${id}`, version: "1" }, leaseMs);
const take = (owner: string, ...keys: string[]) => store.claims.claim({ keys, owner, requestMs: REQUEST });
async function takeOne(owner: string, key: string): Promise<TakenClaim> {
  const [taken] = await take(owner, key);
  if (taken === undefined) throw new Error(`${owner} did not get ${key}`);
  return taken;
}

describe("the lease of a replica", () => {
  it("is renewed by each beat, and tells whether it had ended before", async () => {
    expect(await beat("a")).toEqual({
      unbroken: false,
      live: [{ id: "a", address: "http://a", version: "1", until: at + LEASE }],
    });
    at += LEASE - 1;
    expect(await beat("b")).toMatchObject({ unbroken: false, live: [{ id: "a" }, { id: "b" }] });
    expect(await beat("a")).toMatchObject({ unbroken: true, live: [{ id: "a" }, { id: "b" }] });
    at += LEASE;
    expect(await beat("a")).toMatchObject({ unbroken: false, live: [{ id: "a" }] });
  });

  it("ends at once when the replica leaves", async () => {
    await beat("a");
    await beat("b");
    await takeOne("a", "k");
    await store.replicas.leave("a");
    expect(await beat("b")).toMatchObject({ live: [{ id: "b" }] });
    expect(await takeOne("b", "k")).toMatchObject({ unreleased: true, waitMs: REQUEST });
  });
});

describe("a claim", () => {
  it("is one replica's at a time", async () => {
    await beat("a");
    await beat("b");
    const taken = await take("a", "y", "x", "x");
    expect(taken.map(({ claim }) => claim.key)).toEqual(["x", "y"]);
    expect(taken).toMatchObject([{ waitMs: 0, unreleased: false }, { waitMs: 0 }]);
    expect(await take("b", "x", "y", "z")).toMatchObject([{ claim: { key: "z", owner: "b" } }]);
    expect(await store.claims.ownerOf("x")).toEqual({ owner: "a", address: "http://a" });
    expect(await store.claims.ownerOf("nobody's")).toBeNull();
    expect(await store.claims.heldBy("a")).toEqual(taken.map(({ claim }) => claim));
    at += LEASE;
    expect(await store.claims.ownerOf("x")).toBeNull();
  });

  it("is not given to a replica without a lease", async () => {
    expect(await take("a", "x")).toEqual([]);
    await beat("a");
    at += LEASE;
    expect(await take("a", "x")).toEqual([]);
  });

  it("never has a fence that was given before, of whatever key", async () => {
    await beat("a");
    const fences: number[] = [];
    for (let times = 0; times < 3; times += 1) {
      const taken = await take("a", "x", "y");
      fences.push(...taken.map(({ claim }) => claim.fence));
      await store.claims.release(taken.map(({ claim }) => claim));
    }
    at += 1;
    await store.claims.prune(at);
    fences.push((await takeOne("a", "x")).claim.fence);
    expect(new Set(fences).size).toBe(7);
    expect(Math.max(...fences)).toBe(fences.at(-1));
  });

  it("that was released is free at once", async () => {
    await beat("a");
    await beat("b");
    const { claim } = await takeOne("a", "x");
    expect(await take("b", "x")).toEqual([]);
    await store.claims.release([claim]);
    expect(await takeOne("b", "x")).toMatchObject({ waitMs: 0, unreleased: false });
    // Whoever had it before cannot give it back again.
    await store.claims.release([claim]);
    expect(await store.claims.ownerOf("x")).toMatchObject({ owner: "b" });
  });

  it("is taken over when its owner's lease has ended, and its requests are waited out", async () => {
    await beat("a");
    await takeOne("a", "x");
    at += LEASE - 1;
    await beat("b");
    expect(await take("b", "x")).toEqual([]);
    at += 1;
    const taken = await takeOne("b", "x");
    expect(taken).toMatchObject({ waitMs: REQUEST, unreleased: true });
    // Whoever takes it next waits as long, although this one released it.
    at += 4_000;
    await store.claims.release([taken.claim]);
    await beat("c");
    expect(await takeOne("c", "x")).toMatchObject({ waitMs: REQUEST - 4_000, unreleased: false });
  });

  it("is waited for no more, long after its owner's lease has ended", async () => {
    await beat("a");
    await takeOne("a", "x");
    at += LEASE + REQUEST;
    await beat("b");
    expect(await takeOne("b", "x")).toMatchObject({ waitMs: 0, unreleased: true });
  });

  it("is taken anew by its owner, and what was begun under the one before is fenced off", async () => {
    await beat("a");
    const before = await takeOne("a", "x");
    const again = await takeOne("a", "x");
    expect(again).toMatchObject({ waitMs: 0, unreleased: true });
    expect(again.claim.fence).toBeGreaterThan(before.claim.fence);
    await expect(store.claims.within(before.claim, () => store.setMeta("k", "old"))).rejects.toThrow(/stand/u);
    await store.claims.within(again.claim, () => store.setMeta("k", "new"));
    expect(await store.meta("k")).toBe("new");
  });

  it("is kept through a lease that had ended, if nobody took it over meanwhile", async () => {
    await beat("a");
    const { claim } = await takeOne("a", "x");
    at += 5 * LEASE;
    expect(await beat("a")).toMatchObject({ unbroken: false });
    expect(await store.claims.heldBy("a")).toEqual([claim]);
    await store.claims.within(claim, () => store.setMeta("k", "v"));
    expect(await store.meta("k")).toBe("v");
  });

  it("is forgotten some time after it was released, its replica once nothing is left of it", async () => {
    await beat("a");
    const [x] = (await take("a", "x", "y")).map(({ claim }) => claim);
    await store.claims.release(x === undefined ? [] : [x]);
    at += LEASE;
    expect(await store.claims.prune(at)).toBe(1);
    await beat("b");
    expect((await takeOne("b", "y")).unreleased).toBe(true);
    expect(await store.claims.prune(at + 1)).toBe(1);
    expect(await store.claims.prune(at + 1)).toBe(0);
  });
});

describe("what GitHub asks of a key", () => {
  const kept = (key: string, heldMs: number, nextWriteMs = 0) => store.claims.keepPace({ key, heldMs, nextWriteMs });

  it("is kept until it is over, of whoever has the key, and never for less than was said before", async () => {
    await kept("x", 60_000);
    await kept("x", 30_000, 1_000);
    await kept("y", 0, 500);
    expect(await store.claims.paces()).toEqual([
      { key: "x", heldMs: 60_000, nextWriteMs: 1_000 },
      { key: "y", heldMs: 0, nextWriteMs: 500 },
    ]);
    await beat("a");
    // That it was said makes it nobody's.
    expect(await takeOne("a", "x")).toMatchObject({ waitMs: 0, unreleased: false });
    at += 59_000;
    expect(await store.claims.paces()).toEqual([{ key: "x", heldMs: 1_000, nextWriteMs: 0 }]);
    expect(await store.claims.paces("y")).toEqual([]);
    await kept("x", 2_000);
    expect(await store.claims.paces("x")).toEqual([{ key: "x", heldMs: 2_000, nextWriteMs: 0 }]);
    at += 2_000;
    expect(await store.claims.paces()).toEqual([]);
  });

  it("is not forgotten with a claim that ended long ago", async () => {
    await beat("a");
    await store.claims.release([(await takeOne("a", "x")).claim, (await takeOne("a", "y")).claim]);
    at += LEASE;
    await kept("x", 60_000);
    expect(await store.claims.prune(at)).toBe(1);
    expect(await store.claims.paces()).toMatchObject([{ key: "x" }]);
    at += 60_001;
    // With its replica, of whom nothing is left.
    expect(await store.claims.prune(at)).toBe(2);
  });
});

describe("work within a claim", () => {
  const lost: Claim = { key: "x", owner: "gone", fence: 1 };

  it("has the claim checked by what it began later, and by nothing outside", async () => {
    const late = Promise.withResolvers<void>();
    const write = store.claims.within(lost, async () => {
      await late.promise;
      await store.setMeta("k", "inside");
    });
    await store.setMeta("k", "outside");
    late.resolve();
    await expect(write).rejects.toMatchObject({ name: "ClaimLost", claim: lost });
    expect(await store.meta("k")).toBe("outside");
    await store.claims.within(lost, () => store.claims.outside(() => store.setMeta("k", "let out")));
    expect(await store.meta("k")).toBe("let out");
  });

  it("reads whatever becomes of the claim", async () => {
    await store.setMeta("k", "v");
    expect(await store.claims.within(lost, () => store.meta("k"))).toBe("v");
  });
});

describe.each(DATABASES)("replicas on $name", ({ empty }) => {
  const LONG = 3_600_000;
  const names = ["a", "b", "c"] as const;
  let database: EmptyDatabase;
  let stores: Store[];
  beforeEach(async () => {
    database = await empty();
    stores = [];
    for (const id of names) {
      // Of SQLite there is but one connection.
      const [first] = stores;
      const opened = first !== undefined && !isPostgresUrl(database.url) ? first : await openStore(database.url);
      stores.push(opened);
      await opened.replicas.beat({ id, address: null, version: "1" }, LONG);
    }
  });
  afterEach(async () => {
    for (const each of new Set(stores)) await each.close();
    database.remove();
  });
  const of = (index: number): Store => stores[index] ?? store;
  const claim = (index: number, keys: readonly string[]) =>
    of(index).claims.claim({ keys, owner: names[index] ?? "", requestMs: LONG });

  it("never both have a key, however they reach for it at once", async () => {
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    // In orders of their own: none waits for what another holds while it holds what that waits for.
    const orders = [keys, keys.toReversed(), [...keys.slice(6), ...keys.slice(0, 6)]];
    const taken = (await Promise.all(orders.map((order, index) => claim(index, order)))).flat();
    expect(taken.map(({ claim: { key } }) => key).sort()).toEqual(keys.toSorted());
    expect(new Set(taken.map(({ claim: { fence } }) => fence)).size).toBe(keys.length);
  });

  it("have a key taken over only after its owner's lease, and from then on the owner writes nothing", async () => {
    const [first] = await claim(0, ["k"]);
    if (first === undefined) throw new Error("it is free");
    await of(0).claims.within(first.claim, () => of(0).setMeta("m", "by a"));
    expect(await claim(1, ["k"])).toEqual([]);
    await of(0).replicas.beat({ id: "a", address: null, version: "1" }, 0);
    const [second] = await claim(1, ["k"]);
    expect(second).toMatchObject({ unreleased: true });
    expect(second?.waitMs).toBeGreaterThan(0);
    expect(await of(0).replicas.beat({ id: "a", address: null, version: "1" }, LONG)).toMatchObject({
      unbroken: false,
    });
    await expect(of(0).claims.within(first.claim, () => of(0).setMeta("m", "late"))).rejects.toThrow(ClaimLost);
    await expect(of(0).claims.within(first.claim, () => of(0).commit({ done: [1], now: 1 }))).rejects.toThrow(
      ClaimLost,
    );
    expect(await of(2).meta("m")).toBe("by a");
    expect(await of(2).claims.ownerOf("k")).toMatchObject({ owner: "b" });
    expect(await of(2).claims.heldBy("a")).toEqual([]);
  });

  it("know what GitHub asks of a key, whichever of them has heard it and has the key", async () => {
    await claim(0, ["k"]);
    await Promise.all(
      names.map((_, index) => of(index).claims.keepPace({ key: "k", heldMs: LONG, nextWriteMs: LONG })),
    );
    for (const index of [0, 1, 2]) {
      const [pace, ...others] = await of(index).claims.paces();
      expect([pace?.key, others]).toEqual(["k", []]);
      expect(pace?.heldMs).toBeGreaterThan(LONG - 60_000);
      expect(pace?.nextWriteMs).toBeLessThanOrEqual(LONG);
    }
    expect(await of(0).claims.ownerOf("k")).toMatchObject({ owner: "a" });
  });

  it("leave a key alone while its owner is just writing under it", async () => {
    if (!isPostgresUrl(database.url)) return;
    const [first] = await claim(0, ["k"]);
    expect(first).toBeDefined();
    await of(0).replicas.leave("a");
    const writer = new pg.Client({ connectionString: database.url });
    await writer.connect();
    try {
      await writer.query("begin");
      await writer.query("select 1 from claims where key = 'k' for share");
      expect(await claim(1, ["k", "other"])).toMatchObject([{ claim: { key: "other" } }]);
      await writer.query("commit");
      expect(await claim(1, ["k"])).toHaveLength(1);
      // Nor is it taken while its owner renews its lease.
      await of(1).replicas.leave("b");
      await writer.query("begin");
      await writer.query("select 1 from replicas where id = 'b' for update");
      expect(await claim(2, ["k"])).toEqual([]);
      await writer.query("commit");
      expect(await claim(2, ["k"])).toHaveLength(1);
    } finally {
      await writer.end();
    }
  });
});
