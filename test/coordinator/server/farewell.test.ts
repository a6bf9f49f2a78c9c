/** A leader's last word: who may still come for the run's end gets it, and nobody is told to join a run that is over. */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { type Connection, connect } from "../../../src/coordinator/client/connect.ts";
import { beginRun, InProcessCoordinator } from "../../../src/coordinator/client/in-process.ts";
import type { RunHost } from "../../../src/coordinator/hosting/host.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { type Issuer, startIssuer } from "../admission/issuer.ts";
import { EVERYTHING, idle, joinOf, keyOf, NEVER, planOf, startCoordinator } from "../builders.ts";
import { join, post, syncBody } from "./raw.ts";

const PLAN = planOf(`
name: group
agents: 2
liveness: { heartbeat_interval: 50ms, warn_after: 100ms, lost_after: 300ms }
stages:
  - { name: work, duration: 1h, barrier: best_effort }
`);
const SECOND = 1_000;

describe("a run that is over", () => {
  const HEARD_MS = 70 * SECOND;
  let at = 1_000_000;
  let first: InProcessCoordinator;
  const hosted = async (): Promise<RunHost> => {
    at = 1_000_000;
    const spec = { key: keyOf(PLAN), plan: PLAN, selection: EVERYTHING, agentCount: 2 };
    const run = beginRun(spec, { now: () => at });
    first = new InProcessCoordinator(run);
    await first.join(joinOf(PLAN, "node-0"));
    await run.join(joinOf(PLAN, "node-1"), "nonce-of-node-1", { checkRunId: "7001", repository: null });
    at += 10 * SECOND;
    await first.sync(idle(), 0, NEVER);
    const { host } = run;
    await host.cancel("ann", "enough");
    at += 60 * SECOND;
    host.commit({ event: { type: "ticked", at } });
    expect(host.isOver).toBe(true);
    return host;
  };

  it("is told to those who were seen lately, lost or not, until they have heard it or left", async () => {
    const host = await hosted();
    expect(host.untold(HEARD_MS)).toEqual(["node-0", "node-1"]);
    at += 5 * SECOND;
    expect(host.untold(HEARD_MS)).toEqual(["node-0"]);
    host.instruct("node-0");
    // What is answered has not come yet.
    expect(host.untold(HEARD_MS)).toEqual(["node-0"]);
    host.noteHeardEnd("node-0");
    expect(host.untold(HEARD_MS)).toEqual([]);
    host.close();
  });

  it("is not kept for those whose job is over", async () => {
    const host = await hosted();
    host.noteOver(["7001", "7777"]);
    expect(host.untold(HEARD_MS)).toEqual(["node-0"]);
    host.close();
  });

  it("is not kept for those who left, before or after its end", async () => {
    const host = await hosted();
    await first.leave("SIGTERM");
    expect(host.untold(HEARD_MS)).toEqual(["node-1"]);
    host.close();
  });
});

