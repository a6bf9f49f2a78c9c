/** Steps of what goes on at GitHub: what has ended comes before what only waits. */
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { StartedRun, Store } from "../../../app/store/model.ts";
import { StepWorker } from "../../../app/work/repository-steps.ts";
import { createRuntime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { openMemoryStore } from "../store/memory.ts";

const REPOSITORY = {
  id: 7,
  nodeId: "R",
  installationId: 1,
  owner: "acme",
  name: "widget",
  defaultBranch: "main",
  private: false,
};

let store: Store;
beforeEach(async () => {
  store = await openMemoryStore();
  await store.putRepository(REPOSITORY);
});
afterEach(() => store.close());

async function add(number: number): Promise<StartedRun> {
  const start = {
    key: `key ${number}`,
    occasion: "o",
    stage: "qa",
    workflow: "qa.yml",
    inputs: {},
    sha: "s",
    limit: 1,
  };
  await store.starts.add({ ...start, repositoryId: REPOSITORY.id, number }, Date.now());
  const added = await store.starts.byKey(start.key);
  if (added === null) throw new Error("it was added");
  return added;
}

it("a run that ends is looked at before the many that wait for it, and those in their order", async () => {
  const first = await add(1);
  await store.starts.save({ ...first, state: "running", runId: "99", nextAt: null, askAt: null });
  for (let number = 2; number <= 60; number += 1) {
    await add(number);
  }
  const runtime = createRuntime({
    store,
    clients: { installation: async () => ({}) as never, app: async () => ({}) as never },
    log: pino({ level: "silent" }),
    now: Date.now,
    timings: DEFAULT_TIMINGS,
  });
  const handled: number[] = [];
  const over = Promise.withResolvers<void>();
  const { starts } = store;
  const { worker } = new StepWorker<StartedRun>(
    { ...runtime, inProgress: { ready: async () => {}, mark: async () => {}, done: () => {} } },
    {
      what: "started runs",
      topic: "workflow-runs",
      kind: "workflow-run",
      rows: store.due.starts,
      takeUp: () => starts.wakeAll(Date.now()),
      idOf: ({ key }) => key,
      find: (key) => starts.byKey(key),
      step: async (start) => {
        handled.push(start.number);
        if (handled.length === 10) {
          // It ends while the others' places are being shown.
          await starts.wakeRun(REPOSITORY.id, "99", Date.now());
        }
        await starts.save({ ...start, nextAt: null });
        if (handled.length === 60) over.resolve();
      },
      failed: async () => undefined,
      setAside: async () => undefined,
    },
  );
  worker.wake();
  await over.promise;
  await worker.stop();
  // Those whose steps are being taken, and those that were taken from the store with them.
  expect(handled.indexOf(1)).toBeLessThanOrEqual(10 + 4 + 4);
  const waiting = handled.filter((number) => number !== 1);
  expect(waiting).toEqual(waiting.toSorted((a, b) => a - b));
});
