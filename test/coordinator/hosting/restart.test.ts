import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import { type Issuer, startIssuer } from "../admission/issuer.ts";
import { agentOf, joinOf, planOf, removeDirectories } from "../builders.ts";

const PUBLIC_URL = "https://stagewright.example";

let issuer: Issuer;
let directory = "";
let app: ChildProcess | null = null;
let port = 0;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-restart-"));
  port = 0;
});
afterEach(async () => {
  await kill();
  removeDirectories();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const file = new URL("../app-process.ts", import.meta.url).pathname;
  app = spawn(process.execPath, [file], {
    env: { ...process.env, DATABASE: join(directory, "app.db"), PORT: String(port), ISSUER: issuer.url, PUBLIC_URL },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (app.stdout === null) throw new Error("no output");
  for await (const line of createInterface(app.stdout)) {
    port = Number(line);
    return;
  }
}

async function kill(): Promise<void> {
  if (app === null) return;
  const ended = once(app, "exit");
  app.kill("SIGKILL");
  await ended;
  app = null;
}

function agents(plan: ReturnType<typeof planOf>, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const coordinator = new HttpCoordinator({
      url: new URL(`http://127.0.0.1:${port}`),
      credential: () => issuer.token({ audience: PUBLIC_URL, claims: { check_run_id: `${7000 + index}` } }),
      onRetry: () => undefined,
    });
    return agentOf(coordinator, joinOf(plan, `node-${index}`, { index }));
  });
}

const PLAN = planOf(`
name: restarted
agents: 3
stages:
  - { name: prepare, run: 'echo "$STAGEWRIGHT_ATTEMPT" >> ran' }
  - { name: work, run: 'echo "$STAGEWRIGHT_ATTEMPT" >> ran; if [ "$STAGEWRIGHT_AGENT_INDEX" = 0 ]; then sleep 4; else sleep 2; fi' }
  - { name: finish, run: 'cat ran | wc -l' }
`);

describe("an app that is killed and started again", () => {
  it.each([
    ["in the middle of a stage", ({ ended }: { ended: number; started: number }) => ended === 0],
    ["in the middle of a barrier", ({ ended }: { ended: number; started: number }) => ended === 2],
  ])("%s goes on with the run as if nothing had happened", async (_name, isMoment) => {
    await start();
    const group = agents(PLAN, 3);
    const ends = Promise.all(group.map(({ agent }) => agent.run()));
    const count = (kind: "started" | "ended") =>
      group
        .flatMap(({ events }) => events)
        .filter((event) => event.kind === kind && "stage" in event && event.stage?.name === "work").length;
    while (count("started") < 3 || !isMoment({ started: count("started"), ended: count("ended") })) await sleep(5);
    // At the barrier: the two have been told that they wait.
    if (count("ended") === 2) await sleep(500);
    await kill();
    await sleep(1_500);
    await start();
    for (const end of await ends) {
      if (end.kind !== "finished") throw new Error(end.why);
      expect(end.summary).toMatchObject({ verdict: "success", status: "succeeded" });
      expect(end.summary.phases.map(({ name, status, retryCount }) => [name, status, retryCount])).toEqual([
        ["prepare", "success", 0],
        ["work", "success", 0],
        ["finish", "success", 0],
      ]);
    }
    for (const { events } of group) {
      const started = events.flatMap((event) => (event.kind === "started" ? [event.stage.name] : []));
      expect(started).toEqual(["prepare", "work", "finish"]);
      expect(events.flatMap((event) => (event.kind === "output" ? [event.line.trim()] : []))).toEqual(["2"]);
    }
  });

  it("still tells the end to whoever asks for it only afterwards", async () => {
    await start();
    const plan = planOf("name: over\nagents: 1\nstages: [{ name: work, run: 'true' }]");
    const [only] = agents(plan, 1);
    const end = await only?.agent.run();
    expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
    await kill();
    await start();
    const answer = await fetch(`http://127.0.0.1:${port}/api/runs/join`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await issuer.token({ audience: PUBLIC_URL })}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ protocol: PROTOCOL, nonce: "late-late-late-late", ...joinOf(plan, "node-9") }),
    });
    expect([answer.status, await answer.text()]).toEqual([
      410,
      expect.stringContaining("this run is over (succeeded)"),
    ]);
  });
});
