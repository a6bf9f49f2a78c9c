/** What replicas pass on to each other: nobody else can, and nothing of it can be used again for something else. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { runIdOf } from "../../src/coordinator/protocol/run-id.ts";
import { Forwarding } from "../../src/coordinator/replicas/forwarding.ts";
import { Elsewhere, FORWARDED } from "../../src/coordinator/replicas/owners.ts";
import { ReplicaSignature } from "../../src/coordinator/replicas/signature.ts";
import { type Replicas, startReplicas, type TestReplica } from "../app/plan-runs/replicas.ts";
import { joinOf, keyOf, NEVER, planOf } from "../coordinator/builders.ts";
import { join, syncBody } from "../coordinator/server/raw.ts";

const PLAN = planOf("name: two\nagents: 2\nstages: [{ name: work, run: 'true' }]");
const RUN = runIdOf(keyOf(PLAN));
const PATH = `/api/runs/${RUN}/sync`;
const NONE = Buffer.alloc(0);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Scene {
  readonly replicas: Replicas;
  readonly owner: TestReplica;
  readonly other: TestReplica;
  readonly session: string;
  /** As the other one signs, by a clock that is so much ahead. */
  signature(aheadMs?: number): ReplicaSignature;
}

async function scene(): Promise<Scene> {
  const replicas = await startReplicas(2);
  closing.push(() => replicas.close());
  const [owner, other] = replicas.all as [TestReplica, TestReplica];
  const bearer = await replicas.token(0);
  const { session } = await join(owner.address, joinOf(PLAN, "node-0", { index: 0 }), { bearer });
  const secret = (await replicas.store.meta("replica-secret")) ?? "";
  const signature = (aheadMs = 0) => new ReplicaSignature(secret, other.id, () => Date.now() + aheadMs);
  return { replicas, owner, other, session, signature };
}

interface Raw {
  readonly method?: string;
  readonly path?: string;
  readonly bearer: string;
  readonly header?: string;
  readonly body?: Buffer;
}

