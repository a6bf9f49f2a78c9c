import { afterEach, describe, expect, it } from "vitest";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import { joinOf, keyOf, planOf, removeDirectories } from "../../coordinator/builders.ts";
import { get, join, post, syncBody } from "../../coordinator/server/raw.ts";
import { type Replicas, startReplicas, type TestReplica } from "./replicas.ts";

let house: Replicas;
afterEach(async () => {
  await house.close();
  removeDirectories();
});

const PLAN = planOf(`
name: shared
agents: 3
stages:
  - { name: prepare, run: 'true' }
  - { name: work, run: 'if [ "$STAGEWRIGHT_AGENT_INDEX" = 0 ]; then sleep 2; fi' }
  - { name: finish, run: 'true' }
`);
const RUN = runIdOf(keyOf(PLAN));

const startedBy = (group: ReturnType<Replicas["agents"]>): string[][] =>
  group.map(({ events }) => events.flatMap((event) => (event.kind === "started" ? [event.stage.name] : [])));
const EACH_ONCE = Array.from({ length: 3 }, () => ["prepare", "work", "finish"]);

async function owner(): Promise<TestReplica> {
  const found = await house.ownerOf(RUN);
  if (found === null) throw new Error("nobody has the run");
  return found;
}

/** Both agents join, at this replica. */
async function joined(at: TestReplica, plan = planOf("name: two\nagents: 2\nstages: [{ name: work, run: 'true' }]")) {
  const sessions: string[] = [];
  for (const index of [0, 1]) {
    const bearer = await house.token(index);
    const said = await join(at.address, joinOf(plan, `node-${index}`, { index }), { bearer });
    expect(said.status).toBe(200);
    sessions.push(said.session);
  }
  return { run: runIdOf(keyOf(plan)), sessions };
}

describe("replicas over one store", () => {
  it("coordinate one group whichever of them its agents ask, and show it once", async () => {
    house = await startReplicas(3);
    const group = house.agents(PLAN, 3);
    const ends = await Promise.all(group.map(({ agent }) => agent.run()));
    for (const end of ends) expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
    expect(startedBy(group)).toEqual(EACH_ONCE);
    await expect.poll(() => house.store.runs.unfinished()).toEqual([]);
    expect(house.github.checks).toHaveLength(1);
    expect(house.github.checks[0]).toMatchObject({ status: "completed", conclusion: "success" });
    // One of them has it, and no other has read it into memory.
    const having = house.all.filter(({ hosted }) => hosted.runs.holds(RUN)).map(({ id }) => id);
    expect(having).toEqual([(await owner()).id]);
    expect(house.errors).toEqual([]);
  });

  it("go on with a run whose owner was killed, as its plan says and with the same check run", async () => {
    house = await startReplicas(3);
    const group = house.agents(PLAN, 3);
    const ends = Promise.all(group.map(({ agent }) => agent.run()));
    const inWork = () => startedBy(group).filter((stages) => stages.includes("work")).length;
    await expect.poll(inWork, { timeout: 30_000 }).toBe(3);
    await expect.poll(() => house.github.checks.length).toBe(1);
    const first = await owner();
    await house.all.find(({ id }) => id === first.id)?.kill();
    const others = house.all.filter(({ id }) => id !== first.id);
    await house.endLeasesBut(...others);
    for (const end of await ends) {
      if (end.kind !== "finished") throw new Error(end.why);
      expect(end.summary.verdict).toBe("success");
      expect(end.summary.phases.map(({ status, retryCount }) => [status, retryCount])).toEqual([
        ["success", 0],
        ["success", 0],
        ["success", 0],
      ]);
    }
    expect(startedBy(group)).toEqual(EACH_ONCE);
    expect((await owner()).id).not.toBe(first.id);
    await expect.poll(() => house.store.runs.unfinished()).toEqual([]);
    expect(house.github.checks.map(({ conclusion }) => conclusion)).toEqual(["success"]);
  });

  it("show a run whose owner was killed before GitHub had said on which commit it is", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const asked = first.unanswered();
    await joined(first);
    await asked;
    await house.all[0]?.kill();
    await house.endLeasesBut(second);
    await expect.poll(() => house.github.checks.length, { timeout: 15_000 }).toBe(1);
  });

  it("take a run up that nobody asks for, so that its deadlines are met", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const plan = planOf("name: two\nagents: 2\nassembly: { timeout: 1s }\nstages: [{ name: work, run: 'true' }]");
    const bearer = await house.token(0);
    expect((await join(first.address, joinOf(plan, "node-0", { index: 0 }), { bearer })).status).toBe(200);
    await first.kill();
    await house.endLeasesBut(second);
    await expect.poll(() => house.store.runs.unfinished(), { timeout: 15_000 }).toEqual([]);
    const state = await house.store.runs.load(runIdOf(keyOf(plan)));
    expect(state?.snapshot).toMatchObject({ state: { status: "failed" } });
  });

  it("hand a run over at once when its owner stops in order", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const { run, sessions } = await joined(first);
    await first.hosted.close();
    const said = await post(second.address, `/api/runs/${run}/sync`, sessions[0] ?? "", syncBody(1));
    expect(said.status).toBe(200);
    expect((await house.ownerOf(run))?.id).toBe(second.id);
  });
});

