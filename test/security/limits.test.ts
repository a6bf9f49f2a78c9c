import http from "node:http";
import type { AddressInfo } from "node:net";
import { getOctokit } from "@actions/github";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../app/config.ts";
import { Metrics } from "../../app/metrics/metrics.ts";
import { type HostedRuns, hostRuns } from "../../app/plan-runs/plan-runs.ts";
import { openStore } from "../../app/store/open.ts";
import { checkClaims, createTokenVerifier } from "../../src/coordinator/admission/admission.ts";
import { DEFAULT_QUOTAS, type QuotaLimits, Quotas, type ScopeLimits } from "../../src/coordinator/admission/quotas.ts";
import { HttpCoordinator } from "../../src/coordinator/client/client.ts";
import { Runs } from "../../src/coordinator/hosting/runs.ts";
import { Refusal } from "../../src/coordinator/protocol/refusal.ts";
import { followerAudience, proveLeader } from "../../src/coordinator/server/leader.ts";
import { serveLeader } from "../../src/coordinator/server/serve.ts";
import type { RunKey } from "../../src/run/types.ts";
import { openMemoryStore } from "../app/store/memory.ts";
import { type Issuer, startIssuer } from "../coordinator/admission/issuer.ts";
import { joinOf, keyOf, NEVER, planOf } from "../coordinator/builders.ts";
import { join, type Said, syncBody } from "../coordinator/server/raw.ts";
import { CheckServer } from "../github/check-server.ts";

const PUBLIC_URL = "https://stagewright.example";
const PLAN = planOf("name: hosted\nagents: 2\nassembly: { timeout: 10m }\nstages: [{ name: work, run: 'true' }]");

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Hosting {
  readonly hosted: HostedRuns;
  readonly address: string;
  readonly over: string[];
  /** Joins with the token of a job of that workflow run. */
  join(key: Partial<RunKey>, more?: { readonly agentCount?: number; readonly agent?: string }): Promise<Said>;
}

const scope = (limits: Partial<ScopeLimits>): ScopeLimits => ({ ...DEFAULT_QUOTAS.repository, ...limits });

/** Repositories 1 to 99 are of installation 7, all others of one of their own. */
async function host(limits: Partial<QuotaLimits>, database = "sqlite::memory:"): Promise<Hosting> {
  const store = await openStore(database);
  const github = await new CheckServer().start();
  const octokit = getOctokit("t", { baseUrl: github.url });
  const over: string[] = [];
  const hosted = await hostRuns({
    store,
    publicUrl: PUBLIC_URL,
    issuer: issuer.url,
    installation: async (repositoryId) => (repositoryId < 100 ? 7 : repositoryId),
    client: async () => ({
      request: async (route: string, parameters?: Record<string, unknown>) =>
        route.includes("/actions/runs/")
          ? { status: 200, data: { head_sha: "c".repeat(40), html_url: null }, headers: {} }
          : await octokit.request(route, parameters),
      graphql: async () => null,
    }),
    pace: { now: Date.now, sleep: async () => undefined },
    onError: () => undefined,
    quotas: { ...DEFAULT_QUOTAS, ...limits },
    onQuota: (quota) => over.push(quota),
  });
  const server = http.createServer((request, response) => void hosted.handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    await hosted.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await github.stop();
    await store.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  let nonces = 0;
  return {
    hosted,
    address,
    over,
    join: async (overrides, { agentCount = 2, agent = "node-0" } = {}) => {
      const plan = agentCount === 2 ? PLAN : { ...PLAN, agentCount };
      const key = keyOf(plan, overrides);
      const claims = { repository_id: key.repositoryId, run_id: key.runId, run_attempt: String(key.attempt) };
      const bearer = await issuer.token({ audience: PUBLIC_URL, claims });
      nonces += 1;
      return await join(address, joinOf(plan, agent, { key, agentCount }), {
        bearer,
        nonce: `nonce-number-${nonces}-long`,
      });
    },
  };
}

describe("one job's token", () => {
  it("opens only so many groups in its workflow run, and is told that waiting will not help", async () => {
    const { join, over } = await host({ workflowRun: 5 });
    const said: Said[] = [];
    for (let group = 0; group < 8; group += 1) said.push(await join({ group: `group-${group}` }));
    expect(said.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 403, 403, 403]);
    expect(said[5]).toMatchObject({
      code: "over_limit",
      message: expect.stringMatching(/have begun 5 groups.*may have 5/),
    });
    expect(over).toEqual(["workflowRun", "workflowRun", "workflowRun"]);
    // Who is in a group comes back into it, and the next attempt is another.
    expect((await join({ group: "group-0" })).status).toBe(200);
    expect((await join({ group: "group-7", attempt: 2 })).status).toBe(200);
  });

  it("opens a few dozen groups, and one of 256 agents, as it should", async () => {
    const { join, over } = await host({});
    for (let group = 0; group < 36; group += 1) expect((await join({ group: `group-${group}` })).status).toBe(200);
    expect((await join({ group: "large" }, { agentCount: 256 })).status).toBe(200);
    expect(over).toEqual([]);
  });
});