/** @returns the status and the refusal's code */
async function ask(address: string, { method = "POST", path = PATH, bearer, header, body = NONE }: Raw) {
  const answer = await fetch(`http://${address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      "content-type": "application/json",
      ...(header === undefined ? {} : { [FORWARDED]: header }),
    },
    ...(method === "GET" ? {} : { body: new Uint8Array(body) }),
  });
  const said = (await answer.json()) as { readonly error?: { readonly code: string } };
  return [answer.status, said.error?.code ?? null];
}

const REFUSED = [401, "unauthorized"];
const bodyOf = (seq: number): Buffer => Buffer.from(JSON.stringify(syncBody(seq)));

describe("a request that says it was passed on by a replica", () => {
  it("is taken when it was, and may come twice as any other", async () => {
    const { owner, session, signature } = await scene();
    const body = bodyOf(1);
    const { header } = signature().sign(
      owner.id,
      { method: "POST", path: PATH, bearer: session, encoding: undefined },
      body,
    );
    expect(await ask(owner.address, { bearer: session, header, body })).toEqual([200, null]);
    expect(await ask(owner.address, { bearer: session, header, body })).toEqual([200, null]);
  });

  it("is refused without the secret, however it looks", async () => {
    const { owner, session } = await scene();
    const guessed = new ReplicaSignature("a-secret-that-somebody-guessed-wrong", "replica-1");
    const parts = { method: "POST", path: PATH, bearer: session, encoding: undefined };
    const { header } = guessed.sign(owner.id, parts, bodyOf(1));
    const forged = [header, "", "to=x", header.replace(/mac=.*/u, "mac="), `${header}; mac=x`, "x".repeat(8_000)];
    for (const each of forged) {
      expect(await ask(owner.address, { bearer: session, header: each, body: bodyOf(1) })).toEqual(REFUSED);
    }
  });

  it("is refused after its time, and before", async () => {
    const { owner, session, signature } = await scene();
    for (const aheadMs of [-31_000, 31_000]) {
      const parts = { method: "POST", path: PATH, bearer: session, encoding: undefined };
      const { header } = signature(aheadMs).sign(owner.id, parts, bodyOf(1));
      expect(await ask(owner.address, { bearer: session, header, body: bodyOf(1) })).toEqual(REFUSED);
    }
  });

  it("is refused with anything in it changed", async () => {
    const { replicas, owner, other, session, signature } = await scene();
    const second = await join(owner.address, joinOf(PLAN, "node-1", { index: 1 }), { bearer: await replicas.token(1) });
    const parts = { method: "POST", path: PATH, bearer: session, encoding: undefined };
    const { header } = signature().sign(owner.id, parts, bodyOf(1));
    const changed: readonly [string, string, Raw][] = [
      ["another body", owner.address, { bearer: session, header, body: bodyOf(2) }],
      ["no body", owner.address, { bearer: session, header }],
      ["another method", owner.address, { bearer: session, header, method: "GET", path: `/api/runs/${RUN}` }],
      [
        "another path",
        owner.address,
        { bearer: session, header, path: PATH.replace("sync", "leave"), body: bodyOf(1) },
      ],
      ["another's session", owner.address, { bearer: second.session, header, body: bodyOf(1) }],
      ["another time", owner.address, { bearer: session, header: header.replace(/at=\d/u, "at=9"), body: bodyOf(1) }],
      ["another receiver", other.address, { bearer: session, header, body: bodyOf(1) }],
    ];
    for (const [what, address, request] of changed) {
      expect([what, ...(await ask(address, request))]).toEqual([what, ...REFUSED]);
    }
    expect((await owner.hosted.runs.find(RUN))?.sessions.stored()[0]?.sequence).toBe(0);
  });

  it("gives its caller no more than the caller's own token: a stranger stays one", async () => {
    const { owner, signature } = await scene();
    const parts = { method: "POST", path: PATH, bearer: "made-up.token", encoding: undefined };
    const { header } = signature().sign(owner.id, parts, bodyOf(1));
    expect(await ask(owner.address, { bearer: "made-up.token", header, body: bodyOf(1) })).toEqual(REFUSED);
  });

  it("is not passed on again", async () => {
    const { other, session, replicas } = await scene();
    const secret = (await replicas.store.meta("replica-secret")) ?? "";
    const parts = { method: "POST", path: PATH, bearer: session, encoding: undefined };
    const { header } = new ReplicaSignature(secret, "anybody").sign(other.id, parts, bodyOf(1));
    expect(await ask(other.address, { bearer: session, header, body: bodyOf(1) })).toEqual([421, null]);
  });
});

describe("what only replicas ask of each other", () => {
  it("is not there for anybody else", async () => {
    const { owner, session } = await scene();
    expect(await ask(owner.address, { bearer: session, path: `/api/runs/${RUN}/heard` })).toEqual([404, "not_found"]);
  });
});

describe("an answer in a replica's place", () => {
  it("is not handed on, whoever has come by its address", async () => {
    const impostor = http.createServer((_, response) => response.end('{"instruction":{"do":"finish"}}'));
    await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
    closing.push(() => impostor.close());
    const said: string[] = [];
    const forgotten: string[] = [];
    const forwarding = new Forwarding({
      signature: new ReplicaSignature("a-secret-of-this-test-long-enough", "replica-0"),
      owners: { forget: (run) => forgotten.push(run), isStill: async () => true },
      onError: (error, what) => said.push(`${what}: ${String(error)}`),
    });
    closing.push(() => forwarding.close());
    const address = `127.0.0.1:${(impostor.address() as AddressInfo).port}`;
    const at = new Elsewhere(RUN, { replica: "replica-1", address });
    const asked = { method: "POST", path: PATH, bearer: "b", encoding: undefined, accepts: undefined, body: bodyOf(1) };
    expect(await forwarding.ask(at, asked, NEVER)).toBeNull();
    expect(forgotten).toEqual([RUN]);
    expect(said).toEqual([expect.stringContaining("is not signed by that replica")]);
  });
});
