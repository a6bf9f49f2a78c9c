import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import type { Delivery, NewDelivery, Store } from "../../../app/store/model.ts";
import { Inbox, type InboxOptions } from "../../../app/webhooks/inbox.ts";
import { SOLE_OWNERSHIP } from "../../../app/work/replicas/ownership.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { openMemoryStore } from "../store/memory.ts";

describe("the inbox", () => {
  let store: Store;
  const open: Inbox[] = [];
  beforeEach(async () => {
    store = await openMemoryStore();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) {
      await each.stop();
    }
    await store.close();
  });

  const inbox = (handle: InboxOptions["handle"], overrides: Partial<InboxOptions> = {}) => {
    const made = new Inbox({
      store,
      handle,
      log: pino({ level: "silent" }),
      now: Date.now,
      pauses: [5, 10],
      ...overrides,
    });
    open.push(made);
    return made;
  };
  const delivery = (id: string, key: string): NewDelivery => ({ id, key, event: "ping", payload: "{}", receivedAt: 0 });

  it("handles what has one key in order, and other keys meanwhile", async () => {
    const seen: string[] = [];
    const release: (() => void)[] = [];
    const box = inbox(async (each) => {
      if (each.id === "a1") {
        await new Promise<void>((resolve) => release.push(resolve));
      }
      seen.push(each.id);
      return false;
    });
    await Promise.all([delivery("a1", "a"), delivery("a2", "a"), delivery("b1", "b")].map((each) => box.accept(each)));
    while (seen.length < 1) {
      await sleep(1);
    }
    expect(seen).toEqual(["b1"]);
    release[0]?.();
    await box.idle();
    expect(seen).toEqual(["b1", "a1", "a2"]);
    expect(await store.countDeliveries()).toEqual({ pending: 0, done: 3, dead: 0 });
  });

  it("never handles more keys at once than it may", async () => {
    let active = 0;
    let most = 0;
    const box = inbox(
      async () => {
        active += 1;
        most = Math.max(most, active);
        await sleep(2);
        active -= 1;
        return false;
      },
      { concurrency: 3 },
    );
    await Promise.all(Array.from({ length: 20 }, (_, index) => box.accept(delivery(`${index}`, `${index}`))));
    await box.idle();
    expect(most).toBe(3);
  });

  it("tries again what failed, keeping the order, and goes on after it", async () => {
    const seen: string[] = [];
    const box = inbox(async (each) => {
      seen.push(each.id);
      if (each.id === "a1" && each.tries < 2) {
        throw new Error("not now");
      }
      return false;
    });
    await Promise.all([box.accept(delivery("a1", "a")), box.accept(delivery("a2", "a"))]);
    await box.idle();
    expect(seen).toEqual(["a1", "a1", "a1", "a2"]);
    expect(await store.countDeliveries()).toEqual({ pending: 0, done: 2, dead: 0 });
  });

  it("handles what was stored although the store's answer was lost, once, and knows it when it comes again", async () => {
    const seen: string[] = [];
    const handle = async ({ id }: Delivery) => {
      seen.push(id);
      return false;
    };
    let lost = 2;
    const failing: Store = {
      ...store,
      acceptDeliveries: async (batch) => {
        await store.acceptDeliveries(batch);
        throw new Error("the connection was lost");
      },
      pendingDeliveries: async (after, limit) => {
        lost -= 1;
        if (lost > 0) throw new Error("the connection is still lost");
        return await store.pendingDeliveries(after, limit);
      },
    };
    const box = inbox(handle, { store: failing, readAgainAfter: 1 });
    await expect(box.accept(delivery("a", "k"))).rejects.toThrow("was lost");
    await box.idle();
    expect(seen).toEqual(["a"]);
    expect(await inbox(handle).accept(delivery("a", "k"))).toBe("duplicate");
    expect(await store.countDeliveries()).toEqual({ pending: 0, done: 1, dead: 0 });
  });

  it("keeps what fails for good as dead, with its error, and takes it up again on demand", async () => {
    let broken = true;
    const box = inbox(async () => {
      if (broken) {
        throw new Error("out of order");
      }
      return false;
    });
    await box.accept(delivery("a1", "a"));
    await box.accept(delivery("a2", "a"));
    await box.idle();
    const { items } = await store.deadDeliveries(10);
    expect(items.map((each) => each.id)).toEqual(["a2", "a1"]);
    expect(items[0]?.error).toContain("out of order");
    expect(items[0]?.tries).toBe(3);
    broken = false;
    expect(await box.revive("a1")).toBe(true);
    expect(await box.revive("a1")).toBe(false);
    await box.idle();
    expect(await store.countDeliveries()).toEqual({ pending: 0, done: 1, dead: 1 });
  });

  it("does not try again what cannot be read", async () => {
    const box = inbox(async () => {
      z.object({ number: z.number() }).parse({});
      return false;
    });
    await box.accept(delivery("a1", "a"));
    await box.idle();
    const { items } = await store.deadDeliveries(10);
    expect(items).toMatchObject([{ tries: 1 }]);
    expect(items[0]?.error).toContain("number");
  });

  it("takes up after a restart what was accepted before it, in the same order", async () => {
    await store.acceptDeliveries([delivery("a1", "a"), delivery("b1", "b"), delivery("a2", "a")]);
    const seen: Delivery[] = [];
    const box = inbox(async (each) => seen.push(each) < 0);
    await box.start();
    await box.idle();
    expect(seen.filter((each) => each.key === "a").map((each) => each.id)).toEqual(["a1", "a2"]);
    expect(seen).toHaveLength(3);
  });

  it("reads of what others stored only what they name, and now and then all", async () => {
    const asked: unknown[] = [];
    const seen: string[] = [];
    const watching: Store = {
      ...store,
      pendingDeliveries: async (...given) => {
        asked.push(given[2]);
        return await store.pendingDeliveries(...given);
      },
      pendingInstallations: async () => {
        asked.push("all");
        return await store.pendingInstallations();
      },
    };
    const from = (id: string, installationId: number): NewDelivery => ({ ...delivery(id, id), installationId });
    let at = 1_000_000;
    const wakeups = new Wakeups();
    const ownership = { ...SOLE_OWNERSHIP, shared: true, owns: (scope: unknown) => scope !== 9 };
    const timings = { sharedPoll: 10_000 };
    const box = inbox(async ({ id }) => seen.push(id) < 0, {
      ...{ store: watching, ownership, wakeups, timings, now: () => at },
    });
    const others = async (): Promise<unknown[]> => {
      await vi.waitFor(() => expect(box.worker.idle).toBe(true), { interval: 2 });
      return asked.splice(0);
    };
    await box.start();
    expect(await others()).toEqual(["all"]);
    await store.acceptDeliveries([from("a", 5), from("b", 6), from("c", 9)]);
    wakeups.hear("deliveries", 5);
    wakeups.hear("deliveries", 9);
    expect(await others()).toEqual([5]);
    expect(seen).toEqual(["a"]);
    at += 10_000;
    wakeups.hear("deliveries", 9);
    expect(await others()).toEqual(["all", 6]);
    expect(seen).toEqual(["a", "b"]);
    await store.acceptDeliveries([from("d", 6)]);
    wakeups.hear("deliveries", null);
    expect(await others()).toEqual(["all", 6]);
    expect(seen).toEqual(["a", "b", "d"]);
    // The clock is set back.
    at -= 3_600_000;
    wakeups.hear("deliveries", 9);
    expect(await others()).toEqual(["all"]);
  });

  it("marks deliveries as done once the store takes it, though it refused at first", async () => {
    let refusals = 2;
    const refusing = new Proxy(store, {
      get(target, key, receiver) {
        if (key !== "commit") return Reflect.get(target, key, receiver);
        return async (commit: Parameters<Store["commit"]>[0]) => {
          refusals -= 1;
          if (refusals >= 0) throw new Error("database is locked");
          return await target.commit(commit);
        };
      },
    });
    const box = inbox(async () => false, { store: refusing, markAgainAfter: 1 });
    await box.accept(delivery("a1", "a"));
    await box.idle();
    expect(await store.countDeliveries()).toEqual({ pending: 0, done: 1, dead: 0 });
  });

  it("stops although the store takes nothing any more", async () => {
    const broken = new Proxy(store, {
      get(target, key, receiver) {
        if (key !== "commit") return Reflect.get(target, key, receiver);
        return async () => Promise.reject(new Error("disk full"));
      },
    });
    const box = inbox(async () => false, { store: broken, markAgainAfter: 1 });
    await box.accept(delivery("a1", "a"));
    await box.stop();
    expect(await store.countDeliveries()).toEqual({ pending: 1, done: 0, dead: 0 });
  });

  it("stops after what it is doing, and leaves the rest for the next time", async () => {
    const box = inbox(async () => {
      await sleep(5);
      return false;
    });
    await Promise.all(["1", "2", "3"].map((id) => box.accept(delivery(id, "a"))));
    await box.stop();
    const { pending, done } = await store.countDeliveries();
    expect(pending + done).toBe(3);
    expect(pending).toBeGreaterThan(0);
  });
});
