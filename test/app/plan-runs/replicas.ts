/** Several replicas that host runs, over one store, with a lease clock that only goes on when a test says so. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { getOctokit } from "@actions/github";
import { type HostedRuns, hostRuns } from "../../../app/plan-runs/plan-runs.ts";
import type { Store } from "../../../app/store/model.ts";
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { type Issuer, startIssuer } from "../../coordinator/admission/issuer.ts";
import { agentOf, joinOf, type TestAgent } from "../../coordinator/builders.ts";
import { CheckServer } from "../../github/check-server.ts";
import { openMemoryStore } from "../store/memory.ts";

export const PUBLIC_URL = "https://stagewright.example";
const LEASE_MS = 15_000;

export interface TestReplica {
  readonly id: string;
  readonly address: string;
  readonly hosted: HostedRuns;
  /** Renews its lease. */
  beat(): Promise<void>;
  /** By its own clock its lease has ended. */
  doubt(): void;
  /** It takes connections and answers nothing; what it knows stays as it is. */
  freeze(): void;
  thaw(): void;
  /** From now on GitHub does not answer it where a run belongs. Resolves when it has asked. */
  unanswered(): Promise<void>;
  /** As by SIGKILL: nothing is answered, decided, kept or given back any more. */
  kill(): Promise<void>;
}

export interface Replicas {
  readonly store: Store;
  readonly github: CheckServer;
  readonly all: readonly TestReplica[];
  /** Gives each request to the next replica that takes connections. */
  readonly balancer: string;
  readonly errors: readonly string[];
  /** A job's token. */
  token(index: number): Promise<string>;
  agents(plan: Plan, count: number): readonly TestAgent[];
  /** The leases of these last; those of all others end. */
  endLeasesBut(...replicas: readonly TestReplica[]): Promise<void>;
  /** Who has a run; null: nobody. */
  ownerOf(run: string): Promise<TestReplica | null>;
  close(): Promise<void>;
}

export async function startReplicas(count: number): Promise<Replicas> {
  let now = 1_000_000;
  const store = await openMemoryStore({ now: () => now });
  const issuer = await startIssuer();
  const github = await new CheckServer().start();
  const errors: string[] = [];
  const all: TestReplica[] = [];
  for (let n = 0; n < count; n += 1) all.push(await startReplica(`replica-${n}`, { store, issuer, github, errors }));
  const dead = new Set<string>();
  const balancing = http.createServer((request, response) => void balance(request, response));
  let turn = 0;
  const balance = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const up = all.filter(({ id }) => !dead.has(id));
    turn += 1;
    const [host = "", port] = (up[turn % up.length]?.address ?? "").split(":");
    const { method, url: path, headers } = request;
    const passed = http.request({ host, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    passed.end(Buffer.concat(chunks));
  };
  const balancer = await listening(balancing);
  const token = (index: number): Promise<string> =>
    issuer.token({
      audience: PUBLIC_URL,
      claims: { repository: "acme/widgets", check_run_id: String(7000 + index) },
    });
  return {
    store,
    github,
    all: all.map((replica) => ({
      ...replica,
      kill: async () => {
        dead.add(replica.id);
        await replica.kill();
      },
    })),
    balancer,
    errors,
    token,
    agents: (plan, size) =>
      Array.from({ length: size }, (_, index) => {
        const url = new URL(`http://${balancer}`);
        const coordinator = new HttpCoordinator({
          url,
          // Each request over a connection of its own, so that each may reach another replica.
          agent: new http.Agent(),
          credential: () => token(index),
          onRetry: () => undefined,
        });
        return agentOf(coordinator, joinOf(plan, `node-${index}`, { index }));
      }),
    endLeasesBut: async (...replicas) => {
      now += LEASE_MS + 1_000;
      for (const replica of replicas) await replica.beat();
    },
    ownerOf: async (run) => {
      const owner = await store.claims.ownerOf(`run:${run}`);
      return all.find(({ id }) => id === owner?.owner) ?? null;
    },
    close: async () => {
      for (const replica of all) {
        replica.thaw();
        await replica.hosted.close();
        await replica.kill();
      }
      balancing.closeAllConnections();
      balancing.close();
      await github.stop();
      await issuer.close();
      await store.close();
    },
  };
}

interface Around {
  readonly store: Store;
  readonly issuer: Issuer;
  readonly github: CheckServer;
  readonly errors: string[];
}

async function startReplica(id: string, { store, issuer, github, errors }: Around): Promise<TestReplica> {
  let thawed: PromiseWithResolvers<void> | null = null;
  let asked: PromiseWithResolvers<void> | null = null;
  let isSure = true;
  let breaks = 0;
  const server = http.createServer((request, response) => {
    void (async () => {
      await thawed?.promise;
      await hosted.handler(request, response);
    })();
  });
  const address = await listening(server);
  const beat = async (): Promise<void> => {
    const { unbroken } = await store.replicas.beat({ id, address, version: "1" }, LEASE_MS);
    if (!unbroken) breaks += 1;
    isSure = true;
  };
  await beat();
  const octokit = getOctokit("t", { baseUrl: github.url });
  const hosted = await hostRuns({
    store,
    replicas: {
      lease: { id, inForce: () => ({ until: isSure ? Number.POSITIVE_INFINITY : 0, breaks }) },
      requestMs: 100,
      takeUpEveryMs: 200,
    },
    publicUrl: PUBLIC_URL,
    issuer: issuer.url,
    installation: async () => 7,
    client: async () => ({
      request: async (route: string, parameters?: Record<string, unknown>) => {
        if (!route.includes("/actions/runs/") || route.includes("/attempts/")) {
          return await octokit.request(route, parameters);
        }
        asked?.resolve();
        if (asked !== null) await new Promise(() => undefined);
        return { status: 200, data: { head_sha: "c".repeat(40), html_url: null }, headers: {} };
      },
      graphql: async () => null,
    }),
    pace: { now: Date.now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
    onError: (error, what) => errors.push(`${id}: ${what}: ${String(error)}`),
  });
  return {
    id,
    address,
    hosted,
    beat,
    doubt: () => {
      isSure = false;
    },
    freeze: () => {
      thawed = Promise.withResolvers();
    },
    thaw: () => {
      thawed?.resolve();
      thawed = null;
    },
    unanswered: () => {
      asked = Promise.withResolvers();
      return asked.promise;
    },
    kill: async () => {
      for await (const run of hosted.runs) run.host.lose();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function listening(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