describe("a replica that stood still for longer than its lease", () => {
  it.each([
    ["by its own clock", (replica: TestReplica) => replica.doubt()],
    ["by what the store says when it renews its lease", (replica: TestReplica) => replica.beat()],
  ])("knows it %s, tells nothing of what it remembers, and asks who has the run now", async (_, notices) => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const { run, sessions } = await joined(first);
    const path = `/api/runs/${run}/sync`;
    for (const session of sessions) {
      const told = await post(first.address, path, session, syncBody(1));
      expect(told.body.instruction).toMatchObject({ do: "execute" });
    }
    first.freeze();
    await house.endLeasesBut(second);
    // It says nothing new: there is nothing to write that could fail.
    const held = post(first.address, path, sessions[1] ?? "", syncBody(2));
    const heldStatus = get(first.address, `/api/runs/${run}`, sessions[1] ?? "");
    // The other one ends the run meanwhile.
    const bye = { protocol: PROTOCOL, seq: 2, why: "enough" };
    expect((await post(second.address, `/api/runs/${run}/leave`, sessions[0] ?? "", bye)).status).toBe(200);
    const there = await second.hosted.runs.find(run);
    await there?.host.cancel("ann", "enough");
    await notices(first);
    first.thaw();
    const answers = await Promise.all([held, heldStatus]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.body.instruction).not.toMatchObject({ do: "execute" });
    expect(answers[1]?.body).toMatchObject({ status: there?.host.state.status });
    expect(first.hosted.runs.holds(run)).toBe(false);
  });

  it("can keep nothing of a run that another has taken up, though it thinks that its lease lasts", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const { run, sessions } = await joined(first);
    const path = `/api/runs/${run}/sync`;
    await house.endLeasesBut(second);
    expect((await post(second.address, path, sessions[0] ?? "", syncBody(1))).status).toBe(200);
    const said = await post(first.address, path, sessions[1] ?? "", syncBody(1, { reset: "a new beginning" }));
    expect([said.status, said.code]).toEqual([503, "not_stored"]);
    expect(first.hosted.runs.holds(run)).toBe(false);
    const again = await post(first.address, path, sessions[1] ?? "", syncBody(1, { reset: "a new beginning" }));
    expect(again.status).toBe(200);
    expect((await house.ownerOf(run))?.id).toBe(second.id);
  });

  it("is waited for no longer than its lease by who asked another replica", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const { run, sessions } = await joined(first);
    first.freeze();
    const asked = post(second.address, `/api/runs/${run}/sync`, sessions[0] ?? "", syncBody(1, { holdMs: 0 }));
    await house.endLeasesBut(second);
    expect((await asked).status).toBe(200);
    expect((await house.ownerOf(run))?.id).toBe(second.id);
  });
});

describe("what is asked of another replica than the run's", () => {
  it("is answered as the owner answers it: joins, state, plan, refusals", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const { run, sessions } = await joined(first);
    const [session = ""] = sessions;
    expect((await get(second.address, `/api/runs/${run}`, session)).body).toMatchObject({ run, status: "running" });
    expect((await get(second.address, `/api/runs/${run}/plan`, session)).body).toMatchObject({ agentCount: 2 });
    const path = `/api/runs/${run}/sync`;
    const numbered = await post(second.address, path, session, syncBody(2));
    expect(numbered.status).toBe(200);
    const older = await post(second.address, path, session, syncBody(1));
    expect([older.status, older.code]).toEqual([409, "sequence"]);
    const wrong = await post(second.address, path, session, { protocol: 99 });
    expect([wrong.status, wrong.code]).toEqual([400, "protocol"]);
    const stranger = await post(second.address, path, "made-up.token", syncBody(1));
    expect([stranger.status, stranger.code]).toEqual([401, "unauthorized"]);
    const none = await get(second.address, `/api/runs/${"x".repeat(22)}`, session);
    expect([none.status, none.code]).toEqual([404, "not_found"]);
    expect(second.hosted.runs.holds(run)).toBe(false);
  });

  it("is told to whoever assembles: an agent that another replica cannot understand is not waited for", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const plan = planOf("name: two\nagents: 2\nstages: [{ name: work, run: 'true' }]");
    const bearer = await house.token(0);
    expect((await join(first.address, joinOf(plan, "node-0", { index: 0 }), { bearer })).status).toBe(200);
    const request = { ...joinOf(plan, "node-1", { index: 1 }), agentCount: -1 };
    const refused = await join(second.address, request, { bearer: await house.token(1) });
    expect([refused.status, refused.code]).toEqual([400, "invalid"]);
    const run = await first.hosted.runs.find(runIdOf(keyOf(plan)));
    await expect.poll(() => run?.host.state.status).toBe("failed");
  });
});

describe("what a person decides", () => {
  it("is heard by the run's coordinator, whichever replica was told, and known to all", async () => {
    house = await startReplicas(2);
    const [first, second] = house.all as [TestReplica, TestReplica];
    const plan = planOf("name: asked\nagents: 1\nstages: [{ name: work, checkpoint: true, run: 'true' }]");
    const bearer = await house.token(0);
    const { run, session } = await join(first.address, joinOf(plan, "node-0", { index: 0 }), { bearer });
    await post(first.address, `/api/runs/${run}/sync`, session, syncBody(1));
    const asked = (await second.hosted.approvals.find(run))?.asked;
    expect(asked).toMatchObject({ stage: 0, round: 1 });
    const decision = { verb: "continue", stage: 0, round: 1, by: "ann", why: null } as const;
    expect(await second.hosted.approvals.act(run, decision)).toBeNull();
    expect(await second.hosted.approvals.act(run, decision)).toContain("is decided");
    expect((await second.hosted.approvals.find(run))?.decided.approvals).toMatchObject([{ by: "ann" }]);
    expect(second.hosted.runs.holds(run)).toBe(false);
    expect((await first.hosted.runs.find(run))?.host.state.checkpoint).toBeNull();
  });
});
