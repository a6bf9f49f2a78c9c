/** A leader's last word: who may still come for the run's end gets it, and nobody is told to join a run that is over. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { type Connection, connect } from "../../../src/coordinator/client/connect.ts";
import { RunHost } from "../../../src/coordinator/hosting/host.ts";
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
  const hosted = async (): Promise<RunHost> => {
    at = 1_000_000;
    const created = {
      type: "created",
      at,
      key: keyOf(PLAN),
      plan: PLAN,
      selection: EVERYTHING,
      agentCount: 2,
    } as const;
    const host = new RunHost({ created, now: () => at });
    await host.join(joinOf(PLAN, "node-0"), "s0", null);
    await host.join(joinOf(PLAN, "node-1"), "s1", "7001");
    at += 10 * SECOND;
    await host.sync({ ...idle(), agent: "node-0", session: "s0" }, 0, NEVER);
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
    await host.leave("node-0", "s0", "SIGTERM");
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

  it("waits, saying so, for an agent that was lost, which comes back for the verdict", async () => {
    const tokens = (check_run_id: string) => ({
      idToken: (audience: string) => issuer.token({ audience, claims: { check_run_id } }),
      verifier: (audience: string) => createTokenVerifier({ issuer: issuer.url, audience }),
      ...{ onlyJob: null, jobName: null, listJobs: null },
    });
    const said: string[] = [];
    const options = { key: keyOf(PLAN), plan: PLAN, selection: EVERYTHING, agentCount: 2 };
    const say = (text: string): void => void said.push(text);
    let address = "";
    const announce = async (where: string) => {
      address = where;
      return async () => undefined;
    };
    const leads = { kind: "leader", listen: "127.0.0.1:0", advertise: "127.0.0.1", announce } as const;
    const leader = await connect({ ...options, say, home: { ...leads, ...tokens("7000") } }, NEVER);
    await leader.coordinator.join(joinOf(PLAN, "node-0", { index: 0 }), NEVER);
    const follows = { kind: "follower", addresses: async () => [address], isTrusted: true } as const;
    const home = { ...follows, ...tokens("7001") };
    const follower: Connection = await connect({ ...options, say: () => undefined, home }, NEVER);
    await follower.coordinator.join(joinOf(PLAN, "node-1", { index: 1 }), NEVER);
    // The second says nothing more; the group can do without it.
    const first = async () => (await leader.coordinator.sync(idle(), 0, NEVER)).instruction.do;
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
});

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