describe("whoever asks, and in whatever order,", () => {
  const step = fc.record({
    repository: fc.integer({ min: 1, max: 4 }),
    workflowRun: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 6 }),
    agents: fc.integer({ min: 1, max: 12 }),
    bytes: fc.integer({ min: 1, max: 900_000 }),
    what: fc.constantFrom("begin", "begin", "begin", "over", "give back", "later"),
  });

  it("nobody has more than the limits, and what was given back or is over is free again", () => {
    const limits = {
      repository: scope({ runs: 3, agents: 20, plans: 2 }),
      installation: scope({ runs: 5, agents: 30, plans: 3 }),
      workflowRun: 4,
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0;
        const quotas = new Quotas({ limits, now: () => now });
        // What must be true is counted here by itself.
        const live = new Map<string, { repository: number; agents: number; bytes: number; giveBack: () => void }>();
        const begun = new Map<string, number>();
        for (const { repository, workflowRun, group, agents, bytes, what } of steps) {
          const id = `${repository} ${workflowRun} ${group}`;
          const of = `${repository} ${workflowRun}`;
          // Repositories 1 and 2 are of one installation, 3 and 4 of another.
          quotas.belongs(String(repository), Math.ceil(repository / 2));
          if (what === "later") now += 60_000;
          else if (what === "begin" && !live.has(id)) {
            const key = keyOf(PLAN, { repositoryId: String(repository), runId: String(workflowRun) });
            const sameRepository = [...live.values()].filter((each) => each.repository === repository);
            const same = [...live.values()].filter(
              (each) => Math.ceil(each.repository / 2) === Math.ceil(repository / 2),
            );
            try {
              const giveBack = quotas.begin(id, key, agents, bytes);
              live.set(id, { repository, agents, bytes, giveBack });
              begun.set(of, (begun.get(of) ?? 0) + 1);
              expect(begun.get(of)).toBeLessThanOrEqual(limits.workflowRun);
              expect(sameRepository.length + 1).toBeLessThanOrEqual(limits.repository.runs);
              expect(same.length + 1).toBeLessThanOrEqual(limits.installation.runs);
              expect(sum(sameRepository) + agents).toBeLessThanOrEqual(limits.repository.agents);
              expect(sum(same) + agents).toBeLessThanOrEqual(limits.installation.agents);
            } catch (error) {
              if (!(error instanceof Refusal)) throw error;
              expect(["too_many", "over_limit"]).toContain(error.code);
            }
          } else if (what === "over" && live.has(id)) {
            quotas.over(id);
            live.delete(id);
            // Kept for ten minutes: until then its plan counts, and its name is taken.
            now += 11 * 60_000;
          } else if (what === "give back" && live.has(id)) {
            live.get(id)?.giveBack();
            live.delete(id);
            begun.set(of, (begun.get(of) ?? 0) - 1);
          }
        }
        now += 24 * 60 * 60_000;
        for (const id of live.keys()) quotas.over(id);
        now += 11 * 60_000;
        const fresh = keyOf(PLAN, { repositoryId: "1", runId: "fresh" });
        expect(() => quotas.begin("fresh", fresh, 12, 900_000)).not.toThrow();
      }),
      { numRuns: 100 },
    );
  });
  const sum = (runs: readonly { readonly agents: number }[]) => runs.reduce((total, { agents }) => total + agents, 0);
});

