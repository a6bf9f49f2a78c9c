/** Several at one database: what two do at the same time comes out as if one had come after the other. */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newPull } from "../../../app/store/change-pull.ts";
import type { NewDelivery, NewEffect, Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";
import { required } from "../../../src/sandbox/world/index.ts";
import { opened, history as written } from "../../lifecycle/builders.ts";
import { emptiedPostgres } from "../../postgres/postgres.ts";

let url: string;
let one: Store;
let other: Store;
/** Somebody whose transactions are as long as a test wants them. */
let slow: pg.Client;
beforeEach(async () => {
  url = await emptiedPostgres();
  [one, other] = await Promise.all([openStore(url), openStore(url)]);
  slow = new pg.Client({ connectionString: url });
  await slow.connect();
});
afterEach(async () => {
  await slow.end();
  await Promise.all([one.close(), other.close()]);
});

/** So many wait for somebody's lock. */
async function waiting(count: number): Promise<void> {
  const asked = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  await vi.waitFor(
    async () => {
      // Within a transaction it would go on to be what it was.
      await slow.query("select pg_stat_clear_snapshot()");
      expect((await slow.query(asked)).rowCount).toBe(count);
    },
    { timeout: 20_000 },
  );
}

const delivery = (id: string): NewDelivery => ({ id, event: "ping", payload: "{}", key: "k", receivedAt: 1 });
const pull = (number: number) => newPull({ repositoryId: 1, number }, written(opened()), 5);

describe("started runs", () => {
  it("are not more than their limit, however many are claimed at once", async () => {
    const start = { repositoryId: 1, occasion: "o", stage: null, workflow: "qa.yml", inputs: {}, sha: "a", limit: 1 };
    for (const number of [1, 2]) await one.starts.add({ ...start, number, key: `${number}` }, 1);
    const [first, second] = (await one.starts.open(1, "qa.yml")).map((each) => required(each));
    await slow.query("begin");
    await slow.query("select 1 from started_runs where key = '1' for update");
    const claims = [one.starts.claim(required(first), 2)];
    await waiting(1);
    claims.push(other.starts.claim(required(second), 2));
    // It waits for the one that counts, not for its own row.
    await waiting(2);
    await slow.query("commit");
    expect(await Promise.all(claims)).toEqual([true, false]);
  });
});

describe("deliveries", () => {
  it("are stored once, whoever gets them, and whatever order they come in", async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `d${index}`);
    const stored = await Promise.all([
      one.acceptDeliveries(ids.map(delivery)),
      other.acceptDeliveries(ids.toReversed().map(delivery)),
    ]);
    expect(
      stored
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...ids].sort());
    expect(await one.pendingDeliveries(0, 1_000)).toHaveLength(200);
  });

  it("may be seen after later ones, and are found by who asks from the beginning", async () => {
    await slow.query("begin");
    const row = "insert into deliveries (id, event, key, status, tries, next_at, received_at)";
    await slow.query(`${row} values ('early', 'ping', 'k', 'pending', 0, 1, 1)`);
    await one.acceptDeliveries([delivery("late")]);
    expect((await one.pendingDeliveries(0, 9)).map(({ id }) => id)).toEqual(["late"]);
    await slow.query("commit");
    expect((await one.pendingDeliveries(0, 9)).map(({ id }) => id)).toEqual(["early", "late"]);
  });

  it("that are put back into the queue are not forgotten by who found them dead", async () => {
    const [accepted] = await one.acceptDeliveries([delivery("a"), delivery("b")]);
    for (const { seq } of await one.pendingDeliveries(0, 9)) await one.buryDelivery(seq, "no");
    await slow.query("begin");
    await slow.query("update deliveries set status = 'pending' where id = 'a'");
    expect(await one.forget.deadDeliveries(100)).toBe(1);
    await slow.query("commit");
    expect(await one.delivery(required(accepted).seq)).toMatchObject({ id: "a", payload: "{}", status: "pending" });
  });
});

