/** Whether the database takes what is written is known from the first write that fails to the first that succeeds. */
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../../app/store/model.ts";
import { isPostgresUrl, openStore, sqliteFile } from "../../../app/store/open.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";

const FULL = `
  create function full_disk() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file' using errcode = '53100'; end $$;
  create trigger full_disk before insert or update on meta execute function full_disk()`;

describe.each(DATABASES)("the store on $name", ({ empty }) => {
  let at = 1_000_000;
  let database: EmptyDatabase;
  let store: Store;
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    database.remove();
  });

  async function open(): Promise<void> {
    at = 1_000_000;
    database = await empty();
    store = await openStore(database.url, { now: () => at });
    ends.push(() => store.close());
  }

  /** Nothing can be written from now on. Returns what ends that. */
  async function refuse(): Promise<() => Promise<void>> {
    if (isPostgresUrl(database.url)) {
      await database.execute(FULL);
      return async () => await database.execute("drop trigger full_disk on meta; drop function full_disk");
    }
    const other = new DatabaseSync(sqliteFile(database.url));
    other.exec("BEGIN IMMEDIATE");
    return async () => other.close();
  }

  it("does not answer a ping once a write has failed, and does again as soon as one would succeed", async () => {
    await open();
    await store.ping();
    const mend = await refuse();
    const failed = /could not extend file|locked/u;
    await expect(store.setMeta("k", "v")).rejects.toThrow(failed);
    // Although it can be read.
    expect(await store.meta("k")).toBeNull();
    await expect(store.ping()).rejects.toThrow(failed);
    at += 1_000;
    await expect(store.ping()).rejects.toThrow(failed);
    await mend();
    at += 1_000;
    await store.ping();
    expect(await store.meta("probe")).toBe("");
  });

  it("answers a ping after the first write that succeeds, in a transaction or by itself", async () => {
    await open();
    for (const write of [() => store.setMeta("k", "v"), () => store.putRepository(repository)]) {
      const mend = await refuse();
      await expect(store.setMeta("k", "v")).rejects.toThrow();
      await mend();
      await write();
      await store.ping();
    }
  });

  it("answers a ping whatever is written that cannot be", async () => {
    await open();
    await expect(store.starts.add({ ...start, limit: Number.NaN }, Number.NaN)).rejects.toThrow();
    await store.ping();
  });
});

const repository = {
  ...{ id: 1, nodeId: "R", installationId: 5, owner: "o", name: "n", defaultBranch: "main", private: false },
};
const start = {
  ...{ repositoryId: 1, number: 7, key: "start", occasion: "o", stage: null, workflow: "ci.yml", inputs: {} },
  ...{ sha: "a", limit: 1 },
};
