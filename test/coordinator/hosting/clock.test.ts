/** The wall clock is set in the middle of a run, or nothing can be kept: deadlines come neither late nor early. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it, vi } from "vitest";
import { beginRun, InProcessCoordinator } from "../../../src/coordinator/client/in-process.ts";
import { RunHost } from "../../../src/coordinator/hosting/host.ts";
import type { Instruction } from "../../../src/run/instruction.ts";
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
const SPEC = { key: keyOf(PLAN), plan: PLAN, selection: EVERYTHING, agentCount: 2 };

let host: RunHost | null = null;
afterEach(() => {
  vi.restoreAllMocks();
  host?.close();
  host = null;
});

/** The first instruction that says that the run is over. */
async function ended(of: RunHost): Promise<Instruction> {
  for (;;) {
    await of.untilChanged("node-0", 20_000, NEVER);
    const instruction = of.instruct("node-0");
    if (instruction.do !== "wait") return instruction;
  }
}

it.each([
  ["back", -HOUR],
  ["forward", HOUR],
])("set %s by an hour, a group that does not come together ends in its own time", async (_, by) => {
  const real = Date.now.bind(Date);
  const run = beginRun(SPEC);
  host = run.host;
  await new InProcessCoordinator(run).join(joinOf(PLAN, "node-0"));
  const joined = host.now;
  vi.spyOn(Date, "now").mockImplementation(() => real() + by);
  expect(host.isOver).toBe(false);
  expect((await ended(host)).do).toBe("finish");
  const took = host.now - joined;
  expect(took).toBeGreaterThanOrEqual(250);
  expect(took).toBeLessThan(HOUR / 2);
});

it("set back between two processes, the run's time goes on from where it was", async () => {
  const run = beginRun(SPEC, { now: () => Date.now() + HOUR });
  await new InProcessCoordinator(run).join(joinOf(PLAN, "node-0"));
  const before = run.host.state;
  run.host.close();
  host = new RunHost(before);
  expect(host.now).toBeGreaterThanOrEqual(before.now);
  host.commit({ event: { type: "coordinator_started", at: host.now } });
  expect((await ended(host)).do).toBe("finish");
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
  const append = async () => {
    if (fails) throw new Error("database is locked");
  };
  const run = beginRun({ key: keyOf(plan), plan, selection: EVERYTHING, agentCount: 1 }, { append });
  host = run.host;
  const at = host.now;
  const agent = new InProcessCoordinator(run);
  await agent.join(joinOf(plan, "node-0"));
  expect((await agent.sync(idle(), 0, NEVER)).instruction).toMatchObject({ do: "execute" });
  const kept = host;
  const presence = () => explain(kept.state).agents[0]?.presence;
  fails = true;
  const changed = idle({ doing: "executing", status: "running", stage: 0 });
  await expect(agent.sync(changed, 0, NEVER)).rejects.toThrow("database is locked");
  await sleep(1_500);
  expect(presence()).not.toBe("lost");
  fails = false;
  await expect.poll(presence, { timeout: 10_000 }).toBe("lost");
  expect(host.now - at).toBeGreaterThan(1_800);
});
