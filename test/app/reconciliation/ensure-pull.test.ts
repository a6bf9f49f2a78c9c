import { afterEach, beforeEach, expect, it } from "vitest";
import { ensurePull, ensurePullWith, pullKeyOf } from "../../../app/reconciliation/ensure-pull.ts";
import type { Repository, Store } from "../../../app/store/model.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { openMemoryStore } from "../store/memory.ts";

const REPOSITORY: Repository = {
  id: 7,
  nodeId: "R_7",
  installationId: 3,
  owner: "acme",
  name: "widget",
  defaultBranch: "main",
  private: false,
};
const ID = { repositoryId: 7, number: 12 };

let store: Store;
let notified: number;
let wakeups: Wakeups;

beforeEach(async () => {
  store = await openMemoryStore();
  await store.putRepository(REPOSITORY);
  notified = 0;
  wakeups = new Wakeups();
  wakeups.on("pulls", () => {
    notified += 1;
  });
});

afterEach(async () => {
  await store.close();
});

it("records a pull request that nobody told of, and asks for its evaluation", async () => {
  await ensurePull({ store, now: () => 1_000, wakeups }, REPOSITORY, 12);
  expect(await store.pull(ID)).toMatchObject({
    ...ID,
    installationId: 3,
    reevaluateAt: 1_000,
    evaluation: null,
    facts: { nodeId: "", repository: { owner: "acme", name: "widget" } },
  });
  expect(notified).toBe(1);
});

it("leaves one that is known as it is, however many name it at once", async () => {
  const all = [1_000, 2_000, 3_000].map((at) => ensurePull({ store, now: () => at, wakeups }, REPOSITORY, 12));
  await Promise.all(all);
  const first = await store.pull(ID);
  await ensurePull({ store, now: () => 9_000, wakeups }, REPOSITORY, 12);
  expect(await store.pull(ID)).toEqual(first);
  expect(notified).toBe(1);
});

it("records what is learnt of it in the same write, and asks for its evaluation unless that is known already", async () => {
  const learn = (title: string) =>
    ensurePullWith(
      store,
      pullKeyOf(REPOSITORY, 12),
      3,
      () => 1_000,
      (row, isNew) => ({
        pull: { ...row, facts: { ...row.facts, title: `${title} ${isNew}` }, ...(isNew ? {} : { reevaluateAt: null }) },
      }),
    );
  expect(await learn("first")).toMatchObject({ version: 1, reevaluateAt: 1_000, facts: { title: "first true" } });
  expect(await learn("then")).toMatchObject({ version: 2, reevaluateAt: null, facts: { title: "then false" } });
});