describe("a leader", () => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer.close());

  const tokens = (check_run_id: string) => ({
    idToken: (audience: string) => issuer.token({ audience, claims: { check_run_id } }),
    verifier: (audience: string) => createTokenVerifier({ issuer: issuer.url, audience }),
    ...{ onlyJob: null, jobName: null, listJobs: null },
  });
  const options = { key: keyOf(PLAN), plan: PLAN, selection: EVERYTHING, agentCount: 2 };
  const quiet = () => undefined;

  /** A group of a leader and a follower; `way`: where the follower reaches the leader. */
  async function pair(say: (text: string) => void, way: (address: string) => Promise<string>) {
    let address = "";
    const announce = async (where: string) => {
      address = await way(where);
      return async () => undefined;
    };
    const leads = { kind: "leader", listen: "127.0.0.1:0", advertise: "127.0.0.1", announce } as const;
    const leader = await connect({ ...options, say, location: { ...leads, ...tokens("7000") } }, NEVER);
    await leader.coordinator.join(joinOf(PLAN, "node-0", { index: 0 }), NEVER);
    const follows = { kind: "follower", addresses: async () => [address], isTrusted: true } as const;
    const location = { ...follows, ...tokens("7001") };
    const follower: Connection = await connect({ ...options, say: quiet, location }, NEVER);
    await follower.coordinator.join(joinOf(PLAN, "node-1", { index: 1 }), NEVER);
    return { leader, follower, first: async () => (await leader.coordinator.sync(idle(), 0, NEVER)).instruction.do };
  }

  it("waits, saying so, for an agent that was lost, which comes back for the verdict", async () => {
    const said: string[] = [];
    const { leader, follower, first } = await pair(
      (text) => void said.push(text),
      async (address) => address,
    );
    // The second says nothing more; the group can do without it.
    const presence = async () => (await first()) && leader.host?.state.agents.flat()[1]?.presence;
    await expect.poll(presence, { timeout: 10_000, interval: 50 }).toBe("lost");
    await leader.host?.cancel("ann", "enough");
    await expect.poll(first, { timeout: 60_000 }).toBe("finish");
    const closed = leader.close();
    await expect.poll(() => said.join("\n"), { timeout: 20_000 }).toContain("the run is over; waiting for node-1");
    const answer = await follower.coordinator.sync(idle(), 0, NEVER);
    expect(answer.instruction).toMatchObject({ do: "finish", summary: { verdict: "cancelled" } });
    await closed;
    await follower.close();
  }, 90_000);

  it("stays for an agent whose answer was lost on its way, until that has it", async () => {
    const way = new Way();
    const { leader, follower, first } = await pair(quiet, (address) => way.to(address));
    way.cut();
    await leader.host?.cancel("ann", "enough");
    const verdict = follower.coordinator.sync(idle(), 0, NEVER);
    await expect.poll(first, { timeout: 60_000 }).toBe("finish");
    await way.swallowed;
    const closed = leader.close();
    // Whoever leaves as soon as everybody was answered is gone by then.
    await Promise.race([closed, sleep(300)]);
    way.mend();
    expect((await verdict).instruction).toMatchObject({ do: "finish", summary: { verdict: "cancelled" } });
    await closed;
    await follower.close();
    way.close();
  }, 90_000);
});

/** A way between two, of which one direction can be cut: what comes back is swallowed then. */
class Way {
  readonly swallowed: Promise<void>;
  readonly #swallow: () => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #isCut = false;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.swallowed = promise;
    this.#swallow = resolve;
  }

  /** @returns where to come instead */
  async to(address: string): Promise<string> {
    const [host = "", port = ""] = address.split(":");
    this.#server = createServer((near) => {
      const far = createConnection(Number(port), host);
      near.on("data", (bytes) => far.write(bytes));
      far.on("data", (bytes) => {
        if (this.#isCut) this.#swallow();
        else near.write(bytes);
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => undefined);
        one.on("close", () => {
          if (!this.#isCut) other.destroy();
        });
      }
    });
    const server = this.#server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const own = server.address();
    return `127.0.0.1:${typeof own === "object" && own !== null ? own.port : 0}`;
  }

  cut(): void {
    this.#isCut = true;
  }

  /** What lost bytes is of no use any more. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.mend();
    this.#server?.close();
  }
}

describe("a coordinator that is closing", () => {
  let serving: Serving;
  afterEach(() => serving.close());

  it("answers with the end of a run that is over, and asks to come again for one that is not", async () => {
    serving = await startCoordinator();
    const over = await join(serving.address, joinOf(PLAN, "node-0"));
    const run = await serving.runs.find(over.run);
    await run?.host.cancel("ann", "enough");
    const key = keyOf(PLAN, { runId: "2" });
    const other = await join(serving.address, joinOf(PLAN, "node-0", { key }), { nonce: "another-run-another-nonce" });
    await serving.runs.close();
    const told = await post(serving.address, `/api/runs/${over.run}/sync`, over.session, syncBody(1));
    expect(told.body.instruction).toMatchObject({ do: "finish", summary: { verdict: "cancelled" } });
    const late = await join(serving.address, joinOf(PLAN, "node-1"));
    expect(late).toMatchObject({ code: "ended", body: { ended: { member: false } } });
    const again = await post(serving.address, `/api/runs/${other.run}/sync`, other.session, syncBody(1));
    expect(again).toMatchObject({ status: 503, code: "not_stored" });
  });
});
