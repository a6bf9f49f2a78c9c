/** What is due is worked through in turns, and nobody waits for somebody else's trouble. */
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { HandleContext } from "../../../app/work/due-queue.ts";
import { DueWorker, type DueWorkerOptions } from "../../../app/work/due-worker.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { InstallationWriters } from "../../../app/work/writer/installation-writer.ts";

interface Item {
  readonly id: string;
  readonly installation: number;
  readonly repository: number;
  readonly pull: string;
  at: number;
}

const workers: DueWorker<Item>[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 1_000_000 });
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

/** A store of due items, and a worker that hands them to `handle`; what was handled is not due any more. */
function house(handle: (item: Item, context: HandleContext) => Promise<void>, given: Partial<DueWorkerOptions> = {}) {
  const stored = new Map<string, Item>();
  const asked: number[] = [];
  const wakeups = new Wakeups();
  const writers = new InstallationWriters({ now: Date.now, timings: DEFAULT_TIMINGS });
  const due = (until: number) => [...stored.values()].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
  const failed: string[] = [];
  const worker = new DueWorker<Item>(
    { log: pino({ level: "silent" }), now: Date.now, timings: DEFAULT_TIMINGS, writers, wakeups, ...given },
    {
      what: "items",
      topic: "effects",
      kind: null,
      idOf: ({ id }) => id,
      orderKeyOf: ({ pull }) => pull,
      repositoryOf: ({ repository }) => repository,
      outlook: async (until) => {
        const later = [...stored.values()].map(({ at }) => at).filter((at) => at > until);
        const nextAt = later.length === 0 ? null : Math.min(...later);
        return { installations: [...new Set(due(until).map(({ installation }) => installation))], nextAt };
      },
      due: async (id, until, limit) => {
        asked.push(limit);
        return due(until)
          .filter(({ installation }) => installation === id)
          .slice(0, limit);
      },
      handle: async (items, context) => {
        for (const item of items) {
          await handle(item, context);
          stored.delete(item.id);
        }
      },
      failed: async ({ id }, { kind }) => {
        failed.push(`${id} ${kind}`);
      },
    },
  );
  workers.push(worker);
  const add = (installation: number, count: number, of: Partial<Item> = {}): void => {
    for (let n = 0; n < count; n += 1) {
      const id = `${installation}-${stored.size}-${n}`;
      stored.set(id, { id, installation, repository: installation, pull: id, at: Date.now(), ...of });
    }
  };
  return { add, stored, asked, worker, wakeups, writers, failed };
}

/** Until nothing goes on that waits for promises only. */
async function quiet(rounds = 200): Promise<void> {
  for (let n = 0; n < rounds; n += 1) {
    await turn();
  }
}

it("an installation whose requests hang keeps no other waiting, however much of it is due", async () => {
  const hung = new Set<string>();
  const end = Promise.withResolvers<void>();
  const { add, stored, worker } = house(async ({ id, installation }) => {
    if (installation === 1) {
      hung.add(id);
      await end.promise;
    }
  });
  add(1, 500);
  for (let installation = 2; installation <= 60; installation += 1) {
    add(installation, 5);
  }
  worker.wake();
  await quiet(1_000);
  expect([...stored.values()].every(({ installation }) => installation === 1)).toBe(true);
  expect(hung.size).toBe(4);
  end.resolve();
});

it("nothing of an installation is begun while GitHub has asked to leave it alone, and all of it after", async () => {
  let begun = 0;
  const { add, stored, worker, writers } = house(async () => {
    begun += 1;
    throw Object.assign(new Error("too much"), { status: 429, response: { headers: { "retry-after": "60" } } });
  });
  add(1, 200);
  worker.wake();
  await quiet();
  // Those that were on their way already; before, each of the 200 was tried again and again in that minute.
  expect(begun).toBeLessThanOrEqual(4);
  expect(writers.of(1).isHeld).toBe(true);
  const before = begun;
  vi.advanceTimersByTime(59_000);
  await quiet();
  expect(begun).toBe(before);
  vi.advanceTimersByTime(2_000);
  await quiet();
  expect(begun).toBeGreaterThan(before);
  expect(stored.size).toBe(200);
});

