import http from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkClaims, createTokenVerifier } from "../../../src/coordinator/admission/admission.ts";
import type { GroupRun } from "../../../src/coordinator/hosting/group-run.ts";
import { Runs } from "../../../src/coordinator/hosting/runs.ts";
import { SessionTokens } from "../../../src/coordinator/hosting/session-tokens.ts";
import { PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import { coordinatorHandler } from "../../../src/coordinator/server/handler.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { idle, joinOf, keyOf, planOf, startCoordinator } from "../builders.ts";
import { get, join, post, syncBody } from "../server/raw.ts";
import { type Issuer, startIssuer } from "./issuer.ts";

const PLAN = planOf(`
name: group
agents: 2
stages:
  - { name: work, run: "true" }
`);

describe("a group whose agents come with tokens of GitHub's", () => {
  const AUDIENCE = "https://coordinator.example";
  let issuer: Issuer;
  let server: http.Server;
  let runs: Runs;
  let address = "";
  let theirs: GroupRun;
  let session = "";

  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer.close());
  beforeEach(async () => {
    runs = new Runs({ store: null, onError: () => undefined });
    const verify = createTokenVerifier({ issuer: issuer.url, audience: AUDIENCE });
    const handle = coordinatorHandler({
      open: (request) => runs.open(request),
      find: (run) => runs.find(run),
      tokens: new SessionTokens("x".repeat(32)),
      onError: () => undefined,
      authenticate: async (bearer) => {
        const claims = await verify(bearer);
        return {
          repositoryId: claims.repositoryId,
          admit: async (key) => {
            checkClaims(claims, key);
            return { checkRunId: claims.checkRunId, repository: claims.repository };
          },
        };
      },
    });
    server = http.createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const at = server.address();
    address = typeof at === "object" && at !== null ? `127.0.0.1:${at.port}` : "";
    const joined = await join(address, joinOf(PLAN, "node-0", { index: 0 }), { bearer: await token() });
    expect(joined.status).toBe(200);
    session = joined.session;
    const found = await runs.find(runIdOf(keyOf(PLAN)));
    if (found === null) throw new Error("the run is not there");
    theirs = found;
  });
  afterEach(async () => {
    await runs.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const token = (claims: Record<string, unknown> = {}, more: { expiresInSeconds?: number; signer?: "self" } = {}) =>
    issuer.token({ audience: AUDIENCE, claims, ...more });

  const attempts: readonly [string, () => Promise<{ status: number; message: string }>, number, RegExp][] = [
    ["a token of another repository", () => joining({ claims: { repository_id: "666" } }), 403, /repository 666/],
    ["a token of another run", () => joining({ claims: { run_id: "666" } }), 403, /workflow run 666/],
    ["a token of another attempt", () => joining({ claims: { run_attempt: "2" } }), 403, /attempt 2/],
    ["an expired token", () => joining({ more: { expiresInSeconds: -300 } }), 401, /expired/],
    ["a self-signed token", () => joining({ more: { signer: "self" } }), 401, /signature/],
    ["no token", async () => await post(address, "/api/runs/join", null, {}), 401, /bearer/],
    [
      "the join of another agent's, repeated from another job",
      () => joining({ agent: "node-0", index: 0, nonce: "nonce-of-node-0-and-more" }),
      401,
      /made before/,
    ],
    [
      "a session that is not one of this coordinator's",
      () => syncing(`${session.split(".")[0]}.AAAA`, syncBody(1)),
      401,
      /no session token/,
    ],
    [
      "a session of another run",
      async () => {
        const plan = planOf("name: other\nstages: [{ name: work, run: 'true' }]");
        const key = { ...keyOf(plan) };
        const other = await join(address, joinOf(plan, "node-0", { key }), {
          bearer: await token(),
          nonce: "nonce-of-the-other-run",
        });
        expect(other.status).toBe(200);
        return await syncing(other.session, syncBody(1));
      },
      401,
      /not one of this run/,
    ],
    [
      "reading a run with a token of another run",
      async () => await get(address, `/api/runs/${theirs.id}`, await token({ run_id: "666" })),
      403,
      /workflow run 666/,
    ],
    ["an unknown protocol", () => syncing(session, syncBody(1, { protocol: 7 })), 400, /protocol 7/],
    ["a body that does not fit", () => syncing(session, syncBody(1, { sync: idle({ wants: -1 }) })), 400, /sync.wants/],
    [
      "a body that is nested too deeply",
      async () => {
        const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
        const body = JSON.stringify(syncBody(1)).replace('"addTasks":[]', `"addTasks":[${deep}]`);
        const headers = { authorization: `Bearer ${session}`, "content-type": "application/json" };
        const answer = await fetch(`http://${address}/api/runs/${theirs.id}/sync`, { method: "POST", headers, body });
        return { status: answer.status, message: await answer.text() };
      },
      400,
      /nested too deeply|does not fit/,
    ],
  ];

  async function joining(options: {
    claims?: Record<string, unknown>;
    more?: { expiresInSeconds?: number; signer?: "self" };
    agent?: string;
    index?: number;
    nonce?: string;
  }) {
    const { agent = "node-1", index = 1, nonce = "nonce-of-somebody-else" } = options;
    const bearer = await token({ check_run_id: "7002", ...options.claims }, options.more);
    return await join(address, joinOf(PLAN, agent, { index }), { bearer, nonce });
  }
  // Of jobs of this very run, which come to a place that they do not have: the group can never be complete.
  const misplaced: typeof attempts = [
    ["the name of another job's agent", () => joining({ agent: "node-0", index: 0 }), 409, /held by another session/],
    ["another agent's index", () => joining({ index: 0 }), 409, /index 0 is node-0's/],
    ["an index beyond the group", () => joining({ index: 2 }), 400, /index 2 is not within a group of 2/],
  ];
  const syncing = (bearer: string, body: unknown) => post(address, `/api/runs/${theirs.id}/sync`, bearer, body);

  it.each(attempts)("refuses %s, says why, and changes nothing", async (_name, attempt, status, says) => {
    const before = theirs.host.state;
    const said = await attempt();
    expect({ status: said.status, message: said.message }).toEqual({ status, message: expect.stringMatching(says) });
    expect(theirs.host.state).toBe(before);
  });

  it.each(misplaced)(
    "refuses %s, takes nobody's place for it, and ends the group",
    async (_name, attempt, status, says) => {
      const held = () =>
        theirs.host.state.agents.flat().map(({ name, session, checkRunId }) => [name, session, checkRunId]);
      const before = held();
      const said = await attempt();
      expect({ status: said.status, message: said.message }).toEqual({ status, message: expect.stringMatching(says) });
      expect(held()).toEqual(before);
      expect(theirs.host.state.failure?.reason).toMatch(says);
    },
  );

  it("lets the same job in again under its name, and its old session out", async () => {
    const again = await join(address, joinOf(PLAN, "node-0", { index: 0 }), {
      bearer: await token(),
      nonce: "a-new-nonce-of-node-0",
    });
    expect(again.status).toBe(200);
    const old = await syncing(session, syncBody(1));
    expect(old.status).toBe(409);
    expect(old.message).toMatch(/held by another process/);
    expect((await syncing(again.session, syncBody(1))).status).toBe(200);
  });

  it("shows the run to its own jobs, with or without a session", async () => {
    for (const bearer of [session, await token({ check_run_id: "7009" })]) {
      const said = await get(address, `/api/runs/${theirs.id}`, bearer);
      expect(said.status).toBe(200);
      expect(JSON.stringify(said.body.explanation)).toContain("1 of 2 agents have joined");
    }
  });
});

describe("agents that are not of one mind", () => {
  let serving: Serving;
  beforeEach(async () => {
    serving = await startCoordinator();
    expect((await join(serving.address, joinOf(PLAN, "node-0"))).status).toBe(200);
  });
  afterEach(() => serving.close());

  it("are refused with what differs in their plans", async () => {
    const other = planOf("name: group\nagents: 2\nstages:\n  - { name: work, run: 'false' }");
    const said = await join(serving.address, joinOf(other, "node-1"));
    expect(said.status).toBe(409);
    expect(said.code).toBe("different_plan");
    expect(said.message).toContain('stages.work.command.script: "true" here, "false" there');
  });

  it("are let in when their files differ in comments and positions alone", async () => {
    const other = planOf("# another comment\nname: group\n\nagents: 2\nstages:\n\n  - { name: work, run: 'true' }");
    expect((await join(serving.address, joinOf(other, "node-1"))).status).toBe(200);
  });

  it.each([
    [
      "selected stages",
      { selection: { only: [0], skip: [], stopAfter: null } },
      "different_plan",
      /selects other stages/,
    ],
    ["sizes of the group", { agentCount: 3 }, "different_plan", /expects 3 agents/],
  ])("are refused with their %s", async (_name, overrides, code, says) => {
    const said = await join(serving.address, joinOf(PLAN, "node-1", overrides));
    expect(said.code).toBe(code);
    expect(said.message).toMatch(says);
  });

  it("cannot begin a run whose size the plan contradicts", async () => {
    const said = await join(
      serving.address,
      joinOf(PLAN, "node-0", { key: keyOf(PLAN, { runId: "2" }), agentCount: 3 }),
      {
        nonce: "another-run-another-nonce",
      },
    );
    expect(said.status).toBe(400);
    expect(said.message).toContain("for 2 agents");
  });
});

describe("requests that come twice", () => {
  let serving: Serving;
  let run: GroupRun;
  let session = "";
  beforeEach(async () => {
    serving = await startCoordinator();
    const joined = await join(serving.address, joinOf(PLAN, "node-0"));
    session = joined.session;
    const found = await serving.runs.find(joined.run);
    if (found === null) throw new Error("the run is not there");
    run = found;
  });
  afterEach(() => serving.close());
  const sync = (body: unknown) => post(serving.address, `/api/runs/${run.id}/sync`, session, body);

  it("join: get the same session, and nothing happens twice", async () => {
    const before = run.host.state;
    const again = await join(serving.address, joinOf(PLAN, "node-0"));
    expect(again.session).toBe(session);
    expect(run.host.state).toBe(before);
  });

  it("sync: get the same answer without being applied again", async () => {
    const body = syncBody(1, { sync: idle({ doing: "something" }) });
    const first = await sync(body);
    const before = run.host.state;
    const second = await sync(body);
    expect(run.host.state).toBe(before);
    expect({ ...second.body, now: 0 }).toEqual({ ...first.body, now: 0 });
  });

  it("sync: a repetition of what has been answered is not held, one of what has not is", async () => {
    const held = syncBody(2, { holdMs: 30_000 });
    expect((await sync(syncBody(1))).status).toBe(200);
    const aborting = new AbortController();
    const lost = fetch(`http://${serving.address}/api/runs/${run.id}/sync`, {
      method: "POST",
      headers: { authorization: `Bearer ${session}`, "content-type": "application/json" },
      body: JSON.stringify(held),
      signal: aborting.signal,
    }).catch(() => null);
    await expect.poll(() => run.host.state.agents[0]?.[0]?.sequence).toBe(2);
    aborting.abort();
    await lost;
    const again = sync(held);
    // The group is complete only now: that is the news which the repetition waits for.
    await join(serving.address, joinOf(PLAN, "node-1"));
    const said = await again;
    expect(said.status).toBe(200);
    expect(said.body.instruction).toMatchObject({ do: "execute", stage: 0 });
    const began = performance.now();
    expect((await sync(held)).body.instruction).toMatchObject({ do: "execute", stage: 0 });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("sync: the same number with another body, and an older number, are refused", async () => {
    await sync(syncBody(1));
    await sync(syncBody(2));
    const before = run.host.state;
    for (const body of [syncBody(2, { sync: idle({ doing: "other" }) }), syncBody(1)]) {
      const said = await sync(body);
      expect([said.status, said.code]).toEqual([409, "sequence"]);
    }
    expect(run.host.state).toBe(before);
  });

  it("leave: is taken once, and what follows is told that it has left", async () => {
    const leave = { protocol: PROTOCOL, seq: 1, why: "enough" };
    const path = `/api/runs/${run.id}/leave`;
    expect((await post(serving.address, path, session, leave)).status).toBe(200);
    const before = run.host.state;
    expect((await post(serving.address, path, session, leave)).status).toBe(200);
    expect(run.host.state).toBe(before);
    expect((await sync(syncBody(2))).code).toBe("ended");
  });
});
