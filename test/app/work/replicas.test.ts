import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Notifications } from "../../../app/store/database/notifications.ts";
import { type Claim, ClaimLost, type Store } from "../../../app/store/model.ts";
import type { OwnershipListener, Scope } from "../../../app/work/replicas/ownership.ts";
import { preferredReplica } from "../../../app/work/replicas/preference.ts";
import { relayWakeups } from "../../../app/work/replicas/relay.ts";
import { ReplicaOwnership } from "../../../app/work/replicas/replica.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { emptiedPostgres } from "../../postgres/postgres.ts";
import { openMemoryStore } from "../store/memory.ts";

const log = pino({ level: "silent" });

describe("the preferred replica of a key", () => {
  const keys = Array.from({ length: 300 }, (_, index) => `installation:${index}`);
  const share = (replicas: readonly string[]) => Map.groupBy(keys, (key) => preferredReplica(key, replicas));

  it("is each replica for about as many", () => {
    for (const [, some] of share(["a", "b", "c"])) expect(Math.abs(some.length - 100)).toBeLessThan(40);
    expect(preferredReplica("k", [])).toBeNull();
  });

  it("stays, whoever joins, but for what the newcomer gets", () => {
    const [before, after] = [share(["a", "b"]), share(["c", "b", "a"])];
    for (const [id, some] of after) {
      if (id !== "c") expect(some.every((key) => before.get(id)?.includes(key))).toBe(true);
    }
  });
});

describe("a replica", () => {
  const opened: { stop(): Promise<void> }[] = [];
  let store: Store;
  let at = 1_000_000;
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.stop();
    await store.close();
  });

  async function open(): Promise<void> {
    at = 1_000_000;
    store = await openMemoryStore({ now: () => at });
  }

  async function join(id: string) {
    const wakeups = new Wakeups();
    const timings = { ...DEFAULT_TIMINGS, lease: 30_000, beatEvery: 10_000, requestTimeout: 5_000 };
    const replica = new ReplicaOwnership({
      store,
      replica: { id, address: null, version: "1" },
      log,
      now: () => at,
      timings,
      wakeups,
    });
    const told: [string, Scope][] = [];
    const listener: OwnershipListener = {
      taken: async (scope) => void told.push(["taken", scope]),
      released: async (scope) => void told.push(["released", scope]),
      lost: (scope) => void told.push(["lost", scope]),
    };
    await replica.start(listener);
    opened.push(replica);
    const settled = async (): Promise<void> => {
      for (let rounds = 0; rounds < 20; rounds += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    /** Looks again, as its timer would have it. */
    const look = async (): Promise<void> => {
      wakeups.hear("claims", null);
      await settled();
    };
    return { replica, told, look };
  }

  it("takes what it is asked for, works at it under its claim, and gives it back at its end", async () => {
    await open();
    const a = await join("a");
    expect(a.replica.owns(5)).toBe(false);
    await a.look();
    expect(a.replica.owns(5)).toBe(true);
    let claim: Claim | null = null;
    await a.replica.run(5, async () => {
      claim = store.claims.inForce();
      a.replica.assertOwned();
    });
    expect(claim).toMatchObject({ key: "installation:5", owner: "a" });
    await a.replica.stop();
    expect(a.told).toEqual([
      ["taken", 5],
      ["released", 5],
    ]);
    expect(await store.claims.ownerOf("installation:5")).toBeNull();
    const b = await join("b");
    b.replica.owns(5);
    await b.look();
    // It was given back: there is nothing to wait for.
    expect(b.replica.owns(5)).toBe(true);
    expect(b.replica.counts.takeovers).toBe(0);
  });

  it("gives back at once what nothing is going on of when it retires, and the rest as it ends", async () => {
    await open();
    const a = await join("a");
    a.replica.owns(5);
    a.replica.owns(6);
    await a.look();
    const hanging = Promise.withResolvers<void>();
    const going = a.replica.run(5, () => hanging.promise);
    a.replica.retire();
    await a.look();
    expect(await store.claims.ownerOf("installation:6")).toBeNull();
    expect(await store.claims.ownerOf("installation:5")).toMatchObject({ owner: "a" });
    expect([a.replica.owns(5), a.replica.owns(6), a.replica.owns(7)]).toEqual([false, false, false]);
    hanging.resolve();
    await going;
    await a.look();
    expect(await store.claims.ownerOf("installation:5")).toBeNull();
    expect(a.told.filter(([what]) => what === "released")).toEqual([
      ["released", 6],
      ["released", 5],
    ]);
    expect(a.replica.counts.handovers).toBe(0);
  });

  it("begins nothing once its lease may have ended, and drops what somebody else has taken meanwhile", async () => {
    await open();
    const a = await join("a");
    a.replica.owns(5);
    await a.look();
    const hanging = Promise.withResolvers<void>();
    const late = a.replica.run(5, async () => {
      await hanging.promise;
      a.replica.assertOwned();
    });
    const later = a.replica.run(5, async () => {
      await hanging.promise;
      await store.setMeta("k", "late");
    });
    at += 30_000;
    expect(a.replica.owns(5)).toBe(false);
    await expect(a.replica.run(5, async () => a.replica.assertOwned())).rejects.toThrow(ClaimLost);
    const b = await join("b");
    b.replica.owns(5);
    await b.look();
    // It waits for what "a" may have sent.
    expect(b.replica.owns(5)).toBe(false);
    at += 5_000;
    await b.look();
    expect(b.replica.owns(5)).toBe(true);
    expect(b.replica.counts.takeovers).toBe(1);
    hanging.resolve();
    await expect(late).rejects.toThrow(ClaimLost);
    await expect(later).rejects.toThrow(ClaimLost);
    expect(await store.meta("k")).toBeNull();
    await a.look();
    expect(a.told.at(-1)).toEqual(["lost", 5]);
  });

  it("goes on with what nobody has taken, when its lease was renewed late", async () => {
    await open();
    const a = await join("a");
    a.replica.owns(5);
    await a.look();
    at += 60_000;
    expect(a.replica.owns(5)).toBe(false);
    const { breaks } = a.replica.inForce();
    await a.look();
    expect(a.replica.owns(5)).toBe(true);
    expect(a.replica.inForce().breaks).toBe(breaks + 1);
    expect(a.told).toEqual([["taken", 5]]);
  });

  it("renews its lease in time although the clock is set back by an hour", async () => {
    await open();
    let steady = performance.now();
    const watch = vi.spyOn(performance, "now").mockImplementation(() => steady);
    try {
      const a = await join("a");
      a.replica.owns(5);
      await a.look();
      at -= 3_600_000;
      steady += 20_000;
      await a.look();
      steady += 20_000;
      expect(a.replica.owns(5)).toBe(true);
      expect(a.replica.inForce().breaks).toBe(0);
    } finally {
      watch.mockRestore();
    }
  });

  it("hands over what a newcomer is preferred for, once what it has begun has ended", async () => {
    await open();
    const a = await join("a");
    const scopes = Array.from({ length: 12 }, (_, index) => index);
    for (const scope of scopes) a.replica.owns(scope);
    await a.look();
    const theirs = scopes.filter((scope) => preferredReplica(`installation:${scope}`, ["a", "b"]) === "b");
    const [busy = 0, ...idle] = theirs;
    const hanging = Promise.withResolvers<void>();
    const working = a.replica.run(busy, () => hanging.promise);
    const b = await join("b");
    at += 10_000;
    await a.look();
    for (const scope of theirs) b.replica.owns(scope);
    await b.look();
    expect(idle.length).toBeGreaterThan(0);
    expect(idle.every((scope) => b.replica.owns(scope))).toBe(true);
    expect([a.replica.owns(busy), b.replica.owns(busy)]).toEqual([false, false]);
    hanging.resolve();
    await working;
    await a.look();
    b.replica.owns(busy);
    await b.look();
    expect(b.replica.owns(busy)).toBe(true);
    expect(b.replica.counts.takeovers).toBe(0);
    expect(scopes.filter((scope) => a.replica.owns(scope) === b.replica.owns(scope))).toEqual([]);
  });
});

