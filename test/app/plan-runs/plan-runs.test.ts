import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getOctokit } from "@actions/github";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type HostedRuns, hostRuns } from "../../../app/plan-runs/plan-runs.ts";
import type { Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import { snapshotOf } from "../../../src/coordinator/hosting/snapshot.ts";
import { type Issuer, startIssuer } from "../../coordinator/admission/issuer.ts";
import { agentOf, joinOf, planOf, removeDirectories } from "../../coordinator/builders.ts";
import { join } from "../../coordinator/server/raw.ts";
import { CheckServer } from "../../github/check-server.ts";

const PUBLIC_URL = "https://stagewright.example";
const PLAN = planOf(`
name: hosted
agents: 2
stages:
  - { name: prepare, runs_on: first, run: "true" }
  - { name: work, run: 'if [ "$STAGEWRIGHT_AGENT_INDEX" = 1 ]; then sleep 2; fi' }
`);

let issuer: Issuer;
let github: CheckServer;
let directory = "";
let store: Store;
let hosted: HostedRuns;
let server: http.Server;
let address = "";
let errors: string[] = [];
/** So often the app is not let in by GitHub. */
let refusals = 0;
/** The request that makes a check run reaches GitHub only when this is called. */
let onItsWay: (() => Promise<unknown>) | null = null;
let slow = false;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  errors = [];
  refusals = 0;
  slow = false;
  onItsWay = null;
  directory = mkdtempSync(joinPath(tmpdir(), "stagewright-runs-"));
  github = await new CheckServer().start();
  await start();
});
afterEach(async () => {
  await stop();
  await github.stop();
  removeDirectories();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  store = await openStore(`sqlite:${joinPath(directory, "app.db")}`);
  const octokit = getOctokit("t", { baseUrl: github.url });
  hosted = await hostRuns({
    store,
    publicUrl: PUBLIC_URL,
    issuer: issuer.url,
    installation: async (repositoryId) => (repositoryId === 42 ? 7 : null),
    client: async () => ({
      ...letIn(),
      request: async (route: string, parameters?: Record<string, unknown>) => {
        if (slow && route.startsWith("POST") && route.endsWith("/check-runs"))
          return await sentSlowly(route, parameters);
        if (!route.includes("/actions/runs/") || route.includes("/attempts/"))
          return await octokit.request(route, parameters);
        return { status: 200, data: { head_sha: "c".repeat(40), html_url: null }, headers: {} };
      },
      graphql: async () => null,
    }),
    pace: {
      now: Date.now,
      sleep: async (ms, signal) => {
        await sleep(Math.min(ms, 100), undefined, { signal });
        if (ms > 10_000) await arrived();
      },
    },
    jobsPace: { firstMs: 200, everyMs: 200 },
    onError: (error, what) => errors.push(`${what}: ${String(error)}`),
  });
  server = http.createServer((request, response) => void hosted.handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  address = typeof at === "object" && at !== null ? `127.0.0.1:${at.port}` : "";
}

/** Its answer is never heard: whoever sent it is killed before. */
async function sentSlowly(route: string, parameters: Record<string, unknown> = {}): Promise<never> {
  const octokit = getOctokit("t", { baseUrl: github.url });
  const { request, ...body } = parameters as { request?: { signal?: AbortSignal } };
  onItsWay = () => octokit.request(route, body);
  return await new Promise<never>((_, reject) => {
    request?.signal?.addEventListener("abort", () => reject(new Error("killed")));
  });
}

async function arrived(): Promise<void> {
  const send = onItsWay;
  onItsWay = null;
  await send?.();
}

function letIn(): Record<string, never> {
  if (refusals === 0) return {};
  refusals -= 1;
  throw new Error("other side closed");
}

async function stop(): Promise<void> {
  await hosted.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await store.close();
}

const claims = { repository: "acme/widgets" };
const agents = () =>
  [0, 1].map((index) => {
    const coordinator = new HttpCoordinator({
      url: new URL(`http://${address}`),
      credential: () =>
        issuer.token({ audience: PUBLIC_URL, claims: { ...claims, check_run_id: String(7000 + index) } }),
      onRetry: () => undefined,
    });
    return agentOf(coordinator, joinOf(PLAN, `node-${index}`, { index }));
  });

describe("runs that the app hosts", () => {
  it("are shown as one check run on the head commit, with what is waited for and the merged result", async () => {
    const ends = Promise.all(agents().map(({ agent }) => agent.run()));
    await expect.poll(() => github.checks[0]?.output.title ?? "", { timeout: 20_000 }).toContain("work");
    expect(github.checks[0]?.output.text).toContain("node-");
    for (const end of await ends) expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
    await hosted.settled();
    expect(github.checks).toHaveLength(1);
    expect(github.checks[0]).toMatchObject({
      name: "plan / hosted (train)",
      head_sha: "c".repeat(40),
      status: "completed",
      conclusion: "success",
    });
    for (const name of ["node-0", "node-1"]) expect(JSON.stringify(github.checks[0]?.output)).toContain(name);
    expect(errors).toEqual([]);
  });

  it("are shown as they ended although GitHub was in trouble all the while, and then are over", async () => {
    refusals = 40;
    for (const end of await Promise.all(agents().map(({ agent }) => agent.run()))) {
      expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
    }
    await expect.poll(() => github.checks[0]?.conclusion, { timeout: 20_000 }).toBe("success");
    await hosted.settled();
    expect(github.checks).toHaveLength(1);
    await expect.poll(() => store.runs.unfinished()).toEqual([]);
    expect(errors.length).toBeGreaterThan(1);
    for (const error of errors) expect(error).toContain("other side closed");
  });

  it("end when a job of theirs failed before its step, naming it", async () => {
    const job = (index: number, status: string, conclusion: string | null) => ({
      ...{ id: index, name: `train (${index})`, status, conclusion },
      check_run_url: `https://api.github.example/repos/acme/widgets/check-runs/${7000 + index}`,
    });
    github.jobs = [job(0, "in_progress", null), job(1, "completed", "failure")];
    const end = await agents()[0]?.agent.run();
    const message = "only 1 of 2 agents can be there: the job train (1) is over (failure)";
    expect(end).toMatchObject({ kind: "finished", summary: { verdict: "failure", message } });
    await hosted.settled();
  });

  it("keep their check run over a restart of the app", async () => {
    const bearer = await issuer.token({ audience: PUBLIC_URL, claims });
    expect((await join(address, joinOf(PLAN, "node-0"), { bearer })).status).toBe(200);
    await expect.poll(() => github.checks.length).toBe(1);
    await hosted.settled();
    await stop();
    await start();
    const [id] = await store.runs.unfinished();
    const run = await hosted.runs.find(id ?? "");
    expect(run?.host.state.agents[0]?.[0]?.name).toBe("node-0");
    await run?.host.cancel("somebody", "enough");
    await expect.poll(() => github.checks[0]?.conclusion, { timeout: 60_000, interval: 100 }).toBe("cancelled");
    expect(github.checks).toHaveLength(1);
    await expect.poll(() => store.runs.unfinished()).toEqual([]);
  });

  it("have one check run though the app was killed while GitHub was at making it", async () => {
    slow = true;
    const bearer = await issuer.token({ audience: PUBLIC_URL, claims });
    expect((await join(address, joinOf(PLAN, "node-0"), { bearer })).status).toBe(200);
    await expect.poll(() => onItsWay).not.toBeNull();
    await stop();
    slow = false;
    await start();
    const [id] = await store.runs.unfinished();
    await (await hosted.runs.find(id ?? ""))?.host.cancel("somebody", "enough");
    await expect.poll(() => github.checks.at(-1)?.conclusion, { timeout: 60_000, interval: 100 }).toBe("cancelled");
    await arrived();
    expect(github.checks).toHaveLength(1);
  });

  it("end for their agents and on GitHub when another version stored them, saying so", async () => {
    const bearer = await issuer.token({ audience: PUBLIC_URL, claims });
    expect((await join(address, joinOf(PLAN, "node-0"), { bearer })).status).toBe(200);
    await expect.poll(() => github.checks.length).toBe(1);
    await hosted.settled();
    const [id = ""] = await store.runs.unfinished();
    const run = await hosted.runs.find(id);
    const version = (await store.runs.load(id))?.version ?? 0;
    await run?.host.saved();
    if (run !== null)
      await store.runs.replace(id, version, version, { ...snapshotOf(run.host.state, run.sessions), version: 99 });
    await stop();
    errors = [];
    await start();
    await expect.poll(() => github.checks[0]?.conclusion, { timeout: 60_000, interval: 100 }).toBe("failure");
    const why = "it was stored in version 99";
    expect(JSON.stringify(github.checks[0]?.output)).toContain(why);
    expect(errors).toEqual([expect.stringContaining(`run ${id} cannot be gone on with: UnreadableRun: ${why}`)]);
    const said = await join(address, joinOf(PLAN, "node-0"), { bearer });
    expect([said.status, said.code, said.message]).toEqual([410, "ended", expect.stringContaining(why)]);
    await expect.poll(() => store.runs.unfinished()).toEqual([]);
  });

  it("are refused to repositories without the app, and nothing is kept", async () => {
    const bearer = await issuer.token({
      audience: PUBLIC_URL,
      claims: { repository: "evil/fork", repository_id: "43" },
    });
    const key = { repositoryId: "43", runId: "1001", attempt: 1, group: "train", plan: PLAN.name };
    const said = await join(address, joinOf(PLAN, "node-0", { key }), { bearer });
    expect([said.status, said.code]).toEqual([403, "not_installed"]);
    expect(said.message).toContain("evil/fork");
    expect(await store.runs.unfinished()).toEqual([]);
  });
});
