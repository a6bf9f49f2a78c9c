/** An agent that was refused for good is not waited for: the others end with the reason that the coordinator knew. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { LoopEnd } from "../../../src/agent/loop-end.ts";
import { createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import { InProcessCoordinator } from "../../../src/coordinator/client/in-process.ts";
import { Runs } from "../../../src/coordinator/hosting/runs.ts";
import type { JoinRequest } from "../../../src/coordinator/protocol/port.ts";
import { PROTOCOLS } from "../../../src/coordinator/protocol/protocol.ts";
import { followerAudience, proveLeader } from "../../../src/coordinator/server/leader.ts";
import { type Serving, serveLeader } from "../../../src/coordinator/server/serve.ts";
import { agentOf, joinOf, keyOf, NEVER, planOf, removeDirectories, startCoordinator } from "../builders.ts";
import { join, post } from "../server/raw.ts";
import { groupJobs, type Issuer, startIssuer } from "./issuer.ts";

const text = (run: string): string => `
name: group
agents: 3
assembly: { timeout: 10m }
stages:
  - { name: work, run: "${run}" }
`;
const PLAN = planOf(text("true"));

let issuer: Issuer;
let serving: Serving | null = null;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterEach(async () => {
  await serving?.close();
  serving = null;
  removeDirectories();
});
afterAll(() => issuer.close());

/** A leader whose own agent waits for two others; how that agent ends, and the way to it for another job. */
async function lead(plan = PLAN) {
  const runs = new Runs({ store: null, onError: () => undefined });
  const verifier = (audience: string) => createTokenVerifier({ issuer: issuer.url, audience });
  const key = keyOf(plan);
  const token = (job: string) => (audience: string) => issuer.token({ audience, claims: { check_run_id: job } });
  const shared = { listen: "127.0.0.1:0", advertise: null, key, runs, verifier, onError: () => undefined };
  const leader = await serveLeader({ ...shared, idToken: token("7000") });
  serving = leader;
  const run = await runs.open(joinOf(plan, ""));
  run.reserveFirst();
  const first = agentOf(
    new InProcessCoordinator(run, { checkRunId: "7000", repository: null }),
    joinOf(plan, "node-0", { index: 0 }),
  );
  const ended = first.agent.run();
  await expect.poll(() => run.host.state.living).toBe(1);
  const asJob = async (job: string): Promise<HttpCoordinator> => {
    const checkJob = groupJobs(key).check.bind(groupJobs(key));
    const options = { isTrusted: true, verifier, checkJob, timeoutMs: 10_000, signal: NEVER };
    const proven = await proveLeader({ address: leader.address, ...options });
    const credential = () => token(job)(followerAudience(proven.fingerprint));
    return new HttpCoordinator({ url: proven.url, credential, agent: proven.agent, onRetry: () => undefined });
  };
  return { run, ended, asJob };
}

function messageOf(end: LoopEnd): string {
  return end.kind === "finished" ? end.summary.message : end.kind;
}

const refusals: readonly (readonly [string, JoinRequest, RegExp])[] = [
  [
    "has another plan",
    joinOf(planOf(text("false")), "node-1", { index: 1 }),
    /only 2 of 3 agents can be there: node-1 was refused: .*stages.work.command.script: "true" here, "false" there/,
  ],
  [
    "has a place that another job holds",
    joinOf(PLAN, "node-2", { index: 0 }),
    /node-2 was refused: index 0 is node-0's/,
  ],
  ["has a name that another job holds", joinOf(PLAN, "node-1", { index: 1 }), /node-1 was refused: node-1 is held/],
  [
    "says what cannot be read",
    { ...joinOf(PLAN, "node-1"), address: "not an address" },
    /node-1 was refused: the body does not fit the protocol: address/,
  ],
];

it.each(refusals)("an agent that %s ends the others at once, with the reason", async (name, request, says) => {
  const { run, ended, asJob } = await lead();
  if (name.startsWith("has a name")) {
    await (await asJob("7001")).join(joinOf(PLAN, "node-1", { index: 1 }), NEVER);
  }
  await expect((await asJob("7002")).join(request, NEVER)).rejects.toThrow();
  expect(messageOf(await ended)).toMatch(says);
  expect(run.host.state.assembledAt).toBeNull();
});

it("an agent of a protocol that is not served ends the others at once, saying which version is", async () => {
  const { ended, asJob } = await lead();
  const other = await asJob("7001");
  // As a newer version would ask: with a body of its own, of which key and agent are as they always were.
  await expect(other.join({ ...joinOf(PLAN, "node-1"), ...{ protocol: 99 } }, NEVER)).rejects.toThrow(/protocol 99/);
  expect(messageOf(await ended)).toContain(
    `node-1 was refused: protocol 99 is not served here, ${PROTOCOLS.join(" and ")} is`,
  );
});

it("a job that tries again in vain beside its own place ends nobody", async () => {
  const { run, ended, asJob } = await lead();
  const one = await asJob("7001");
  await one.join(joinOf(PLAN, "node-1", { index: 1 }), NEVER);
  await expect((await asJob("7001")).join(joinOf(PLAN, "extra", { index: 2 }), NEVER)).rejects.toThrow(
    /one job is one/,
  );
  expect(run.host.state.status).toBe("assembling");
  await run.host.cancel("the test", "it is over");
  await ended;
});

it("whoever joins by a shared secret may try again: nobody is ended by it", async () => {
  serving = await startCoordinator();
  await join(serving.address, joinOf(PLAN, "node-0", { index: 0 }));
  const refused = await join(serving.address, joinOf(planOf(text("false")), "node-1", { index: 1 }));
  expect(refused.code).toBe("different_plan");
  expect((await post(serving.address, "/api/runs/join", "wrong-secret", {})).status).toBe(401);
  const run = await serving.runs.open(joinOf(PLAN, "node-0"));
  expect(run.host.state.status).toBe("assembling");
});