describe("one repository", () => {
  it("has only so many runs at once, whatever its workflow runs; the next comes in when one is over", async () => {
    const { join, hosted } = await host({ repository: scope({ runs: 3 }) });
    const groups = ["1", "2", "3", "4"].map((runId) => ({ repositoryId: "500", runId }));
    const said = [];
    for (const key of groups) said.push(await join(key));
    expect(said.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(said[3]).toMatchObject({ code: "too_many", message: expect.stringMatching(/3 runs going on.*may have 3/) });
    expect((await join({ repositoryId: "501", runId: "4" })).status).toBe(200);
    for await (const run of hosted.runs) {
      if (run.key.runId === "1") await run.host.cancel("somebody", "enough");
    }
    expect((await join(groups[3] ?? {})).status).toBe(200);
  });

  it.each([
    [
      "more agents than it may have at once",
      { agents: 300 },
      { agentCount: 256 },
      { agentCount: 256 },
      429,
      /256 agents/,
    ],
    ["a single run of too many agents", { agents: 300 }, {}, { agentCount: 301 }, 403, /this run alone is more/],
    ["more new runs in an hour", { hourly: 1 }, {}, {}, 429, /1 new runs in 3600 s/],
    ["more requests", { requests: 0.1 }, {}, {}, 429, /1 requests in 10 s/],
    ["more bytes", { traffic: 0.002 }, {}, {}, 429, /MiB of requests in 60 s/],
    ["more bytes of plans than are kept", { plans: 0.002 }, {}, {}, 429, /MiB of plans/],
  ])("is refused %s, with the reason and when to ask again", async (_name, limits, first, second, status, says) => {
    const { join } = await host({ repository: scope(limits) });
    expect((await join({ repositoryId: "500", runId: "1" }, first)).status).toBe(200);
    const said = await join({ repositoryId: "500", runId: "2" }, second);
    expect({ status: said.status, message: said.message }).toEqual({ status, message: expect.stringMatching(says) });
    // Another's are not its.
    expect((await join({ repositoryId: "501", runId: "2" }, first)).status).toBe(200);
  });

  it("shares what its installation may have with the others of it", async () => {
    const { join } = await host({ installation: scope({ runs: 2 }) });
    for (const repositoryId of ["1", "2"]) expect((await join({ repositoryId })).status).toBe(200);
    const third = await join({ repositoryId: "3" });
    expect([third.status, third.message]).toEqual([
      429,
      expect.stringMatching(/this installation of the app has 2 runs/),
    ]);
    expect((await join({ repositoryId: "500" })).status).toBe(200);
  });

  it("is told by a header when to ask again, on a sync as well", async () => {
    const { address, join } = await host({ repository: scope({ requests: 0.2 }) });
    const joined = await join({ repositoryId: "500" });
    const sync = () =>
      fetch(`http://${address}/api/runs/${String(joined.body.run)}/sync`, {
        method: "POST",
        headers: { authorization: `Bearer ${String(joined.body.session)}`, "content-type": "application/json" },
        body: JSON.stringify(syncBody(1)),
      });
    expect((await sync()).status).toBe(200);
    const refused = await sync();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("an agent that meets a limit", () => {
  const client = (address: string, retries: string[], claims: Record<string, unknown>) =>
    new HttpCoordinator({
      url: new URL(`http://${address}`),
      credential: () => issuer.token({ audience: PUBLIC_URL, claims }),
      onRetry: (why) => retries.push(why),
    });
  const other = (runId: string) => ({ repository_id: "500", run_id: runId });

  it("waits for as long as it is told, says what for, and joins when there is a place", async () => {
    const { address, join, hosted } = await host({ repository: scope({ runs: 1, requests: 0.4 }) });
    for (let request = 0; request < 4; request += 1) {
      expect((await join({ repositoryId: "500", runId: "1" })).status).toBe(200);
    }
    for await (const run of hosted.runs) await run.host.cancel("somebody", "enough");
    const retries: string[] = [];
    let heard = 0;
    const key = keyOf(PLAN, { repositoryId: "500", runId: "2" });
    const joining = client(address, retries, other("2")).join(
      joinOf(PLAN, "node-0", { key }),
      NEVER,
      () => (heard += 1),
    );
    await expect(joining).resolves.toMatchObject({ session: expect.any(String) });
    expect(retries[0]).toContain("this repository has had its 4 requests");
    // The coordinator answers, if only to put it off: nobody takes it for silent.
    expect(heard).toBe(retries.length);
  });

  it("ends at once with the reason when it cannot come right", async () => {
    const { address, join } = await host({ workflowRun: 1 });
    expect((await join({ repositoryId: "500", runId: "2", group: "first" })).status).toBe(200);
    const retries: string[] = [];
    const key = keyOf(PLAN, { repositoryId: "500", runId: "2" });
    const joining = client(address, retries, other("2")).join(joinOf(PLAN, "node-0", { key }), NEVER);
    await expect(joining).rejects.toMatchObject({
      code: "over_limit",
      message: expect.stringContaining("one workflow run"),
    });
    expect(retries).toEqual([]);
  });

  it("ends with the reason when the wait would be longer than its group may take to meet", async () => {
    const { address, join } = await host({ repository: scope({ runs: 1 }) });
    expect((await join({ repositoryId: "500", runId: "1" })).status).toBe(200);
    const plan = { ...PLAN, assembly: { ...PLAN.assembly, timeoutMs: 5_000 } };
    const key = keyOf(plan, { repositoryId: "500", runId: "2" });
    const joining = client(address, [], other("2")).join(joinOf(plan, "node-0", { key }), NEVER);
    await expect(joining).rejects.toMatchObject({
      code: "too_many",
      message: expect.stringContaining("1 runs going on"),
    });
  });
});

it("a leader takes agents of its own group, not every group that a job of the workflow run can name", async () => {
  const runs = new Runs({ store: null, onError: () => undefined });
  const idToken = (audience: string) => issuer.token({ audience });
  const verifier = (audience: string) => createTokenVerifier({ issuer: issuer.url, audience });
  const key = keyOf(PLAN);
  const options = { idToken, verifier, key, runs, onError: () => undefined };
  const leader = await serveLeader({ listen: "127.0.0.1:0", advertise: null, ...options });
  closing.push(() => leader.close());
  const proven = await proveLeader({
    address: leader.address.replace(/^.*:/, "127.0.0.1:"),
    isTrusted: true,
    checkJob: async (claims) => checkClaims(claims, key),
    timeoutMs: 10_000,
    verifier,
    signal: NEVER,
  });
  const coordinator = new HttpCoordinator({
    url: proven.url,
    agent: proven.agent,
    credential: () => idToken(followerAudience(proven.fingerprint)),
    onRetry: () => undefined,
  });
  for (const group of ["one", "two", "three"]) {
    const joining = coordinator.join(joinOf(PLAN, "node-0", { key: keyOf(PLAN, { group }) }), NEVER);
    await expect(joining).rejects.toMatchObject({
      code: "wrong_run",
      message: expect.stringContaining("leads group train"),
    });
  }
  await coordinator.join(joinOf(PLAN, "node-0"), NEVER);
  let open = 0;
  for await (const run of runs) open += run.id === "" ? 0 : 1;
  expect(open).toBe(1);
  proven.agent.destroy();
});

it("the default limits leave all agents that they allow what their heartbeats take", () => {
  for (const { agents, requests } of [DEFAULT_QUOTAS.repository, DEFAULT_QUOTAS.installation]) {
    expect(requests).toBeGreaterThan((agents * 1_000) / PLAN.liveness.heartbeatIntervalMs);
  }
});

describe("the settings", () => {
  const base = { WEBHOOK_SECRET: "a secret that is long enough" };

  it("change the limits that they name, and leave the others", () => {
    const { quotas } = readConfig({
      ...base,
      STAGEWRIGHT_REPOSITORY_LIMITS: "runs=20, agents = 512",
      STAGEWRIGHT_WORKFLOW_RUN_GROUPS: "7",
    });
    expect(quotas).toEqual({
      repository: { ...DEFAULT_QUOTAS.repository, runs: 20, agents: 512 },
      installation: DEFAULT_QUOTAS.installation,
      workflowRun: 7,
    });
  });

  it.each(["runs", "runs=", "runs=0", "runs=-1", "runs=1e3", "jobs=3", "runs=1;agents=2", "__proto__=1"])(
    "are refused where they say “%s”",
    (text) => {
      expect(() => readConfig({ ...base, STAGEWRIGHT_INSTALLATION_LIMITS: text })).toThrow(
        /STAGEWRIGHT_INSTALLATION_LIMITS is .*; expected name=number, .*names are runs, agents, plans, hourly/,
      );
    },
  );
});

it("refusals are counted, by what they are for", async () => {
  const store = await openMemoryStore();
  closing.push(() => store.close());
  const metrics = new Metrics({ store, now: Date.now, runs: async () => null });
  metrics.overQuota("runs");
  metrics.refused("webhooks", "over_budget");
  const text = await metrics.text();
  expect(text).toContain('stagewright_quota_refusals_total{quota="runs"} 1');
  expect(text).toContain('stagewright_refusals_total{door="webhooks",reason="over_budget"} 1');
});
