import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RepositoryActivity } from "../../../app/reconciliation/activity.ts";
import { watchFrom } from "../../../app/reconciliation/installed-since.ts";
import { Sweeper } from "../../../app/reconciliation/sweep.ts";
import { peopleQueue, sweepQueue, turnAfter } from "../../../app/reconciliation/sweep-turns.ts";
import type { Store } from "../../../app/store/model.ts";
import type { DueQueue } from "../../../app/work/due-queue.ts";
import { createRuntime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import type { GitHubClient } from "../../../src/github/port.ts";
import { openMemoryStore } from "../store/memory.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = 1_800_000_000_000;
const NO_PULLS = { repository: { pullRequests: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } } };
const context = { installationId: 5, signal: new AbortController().signal, page: {} };

describe("a repository's turns", () => {
  let store: Store;
  let at = START;
  let requests = 0;
  let fails = false;
  beforeEach(async () => {
    at = START;
    requests = 0;
    fails = false;
    store = await openMemoryStore();
  });
  afterEach(() => store.close());

  const client: GitHubClient = {
    request: () => Promise.reject(new Error("no such request is expected")),
    graphql: async () => {
      requests += 1;
      if (fails) throw new Error("GitHub does not answer");
      return NO_PULLS;
    },
  };

  /** What works through the turns from now on, as after a restart or with another owner. */
  function working() {
    const runtime = createRuntime({
      store,
      clients: { app: async () => client, installation: async () => client },
      log: pino({ level: "silent" }),
      now: () => at,
      timings: { ...DEFAULT_TIMINGS, sweepPause: 0 },
    });
    const people = async () => undefined;
    const sweeper = new Sweeper({ ...runtime, appId: 1, comments: people, people });
    const stop = new AbortController().signal;
    const options = { ...runtime, people, startsAt: () => 0 };
    const sweeps = sweepQueue({
      ...options,
      stopped: () => false,
      sweep: (repository) => sweeper.sweep(repository, stop),
      failed: () => undefined,
    });
    const due = async (queue: DueQueue<never>): Promise<number> => {
      let count = 0;
      for (const installationId of (await queue.outlook(at)).installations) {
        const items = await queue.due(installationId, at, 1_000);
        await queue.handle(items, { ...context, installationId });
        count += items.length;
      }
      return count;
    };
    const evaluations = peopleQueue(options);
    return {
      activity: new RepositoryActivity(runtime),
      /** Sweeps what is due, minute by minute. Returns how many were in each. */
      pass: async (minutes: number): Promise<number[]> => {
        const swept: number[] = [];
        for (let minute = 0; minute < minutes; minute += 1) {
          at += MINUTE;
          swept.push(await due(sweeps as DueQueue<never>));
          await due(evaluations as DueQueue<never>);
        }
        return swept;
      },
    };
  }

  async function install(count: number): Promise<void> {
    for (let id = 1; id <= count; id += 1) {
      const known = { id, nodeId: `R${id}`, owner: "acme", name: `r${id}`, defaultBranch: "main", private: false };
      await store.putRepository({ ...known, installationId: 5 });
      await watchFrom(store, id, at);
    }
  }

  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

  it("are four a day where nothing happens: 400 repositories cost 1600 requests, never many at once", async () => {
    await install(400);
    const first = working();
    // What is new is swept at once.
    expect(await first.pass(1)).toEqual([400]);
    requests = 0;
    const swept = await first.pass(DAY / MINUTE);
    expect(requests).toBe(1_600);
    expect(total(swept)).toBe(1_600);
    // 400 in 360 minutes.
    expect(Math.max(...swept)).toBeLessThanOrEqual(3);
  });

  it("are each ten minutes where something happens, 144 requests a day, and rarer again an hour after the last", async () => {
    await install(2);
    const { activity, pass } = working();
    await pass(1);
    requests = 0;
    for (let hour = 0; hour < 24; hour += 1) {
      await activity.note(1);
      await pass(30);
      await activity.note(1);
      await pass(30);
    }
    expect(requests).toBe(144 + 4);
    await pass(60);
    requests = 0;
    await pass(360);
    expect(requests).toBe(1 + 1);
  });

  it("outlive a restart, and whoever works for the installation next goes on with them", async () => {
    await install(50);
    await working().pass(1);
    requests = 0;
    const swept = await working().pass(10);
    expect(total(swept)).toBeLessThanOrEqual(3);
    expect(requests).toBe(total(swept));
  });

  it("come at once when asked for, once more when asked for during a sweep, and where the app is installed anew", async () => {
    await install(1);
    const { pass } = working();
    await pass(1);
    await store.sweeps.request([1], at);
    expect(await pass(2)).toEqual([1, 0]);
    const read = await store.sweeps.of(1);
    if (read === null) throw new Error("it is stored");
    await store.sweeps.request([1], at);
    await store.sweeps.settle(read, { failures: 0, activeSince: 0, activeAt: at + DAY, idleAt: at + DAY });
    expect(await pass(2)).toEqual([1, 0]);
    await store.putRepository({ ...read.repository, installationId: null });
    await store.sweeps.request([1], at);
    expect(await pass(2)).toEqual([0, 0]);
    await store.putRepository({ ...read.repository, installationId: 6 });
    expect(await pass(2)).toEqual([1, 0]);
  });

  it("come after growing pauses of at most ten minutes while they fail, also over restarts", async () => {
    await install(1);
    fails = true;
    const swept: number[] = [];
    for (let n = 0; n < 12; n += 1) swept.push(...(await working().pass(5)));
    const minutes = swept.flatMap((count, minute) => (count === 0 ? [] : [minute]));
    const pauses = minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0));
    expect(pauses).toEqual([1, 1, 2, 4, 8, 10, 10, 10, 10]);
    fails = false;
    await working().pass(11);
    expect(await store.sweeps.of(1)).toMatchObject({ failures: 0 });
  });

  it("of what rests on people come every forty minutes, without a sweep, as long as something does", async () => {
    await install(1);
    const { pass } = working();
    await pass(1);
    expect(await store.sweeps.peopleAt(1)).toBe(at + DEFAULT_TIMINGS.reevaluatePeople);
    const before = requests;
    await pass(40);
    // No pull request is open: nothing rests on anybody.
    expect(await store.sweeps.peopleAt(1)).toBeNull();
    expect(requests - before).toBeLessThanOrEqual(1);
  });
});

it("each have a place of their own in a pause, the same each time", () => {
  const every = 10 * MINUTE;
  const first = turnAfter(7, START, every);
  expect(first).toBeGreaterThan(START);
  expect(first).toBeLessThanOrEqual(START + every);
  expect(turnAfter(7, first, every)).toBe(first + every);
  const minutes = Array.from({ length: 100 }, (_, id) => Math.floor((turnAfter(id, START, every) - START) / MINUTE));
  for (let minute = 0; minute < 10; minute += 1) {
    expect(Math.abs(minutes.filter((each) => each === minute).length - 10)).toBeLessThanOrEqual(3);
  }
});