describe("what replicas say to each other over PostgreSQL", () => {
  it("is heard by the others, also after the connection was lost, and not by who said it", async () => {
    const url = await emptiedPostgres();
    const heard: string[] = [];
    const open: Notifications[] = [];
    const connect = async (id: string, inForce: Claim | null = null) => {
      const wakeups = new Wakeups();
      let count = 0;
      let again = Promise.withResolvers<void>();
      let hear = (_: string): void => undefined;
      const notifications = new Notifications({
        url,
        log,
        heard: (text) => hear(text),
        listening: () => {
          count += 1;
          again.resolve();
          again = Promise.withResolvers();
        },
      });
      hear = relayWakeups(wakeups, notifications, { replica: id, inForce: () => inForce });
      wakeups.on("deliveries", (about) => heard.push(`${id} heard ${about}`));
      open.push(notifications);
      const { promise } = again;
      notifications.start();
      await promise;
      return { wakeups, times: () => count, again: () => again.promise };
    };
    const until = async (line: string): Promise<void> => {
      while (!heard.includes(line)) await sleep(5);
    };
    const a = await connect("a");
    const b = await connect("b");
    const owner = await connect("c", { key: "installation:5", owner: "c", fence: 1 });
    // What an owner says of its own is for itself.
    owner.wakeups.notify("deliveries", 1);
    a.wakeups.notify("deliveries", 7);
    await until("b heard 7");
    await until("c heard 7");
    expect(heard.toSorted()).toEqual(["a heard 7", "b heard 7", "c heard 1", "c heard 7"]);
    // But for what may be another installation's, and what is done once for the whole app.
    owner.wakeups.notifyAll("deliveries");
    await until("b heard null");
    const once = await connect("d", { key: "app", owner: "d", fence: 2 });
    once.wakeups.notify("deliveries", 3);
    await until("b heard 3");
    const back = b.again();
    const { default: pg } = await import("pg");
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'",
    );
    await other.end();
    await back;
    expect(b.times()).toBe(2);
    b.wakeups.notify("deliveries", 8);
    await until("b heard 8");
    await Promise.all(open.map((each) => each.close()));
  });
});
