import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";
import { UnreadableRun, VersionConflict } from "../../../src/coordinator/hosting/run-store.ts";
import { SessionTable } from "../../../src/coordinator/hosting/session-table.ts";
import { snapshotOf } from "../../../src/coordinator/hosting/snapshot.ts";
import { begin } from "../../../src/run/machine.ts";
import { created, plan } from "../../run/builders.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";

const records = (...times: readonly number[]) => times.map((at) => ({ event: { type: "ticked", at } as const }));
const whole = snapshotOf(begin(created(plan([{ name: "work" }]), 2, 5)), new SessionTable());

describe.each(DATABASES)("a stored run on $name", ({ empty }) => {
  let database: EmptyDatabase;
  let store: Store;
  beforeEach(async () => {
    database = await empty();
    store = await openStore(database.url);
  });
  afterEach(async () => {
    await store.close();
    database.remove();
  });

  it("is its records until there is a snapshot, and then that and what came after it", async () => {
    const { runs } = store;
    expect(await runs.load("a")).toBeNull();
    await runs.append("a", 0, records(1, 2));
    await runs.append("b", 0, records(7));
    expect(await runs.load("a")).toEqual({ version: 2, snapshot: null, records: records(1, 2) });
    await runs.replace("a", 2, 5, whole);
    expect(await runs.load("a")).toMatchObject({ version: 5, snapshot: whole, records: [] });
    await runs.append("a", 5, records(6));
    expect(await runs.load("a")).toMatchObject({ version: 6, snapshot: whole, records: records(6) });
    await runs.replace("a", 6, 6, { ...whole, version: 9 });
    expect(await runs.load("a")).toMatchObject({ version: 6, snapshot: { version: 9 }, records: [] });
    expect(await runs.load("b")).toMatchObject({ version: 1, records: records(7) });
    expect((await runs.list(10)).items.map(({ id }) => id)).toEqual(["b", "a"]);
    await runs.close("a", 100);
    expect(await runs.prune(101)).toBe(1);
    expect(await runs.load("a")).toBeNull();
    await runs.append("a", 0, records(1));
    expect(await runs.load("a")).toEqual({ version: 1, snapshot: null, records: records(1) });
  });

  it("may begin with a snapshot", async () => {
    await store.runs.replace("a", 0, 1, whole);
    expect(await store.runs.load("a")).toMatchObject({ version: 1, snapshot: whole });
    expect((await store.runs.list(1)).items).toMatchObject([{ id: "a", createdAt: 5 }]);
  });

  it("is not written over by who does not know its last record", async () => {
    const { runs } = store;
    await runs.append("a", 0, records(1, 2));
    await expect(runs.replace("a", 1, 2, whole)).rejects.toThrow(VersionConflict);
    await expect(runs.replace("a", 0, 1, whole)).rejects.toThrow(VersionConflict);
    await expect(runs.append("a", 1, records(9))).rejects.toThrow(VersionConflict);
    expect(await runs.load("a")).toEqual({ version: 2, snapshot: null, records: records(1, 2) });
  });

  it("tells the bytes that it takes", async () => {
    const [small, large] = [
      await store.runs.append("a", 0, records(1)),
      await store.runs.append("a", 1, records(2, 3)),
    ];
    expect(large).toBe(2 * small);
    expect(await store.runs.replace("a", 3, 3, whole)).toBeGreaterThan(JSON.stringify(whole).length);
  });

  it.each([
    ["a record of it is missing", "delete from run_records where version = 1", "1 of its records are missing"],
    ["what it holds is no JSON", "update run_records set record_json = '{' where version = 1", "JSON"],
    ["a newer app wrote it", `update run_records set record_json = '{"v":99}'`, "version 99"],
  ])("is unreadable, not gone, when %s", async (_, damage, why) => {
    await store.runs.append("a", 0, records(1, 2, 3));
    await database.execute(damage);
    const reading = store.runs.load("a");
    await expect(reading).rejects.toThrow(UnreadableRun);
    await expect(reading).rejects.toThrow(why);
  });
});