describe("pull requests", () => {
  it("that are reopened are not forgotten by who found them closed", async () => {
    const closed = (number: number) => {
      const row = pull(number);
      return { ...row, facts: { ...row.facts, state: "closed" as const, updatedAt: 10 } };
    };
    await one.commit({ pulls: [closed(1), closed(2)], now: 1 });
    await slow.query("begin");
    await slow.query("update pulls set closed_at = null, open = 1 where number = 1");
    expect(await one.forget.pulls(100)).toBe(1);
    await slow.query("commit");
    expect(await one.pull({ repositoryId: 1, number: 1 })).not.toBeNull();
    expect(await one.pull({ repositoryId: 1, number: 2 })).toBeNull();
  });

  it("are written by one of two who read the same", async () => {
    await one.commit({ pulls: [pull(1)], now: 1 });
    const read = required(await one.pull({ repositoryId: 1, number: 1 }));
    const outcomes = await Promise.all([one, other].map((store) => store.commit({ pulls: [read], now: 2 })));
    expect(outcomes.map(({ committed }) => committed).sort()).toEqual([false, true]);
  });

  it("are written although others stood in each other's way: what was undone for that is done again", async () => {
    await one.commit({ pulls: [pull(1), pull(2)], now: 1 });
    const [first, second] = await Promise.all([1, 2].map((number) => one.pull({ repositoryId: 1, number })));
    await slow.query("begin");
    await slow.query("update pulls set stage = 'x' where number = 2");
    const written = one.commit({ pulls: [required(first), required(second)], now: 2 });
    await waiting(1);
    // Whoever has waited for a second finds out, which is the store, and gives way.
    await slow.query("update pulls set stage = 'x' where number = 1");
    await slow.query("rollback");
    expect(await written).toEqual({ committed: true });
    expect(await one.pull({ repositoryId: 1, number: 2 })).toMatchObject({ version: 2 });
  });

  it("are marked although others stood in their way", async () => {
    await one.commit({ pulls: [pull(1), pull(2)], now: 1 });
    await slow.query("begin");
    await slow.query("update pulls set stage = 'x' where number = 2");
    const marked = one.requestReevaluation({ repositoryId: 1 }, 70);
    await waiting(1);
    await slow.query("update pulls set stage = 'x' where number = 1");
    await slow.query("rollback");
    expect(await marked).toBe(2);
  });
});

describe("a repository", () => {
  it("to which the app comes back is not forgotten by who found it gone", async () => {
    const repository = { id: 1, nodeId: "R", owner: "acme", name: "w", defaultBranch: "main", private: false };
    await one.putRepository({ ...repository, installationId: null });
    await slow.query("begin");
    await slow.query("update repositories set installation_id = 5");
    const forgetting = one.forget.repository(1);
    await waiting(1);
    await slow.query("commit");
    expect(await forgetting).toBe(0);
    expect(await one.repository(1)).not.toBeNull();
  });
});

describe("effects", () => {
  it("with one key are added once by all who decide on them at once", async () => {
    const effect = (key: string): NewEffect => ({
      key,
      repositoryId: 1,
      number: 1,
      installationId: 5,
      kind: "comment",
      payload: {},
      nextAt: 1,
    });
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    await Promise.all([
      one.commit({ effects: keys.map(effect), now: 1 }),
      other.commit({ effects: keys.toReversed().map(effect), now: 1 }),
    ]);
    expect(await one.effectsOf({ repositoryId: 1, number: 1 })).toHaveLength(50);
  });
});

describe("connections", () => {
  it("that the server has ended are made anew", async () => {
    await Promise.all(Array.from({ length: 5 }, () => one.ping()));
    const ended =
      "select pg_terminate_backend(pid) from pg_stat_activity where pid != pg_backend_pid() and datname = current_database()";
    await slow.query(ended);
    await vi.waitFor(() => one.ping(), { timeout: 10_000 });
    await Promise.all(Array.from({ length: 5 }, () => one.ping()));
  });

  it("are not used again after their transaction was cut off", async () => {
    await one.commit({ pulls: [pull(1)], now: 1 });
    const read = required(await one.pull({ repositoryId: 1, number: 1 }));
    await slow.query("begin");
    await slow.query("update pulls set stage = 'x'");
    const refused = expect(one.commit({ pulls: [read], now: 2 })).rejects.toThrow(/terminating connection/u);
    await waiting(1);
    await slow.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    await refused;
    await slow.query("rollback");
    expect(await one.commit({ pulls: [read], now: 3 })).toEqual({ committed: true });
  });
});
