/** The wall clock is set in the middle of a run, or nothing can be kept: deadlines come neither late nor early. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it, vi } from "vitest";
import { RunHost } from "../../../src/coordinator/hosting/host.ts";
import type { SyncAnswer } from "../../../src/coordinator/protocol/port.ts";
import { explain, summary } from "../../../src/run/machine.ts";
import { EVERYTHING, idle, joinOf, keyOf, NEVER, planOf } from "../builders.ts";

const PLAN = planOf(`
name: clock
agents: 2
assembly: { timeout: 300ms }
stages:
  - { name: work, run: 'true' }
`);
const HOUR = 3_600_000;
const created = (at: number) =>
  ({ type: "created", at, key: keyOf(PLAN), plan: PLAN, selection: EVERYTHING, agentCount: 2 }) as const;

let host: RunHost | null = null;
afterEach(() => {
  vi.restoreAllMocks();
  host?.close();
  host = null;
});

/** The first answer that says that the run is over. */
async function ended(of: RunHost): Promise<SyncAnswer> {
  for (;;) {
    const answer = await of.sync({ ...idle(), session: "s", agent: "node-0" }, 20_000, NEVER);
    if (answer.instruction.do !== "wait") return answer;
  }
}

it.each([
  ["back", -HOUR],
  ["forward", HOUR],
])("set %s by an hour, a group that does not come together ends in its own time", async (_, by) => {
  const real = Date.now.bind(Date);
  host = new RunHost(created(performance.timeOrigin + performance.now()));
  await host.join(joinOf(PLAN, "node-0"), "s", null);
  const joined = host.now;
  vi.spyOn(Date, "now").mockImplementation(() => real() + by);
  expect(host.isOver).toBe(false);
  expect((await ended(host)).instruction.do).toBe("finish");
  const took = host.now - joined;
  expect(took).toBeGreaterThanOrEqual(250);
  expect(took).toBeLessThan(HOUR / 2);
});

it("set back between two processes, the run's time goes on from where it was", async () => {
  const before = new RunHost(created(Date.now() + HOUR), { now: () => Date.now() + HOUR });
  await before.join(joinOf(PLAN, "node-0"), "s", null);
  before.close();
  host = new RunHost(before.state);
  expect(host.now).toBeGreaterThanOrEqual(before.state.now);
  host.commit({ event: { type: "coordinator_started", at: host.now } });
  expect((await ended(host)).instruction.do).toBe("finish");
  expect(summary(host.state).verdict).toBe("failure");
});

it("what cannot be kept for a while is not counted as anybody's silence, and then goes on", async () => {
  const plan = planOf(`
name: kept
liveness: { heartbeat_interval: 50ms, warn_after: 100ms, lost_after: 400ms }
stages:
  - { name: work, run: sleep 100 }
`);
  let fails = false;
  const at = performance.timeOrigin + performance.now();
  const began = { type: "created", at, key: keyOf(plan), plan, selection: EVERYTHING, agentCount: 1 } as const;
  host = new RunHost(began, {
    append: async () => {
      if (fails) throw new Error("database is locked");
    },
  });
  await host.join(joinOf(plan, "node-0"), "s", null);
  const sync = { ...idle(), session: "s", agent: "node-0" };
  expect((await host.sync(sync, 0, NEVER)).instruction).toMatchObject({ do: "execute" });
  const kept = host;
  const presence = () => explain(kept.state).agents[0]?.presence;
  fails = true;
  const changed = { ...sync, doing: "executing", status: "running", stage: 0 } as const;
  await expect(host.sync(changed, 0, NEVER)).rejects.toThrow("database is locked");
  await sleep(1_500);
  expect(presence()).not.toBe("lost");
  fails = false;
  await expect.poll(presence, { timeout: 10_000 }).toBe("lost");
  expect(host.now - at).toBeGreaterThan(1_800);
});
