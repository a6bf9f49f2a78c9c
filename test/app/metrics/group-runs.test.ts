/** What is counted of hosted runs. */
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { GroupRunMetrics, hostedRunSeen } from "../../../app/metrics/group-runs.ts";
import type { GroupRun } from "../../../src/coordinator/hosting/group-run.ts";
import { Group, plan } from "../../run/builders.ts";

it("counts who was lost, and how long the first waited at each barrier, once", async () => {
  const group = new Group(plan([{ name: "a" }, { name: "b" }]), 3).join();
  const registry = new Registry();
  const metrics = new GroupRunMetrics(registry, "x_");
  const run = {
    get host() {
      return { state: group.state, now: group.at, isOver: group.state.status === "failed" };
    },
  } as unknown as GroupRun;
  const samples = async () => {
    const lines = (await registry.metrics()).split("\n").filter((line) => !line.startsWith("#") && line !== "");
    return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]));
  };
  // What was before it was first seen is another process's.
  metrics.changed(run);
  metrics.read([hostedRunSeen(run)]);
  expect(await samples()).toMatchObject({
    'x_group_runs{state="running"}': 1,
    'x_group_runs{state="failed"}': 0,
    x_agents_lost_total: 0,
    x_barrier_wait_seconds_count: 0,
    x_barrier_oldest_wait_seconds: 0,
  });
  group.finish("agent-0");
  metrics.changed(run);
  group.pass(4_000);
  metrics.changed(run);
  metrics.read([hostedRunSeen(run)]);
  expect((await samples()).x_barrier_oldest_wait_seconds).toBe(4);
  group.finish("agent-1");
  group.finish("agent-2");
  metrics.changed(run);
  metrics.changed(run);
  metrics.read([hostedRunSeen(run)]);
  expect(await samples()).toMatchObject({
    x_barrier_wait_seconds_count: 1,
    x_barrier_wait_seconds_sum: 4,
    x_barrier_oldest_wait_seconds: 0,
  });
  group.pass(40_000, ["agent-2"]);
  metrics.changed(run);
  metrics.changed(run);
  expect((await samples()).x_agents_lost_total).toBe(1);
});
