/** The agent's loop with the real machine, in one process: what a run of one agent comes to. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Agent, createAgent } from "../../src/agent/agent.ts";
import type { AgentEvent } from "../../src/agent/log.ts";
import { beginRun, InProcessCoordinator } from "../../src/coordinator/client/in-process.ts";
import type { RunHost } from "../../src/coordinator/hosting/host.ts";
import { readPlan } from "../../src/plan/read.ts";
import type { RunSummary } from "../../src/run/result/record.ts";

let directory = "";
let log: AgentEvent[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-test-"));
  log = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function begin(text: string): { agent: Agent; host: RunHost; summary: Promise<RunSummary> } {
  const { plan, problems } = readPlan(text, "plan.yml");
  if (plan === null) throw new Error(JSON.stringify(problems));
  const key = { repositoryId: "1", runId: "2", attempt: 1, group: "g", plan: plan.name };
  const selection = { only: null, skip: [], stopAfter: null };
  const run = beginRun({ key, plan, selection, agentCount: 1 });
  const { host } = run;
  const agent = createAgent({
    plan,
    planFile: "plan.yml",
    key,
    name: "one",
    role: null,
    index: 0,
    address: null,
    workingDirectory: directory,
    environment: { PATH: process.env.PATH, RUNNER_TEMP: directory },
    ownSecrets: [],
    commandLine: [process.execPath, new URL("../../src/cli.ts", import.meta.url).pathname],
    log: (event) => log.push(event),
    coordinator: new InProcessCoordinator(run),
    selection,
    agentCount: 1,
  });
  const summary = agent.run().then((end) => {
    host.close();
    if (end.kind !== "finished") throw new Error(`ended otherwise: ${end.kind}`);
    return end.summary;
  });
  return { agent, host, summary };
}

const lines = (): string[] => log.flatMap((event) => (event.kind === "output" ? [event.line] : []));
const read = (name: string): string[] => readFileSync(join(directory, name), "utf8").trim().split("\n");
const statuses = (summary: RunSummary) => Object.fromEntries(summary.phases.map(({ name, status }) => [name, status]));

describe("a run of one agent", () => {
  it("gives outputs of a stage to those after it", async () => {
    const { summary } = begin(`
      stages:
        - { name: prepare, run: "stagewright emit rows=3" }
        - { name: train, run: 'echo "rows $STAGEWRIGHT_OUTPUT_PREPARE_ROWS"; cat $STAGEWRIGHT_CONTEXT' }
    `);
    expect((await summary).verdict).toBe("success");
    expect(lines()).toEqual(["rows 3", '{"prepare":{"rows":3}}']);
  });

  it("fails a stage that did less than expected, though its command exits 0", async () => {
    const { summary } = begin(`
      stages:
        - { name: prepare, expected_objects: 10, run: 'echo "{\\"progress\\":{\\"done\\":7}}" >> $STAGEWRIGHT_EVENTS' }
        - { name: cleanup, run: "echo wiped" }
    `);
    const { verdict, phases, failedStage } = await summary;
    expect({ verdict, failedStage, reason: phases[0]?.reason }).toMatchObject({
      verdict: "failure",
      failedStage: "prepare",
      reason: expect.stringContaining("7 of 10"),
    });
    expect(lines()).toEqual(["wiped"]);
  });

  it("runs tasks side by side, in the order of their needs, and counts them", async () => {
    const { summary } = begin(`
      stages:
        - name: prepare
          tasks: [a, b, c, d, e]
          concurrency: 2
          needs: { e: [a, b] }
          run: 'echo "$1" >> started; sleep 0.1; stagewright emit "$1=done"'
    `);
    const { verdict, phases } = await summary;
    expect({ verdict, tasks: phases[0]?.tasks }).toMatchObject({
      verdict: "success",
      tasks: { done: 5, failed: 0, skipped: 0, total: 5 },
    });
    const order = read("started");
    expect(order.toSorted()).toEqual(["a", "b", "c", "d", "e"]);
    expect(order.indexOf("e")).toBeGreaterThan(Math.max(order.indexOf("a"), order.indexOf("b")));
  });

  it("runs the tasks that a generator prints", async () => {
    const { summary } = begin(`
      stages:
        - { name: prepare, tasks: { from: 'seq 1 20' }, concurrency: 4, run: 'echo "$1" >> done' }
    `);
    const { verdict, phases } = await summary;
    expect({ verdict, tasks: phases[0]?.tasks }).toMatchObject({ verdict: "success", tasks: { done: 20, total: 20 } });
    expect(
      read("done")
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it("fails for good a task that failed once too often", async () => {
    const { summary } = begin(`
      stages:
        - { name: prepare, tasks: [a, b], max_failures: 1, run: 'echo "$1" >> tries; test "$1" != b' }
    `);
    const { verdict, phases } = await summary;
    expect({ verdict, tasks: phases[0]?.tasks }).toMatchObject({ verdict: "failure", tasks: { done: 1, failed: 1 } });
    expect(read("tries").filter((line) => line === "b")).toHaveLength(2);
  });

  it("keeps a background command until its last stage", async () => {
    const { summary } = begin(`
      stages:
        - { name: server, background: true, ready: { run: "test -e up" }, run: "trap 'sleep 0.5; echo x > stopped; exit' TERM; sleep 0.3; echo x > up; while :; do sleep 0.05; done" }
        - { name: use, run: "test -e up; test ! -e stopped; echo used" }
        - { name: cleanup, run: "test -e stopped; echo wiped" }
    `);
    expect(statuses(await summary)).toEqual({ server: "success", use: "success", cleanup: "success" });
    // The shell says so of the sleep that it waited for.
    expect(lines().filter((line) => line !== "Terminated")).toEqual(["used", "wiped"]);
  });

  it("fails when a background command dies", async () => {
    const { summary } = begin(`
      stages:
        - { name: server, background: true, run: "sleep 0.5; exit 9" }
        - { name: use, run: "sleep 60" }
        - { name: cleanup, run: "echo wiped" }
    `);
    const { verdict, message, failedStage } = await summary;
    expect({ verdict, failedStage, message }).toMatchObject({
      verdict: "failure",
      failedStage: "server",
      message: expect.stringContaining("exit code 9"),
    });
    expect(lines()).toEqual(["wiped"]);
  });

  it("begins the stage anew after a reset", async () => {
    const { agent, summary } = begin(
      "stages: [{ name: s, run: 'test -e again || first=1; touch again; echo run; test -z $first || sleep 60' }]",
    );
    while (!lines().includes("run")) await sleep(10);
    agent.reset("SIGHUP");
    expect((await summary).verdict).toBe("success");
    expect(lines()).toEqual(["run", "run"]);
  });

  it("waits at a checkpoint until a person agrees", async () => {
    const { host, summary } = begin("stages: [{ name: a, run: echo a }, { name: b, checkpoint: true, run: echo b }]");
    while (!log.some(({ kind }) => kind === "checkpoint")) await sleep(10);
    await sleep(100);
    expect(lines()).toEqual(["a"]);
    await host.approve(1, "ada");
    expect((await summary).verdict).toBe("success");
    expect(lines()).toEqual(["a", "b"]);
  });

  it("ends, cleans up and says so when it is cancelled", async () => {
    const { host, summary } = begin(
      "stages: [{ name: a, run: echo up; sleep 60 }, { name: b, run: echo b }, { name: cleanup, run: echo wiped }]".replace(
        "echo up; sleep 60",
        "'echo up; sleep 60'",
      ),
    );
    while (!lines().includes("up")) await sleep(10);
    await host.cancel("ada", "enough");
    const done = await summary;
    expect(done).toMatchObject({ verdict: "cancelled", message: expect.stringContaining("ada") });
    expect(lines()).toEqual(["up", "wiped"]);
  });
});
