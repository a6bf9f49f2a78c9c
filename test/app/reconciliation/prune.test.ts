import { pino } from "pino";
import { expect, it } from "vitest";
import { prune } from "../../../app/reconciliation/maintenance.ts";
import { createRuntime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { openMemoryStore } from "../store/memory.ts";

const DAY = 24 * 60 * 60_000;

it("maintenance forgets claims that were given back a week ago, and no other", async () => {
  let at = 1_000_000;
  const store = await openMemoryStore({ now: () => at });
  await store.replicas.beat({ id: "a", address: null, version: "1" }, 30 * DAY);
  const taken = await store.claims.claim({ keys: ["kept", "new", "old"], owner: "a", requestMs: 1 });
  const [kept, fresh, old] = taken.map(({ claim }) => claim);
  if (kept === undefined || fresh === undefined || old === undefined) throw new Error("they are free");
  await store.claims.release([old]);
  at += 2 * DAY;
  await store.claims.release([fresh]);
  at += 5 * DAY + 1;
  const client = async () => Promise.reject(new Error("GitHub is not asked"));
  const clients = { app: client, installation: client };
  const log = pino({ level: "silent" });
  const runtime = createRuntime({ store, clients, log, now: () => at, timings: DEFAULT_TIMINGS });
  await prune(runtime, new AbortController().signal);
  expect(await store.claims.heldBy("a")).toEqual([kept]);
  // The other one is there still.
  expect(await store.claims.prune(at)).toBe(1);
  await store.close();
});