it("of what belongs together one is handled at a time, in order, and it keeps nothing else waiting", async () => {
  const handled: string[] = [];
  const first = Promise.withResolvers<void>();
  const { add, worker, stored } = house(
    async ({ id, pull }) => {
      handled.push(id);
      if (pull === "P") {
        await first.promise;
      }
    },
    { page: 4 },
  );
  add(1, 40, { pull: "P" });
  add(1, 3, { at: Date.now() + 1 });
  vi.advanceTimersByTime(1);
  worker.wake();
  await quiet();
  const others = handled.filter((id) => stored.get(id)?.pull !== "P");
  expect(others).toHaveLength(3);
  expect(handled.length - others.length).toBe(1);
  first.resolve();
  await quiet(1_000);
  expect(stored.size).toBe(0);
  const together = handled.filter((id) => !others.includes(id));
  expect(together).toEqual(together.toSorted((a, b) => Number(a.split("-")[1]) - Number(b.split("-")[1])));
});

it("the repositories of an installation take turns", async () => {
  const handled: number[] = [];
  const { add, worker } = house(async ({ repository }) => void handled.push(repository), { each: 1, page: 8 });
  add(1, 6, { repository: 7 });
  add(1, 2, { repository: 8 });
  worker.wake();
  await quiet();
  expect(handled.slice(0, 4)).toEqual([7, 8, 7, 8]);
  expect(handled).toHaveLength(8);
});

it("what ends while the store is asked is not handled again by what the store said before", async () => {
  const times = new Map<string, number>();
  const { add, worker, wakeups, stored } = house(async ({ id }) => {
    times.set(id, (times.get(id) ?? 0) + 1);
    await turn();
  });
  add(1, 100);
  worker.wake();
  for (let n = 0; n < 400; n += 1) {
    wakeups.notify("effects");
    await turn();
  }
  await quiet();
  expect(stored.size).toBe(0);
  expect([...times.values()].every((count) => count === 1)).toBe(true);
  expect(times.size).toBe(100);
});

it("what falls due is begun at its time, and what nobody told of a little later", async () => {
  const handled: string[] = [];
  const { add, worker } = house(async ({ id }) => void handled.push(id));
  add(1, 1, { at: Date.now() + 5_000 });
  worker.wake();
  await quiet();
  expect(handled).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(5_000);
  await quiet();
  expect(handled).toHaveLength(1);
  add(2, 1);
  await vi.advanceTimersByTimeAsync(61_000);
  await quiet();
  expect(handled).toHaveLength(2);
});

it("what was handed over is told to have failed, and a store that fails is not asked again and again", async () => {
  const { add, worker, failed, stored } = house(async ({ id }) => {
    stored.delete(id);
    throw new Error("connect ECONNREFUSED");
  });
  add(1, 3);
  worker.wake();
  await quiet();
  expect(failed.map((line) => line.split(" ")[1])).toEqual(["temporary", "temporary", "temporary"]);
});

it("stops when what is being handled has ended, and begins nothing more", async () => {
  const end = Promise.withResolvers<void>();
  let begun = 0;
  const { add, worker } = house(async () => {
    begun += 1;
    await end.promise;
  });
  add(1, 10);
  worker.wake();
  await quiet();
  let stopped = false;
  const stopping = worker.stop().then(() => {
    stopped = true;
  });
  await quiet();
  expect(stopped).toBe(false);
  end.resolve();
  await stopping;
  expect(begun).toBe(4);
});

it("what is tried alone, and takes long, is not handled beside that", async () => {
  const handled: string[] = [];
  const end = Promise.withResolvers<void>();
  const { add, worker, stored } = house(async ({ id }) => {
    handled.push(id);
    await end.promise;
  });
  add(1, 1, { pull: "P" });
  const [item] = stored.values();
  if (item === undefined) throw new Error("it was added");
  const alone = worker.alone(item, 1);
  worker.wake();
  await quiet();
  expect(handled).toEqual([item.id]);
  end.resolve();
  await alone;
  add(1, 1, { pull: "P" });
  worker.wake();
  await quiet();
  expect(handled).toHaveLength(2);
  expect(stored.size).toBe(0);
});
