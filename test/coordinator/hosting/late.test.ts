/** Agents that join when the run is over: what came of it is theirs to know. */
import { afterEach, describe, expect, it } from "vitest";
import type { LoopEnd } from "../../../src/agent/loop-end.ts";
import { beginRun, InProcessCoordinator } from "../../../src/coordinator/client/in-process.ts";
import { syncBodySchema } from "../../../src/coordinator/protocol/protocol.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import {
  agentOf,
  clientOf,
  EVERYTHING,
  joinOf,
  keyOf,
  NEVER,
  planOf,
  removeDirectories,
  startCoordinator,
} from "../builders.ts";
import { join, syncBody } from "../server/raw.ts";

let serving: Serving;
afterEach(async () => {
  await serving.close();
  removeDirectories();
});

const planWith = (command: string) =>
  planOf(`
name: group
agents: 2
assembly: { timeout: 1s, at_least: 1 }
stages:
  - { name: work, run: "${command}" }
`);

/** The first agent runs the plan without the second. */
async function ranAlone(command: string): Promise<LoopEnd> {
  serving = await startCoordinator();
  return await agentOf(clientOf(serving.address), joinOf(planWith(command), "node-0")).agent.run();
}

it("one that fell silent while the group met without it comes late, by the session that it has", async () => {
  serving = await startCoordinator();
  const plan = planOf(`
name: group
assembly: { timeout: 1s, at_least: 1 }
liveness: { heartbeat_interval: 50ms, warn_after: 100ms, lost_after: 300ms }
stages:
  - { name: work, run: "true", barrier: best_effort }
`);
  let at = 1_000_000;
  const spec = { key: keyOf(plan), plan, selection: EVERYTHING, agentCount: 2 };
  const run = beginRun(spec, { now: () => at });
  const nobody = { checkRunId: null, repository: null };
  const { session } = await run.join(joinOf(plan, "node-1", { agentCount: 2 }), "nonce-of-node-1", nobody);
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 50) {
      at += 50;
      run.host.commit({ event: { type: "ticked", at } });
    }
  };
  pass(900);
  await new InProcessCoordinator(run).join(joinOf(plan, "node-0", { agentCount: 2 }));
  pass(200);
  expect(run.host.state).toMatchObject({ status: "running", dropped: [{ name: "node-1" }] });
  const said = syncBodySchema.parse(syncBody(1));
  const answer = JSON.parse(await run.sync({ session, sequence: 1, digest: "" }, said, NEVER));
  expect(answer.instruction).toMatchObject({ do: "execute", stage: 0 });
  run.host.close();
});

describe.each([
  ["success", "true", /1 stage succeeded/],
  ["failure", "exit 7", /work.*node-0.*7/],
] as const)("after a run whose verdict is %s", (verdict, command, reason) => {
  it("one that was never there, and that the plan can do without, ends with the verdict, as excluded", async () => {
    expect(await ranAlone(command)).toMatchObject({ kind: "finished", summary: { verdict }, excluded: null });
    const late = agentOf(clientOf(serving.address), joinOf(planWith(command), "node-1"));
    const end = await late.agent.run();
    expect(end).toMatchObject({
      kind: "finished",
      excluded: "it joined when the run was over",
      summary: { verdict, message: expect.stringMatching(reason) },
    });
    expect(end.kind === "finished" && end.summary.message).toContain("the run ended without node-1");
    expect(late.events.map(({ kind }) => kind)).toEqual(["excluded"]);
  });

  it("one of the group that comes back ends with the verdict and its own part", async () => {
    await ranAlone(command);
    const back = agentOf(clientOf(serving.address), joinOf(planWith(command), "node-0"));
    const end = await back.agent.run();
    expect(end).toMatchObject({
      kind: "finished",
      excluded: null,
      summary: { verdict, message: expect.stringMatching(reason), phases: [{ agents: [{ agent: "node-0" }] }] },
    });
    expect(back.events.map(({ kind }) => kind)).not.toContain("started");
  });
});

it("one that is none of the group fails, whatever came of the run", async () => {
  serving = await startCoordinator();
  const plan = planOf("name: group\nagents: 1\nstages:\n  - { name: work, run: 'true' }\n");
  expect(await agentOf(clientOf(serving.address), joinOf(plan, "node-0")).agent.run()).toMatchObject({
    summary: { verdict: "success" },
  });
  expect(await agentOf(clientOf(serving.address), joinOf(plan, "node-7")).agent.run()).toMatchObject({
    excluded: "it joined when the run was over",
    summary: { verdict: "failure", message: expect.stringContaining("the run ended without node-7") },
  });
});

it("the refusal says it in words, too, for whoever speaks the protocol", async () => {
  await ranAlone("true");
  const said = await join(serving.address, joinOf(planWith("true"), "node-1"));
  expect(said).toMatchObject({ status: 410, code: "ended", body: { ended: { member: false } } });
  expect(said.message).toContain("this run is over (succeeded): 1 stage succeeded; it ended without node-1");
});
