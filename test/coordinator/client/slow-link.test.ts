/** Agents behind a link that carries few bytes a second: what takes long still arrives, and nobody is lost meanwhile. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, it } from "vitest";
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import { requestJson } from "../../../src/coordinator/client/http.ts";
import { joinedSchema, PROTOCOL } from "../../../src/coordinator/protocol/protocol.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import type { Json } from "../../../src/plan/plan.ts";
import type { Instruction } from "../../../src/run/instruction.ts";
import type { AttemptReport } from "../../../src/run/types.ts";
import { clientOf, idle, joinOf, keyOf, NEVER, planOf, SECRET, startCoordinator } from "../builders.ts";

const open: Link[] = [];
afterAll(async () => {
  for (const link of open) await link.close();
});

/** A coordinator, and a link to it whose bytes are counted. */
class Link {
  /** Bytes that have come through. */
  readonly carried = { up: 0, down: 0 };
  readonly serving: Serving;
  readonly #sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(serving: Serving) {
    this.serving = serving;
    const [host = "", port = ""] = serving.address.split(":");
    this.#server = createServer((near) => {
      const far = connect(Number(port), host);
      this.#sockets.push(near, far);
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
      this.#carry(near, far, "up").catch(() => undefined);
      this.#carry(far, near, "down").catch(() => undefined);
    });
  }

  static async open(): Promise<Link> {
    const link = new Link(await startCoordinator());
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    open.push(link);
    return link;
  }

  get url(): URL {
    const at = this.#server.address();
    return new URL(`http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`);
  }

  async close(): Promise<void> {
    await this.serving.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #carry(from: Socket, to: Socket, way: "up" | "down"): Promise<void> {
    for await (const chunk of from) {
      this.carried[way] += chunk.length;
      if (!to.write(chunk)) await once(to, "drain");
    }
    to.end();
  }
}

/** Text that cannot be compressed to less than three quarters. */
const noise = (bytes: number): string => randomBytes(bytes).toString("base64").slice(0, bytes);

const plan = planOf(`
name: slow
agents: 2
stages: [{ name: first, run: "true" }, { name: second, run: "true" }, { name: third, run: "true" }]
`);

/** Both agents do the stage; the one that is near tells these outputs. */
async function doStage(near: HttpCoordinator, far: HttpCoordinator, outputs: Record<string, Json>): Promise<void> {
  for (const [client, told] of [
    [far, {}],
    [near, outputs],
  ] as const) {
    let { instruction } = await client.sync(idle(), 0, NEVER);
    while (instruction.do !== "execute") ({ instruction } = await client.sync(idle(), 100, NEVER));
    const finished = [reportOf(instruction, told)];
    await client.sync(idle({ status: "running", stage: instruction.stage, finished }), 0, NEVER);
  }
}

function reportOf(execute: Extract<Instruction, { do: "execute" }>, outputs: Record<string, Json>): AttemptReport {
  const { stage, attempt, startAt } = execute;
  const ended = { startedAt: startAt, endedAt: startAt, end: { kind: "exited", code: 0 } } as const;
  const rest = { task: null, progress: null, metrics: [], histograms: {}, annotations: [], tail: "" };
  return { stage, attempt, ...ended, ...rest, outputs };
}

async function pair(retries: string[] = []) {
  const link = await Link.open();
  const near = clientOf(link.serving.address);
  const onRetry = (why: string) => retries.push(why);
  const far = new HttpCoordinator({ url: link.url, credential: async () => SECRET, onRetry });
  await near.join(joinOf(plan, "near", { index: 0 }), NEVER);
  await far.join(joinOf(plan, "far", { index: 1 }), NEVER);
  return { link, near, far };
}

describe("over a slow link", () => {
  it.concurrent("an answer may take longer than any deadline, as long as it comes", async ({ expect }) => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      let left = 14;
      const timer = setInterval(() => {
        response.write(left === 14 ? '["' : "x");
        left -= 1;
        if (left > 0) return;
        clearInterval(timer);
        response.end('"]');
      }, 400);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const seen: number[] = [];
    const asked = { method: "GET", url: new URL(`http://127.0.0.1:${port}`), bearer: null, signal: NEVER } as const;
    // The first byte comes at once; all of it takes 5.6 s.
    const agent = new http.Agent();
    const patient = { timeoutMs: 4_000, idleMs: 20_000, onProgress: () => seen.push(1) };
    const answer = await requestJson({ ...asked, agent, ...patient });
    server.close();
    expect(answer.body).toEqual(["x".repeat(13)]);
    expect(seen.length).toBeGreaterThan(5);
  });

  it.concurrent("what a connection does not carry any more is given up", async ({ expect }) => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("[");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const asked = { method: "GET", url: new URL(`http://127.0.0.1:${port}`), bearer: null, signal: NEVER } as const;
    const stuck = requestJson({ ...asked, agent: new http.Agent(), timeoutMs: 60_000, idleMs: 300 });
    await expect(stuck).rejects.toThrow("nothing more came or went within 0.3 s");
    server.closeAllConnections();
    server.close();
  });

  it.concurrent("much that is new comes a page at a time, each asked for at once", async ({ expect }) => {
    const retries: string[] = [];
    const { link, near, far } = await pair(retries);
    const outputs = { a: noise(40_000), b: noise(40_000), c: noise(40_000) };
    await doStage(near, far, outputs);
    const run = await link.serving.runs.find(runIdOf(keyOf(plan)));
    const sequence = () => run?.host.state.agents[0]?.find(({ name }) => name === "far")?.sequence ?? 0;
    const before = { sequence: sequence(), down: link.carried.down };
    const answer = await far.sync(idle(), 0, NEVER);
    expect(answer.outputs).toEqual({ first: outputs });
    // Each page is an exchange, in which it is heard.
    expect(sequence() - before.sequence).toBeGreaterThanOrEqual(3);
    expect(link.carried.down - before.down).toBeLessThan(110_000);
    expect(retries).toEqual([]);
  });

  it.concurrent("only what is new is sent", async ({ expect }) => {
    const { link, near, far } = await pair();
    const first = { a: noise(60_000), b: noise(60_000) };
    await doStage(near, far, first);
    expect((await far.sync(idle(), 0, NEVER)).outputs).toEqual({ first });
    const before = link.carried.down;
    await doStage(near, far, { c: "small" });
    expect((await far.sync(idle(), 0, NEVER)).outputs).toEqual({ first, second: { c: "small" } });
    expect(link.carried.down - before).toBeLessThan(10_000);
  });

  it.concurrent("answers are compressed", async ({ expect }) => {
    const { link, near, far } = await pair();
    const before = link.carried.down;
    const outputs = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, n) => [`node-${n}`, `rank ${n} is ready at port ${7_000 + n}`]),
    );
    await doStage(near, far, outputs);
    expect((await far.sync(idle(), 0, NEVER)).outputs).toEqual({ first: outputs });
    expect(JSON.stringify(outputs).length).toBeGreaterThan(80_000);
    expect(link.carried.down - before).toBeLessThan(40_000);
  });

  it.concurrent("what shrinks a thousandfold is taken all the same", async ({ expect }) => {
    const retries: string[] = [];
    const { near, far } = await pair(retries);
    const outputs = { a: "x".repeat(250_000) };
    await doStage(far, near, outputs);
    expect((await near.sync(idle(), 0, NEVER)).outputs).toEqual({ first: outputs });
    expect((await far.sync(idle(), 0, NEVER)).outputs).toEqual({ first: outputs });
    expect(retries).toEqual([]);
  });

  it.concurrent("an agent whose message takes longer than silence may last is heard all the while", async ({
    expect,
  }) => {
    let clock = 1_800_000_000_000;
    const serving = await startCoordinator({ now: () => clock });
    const near = clientOf(serving.address);
    await near.join(joinOf(plan, "near", { index: 0 }), NEVER);
    const join = { protocol: PROTOCOL, nonce: "0123456789abcdef", ...joinOf(plan, "far", { index: 1 }) };
    const send = (path: string, bearer: string) =>
      http.request(`http://${serving.address}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      });
    const joining = send("/api/runs/join", SECRET);
    joining.end(JSON.stringify(join));
    const [joined] = await once(joining, "response");
    const { session } = joinedSchema.parse(JSON.parse(Buffer.concat(await joined.toArray()).toString()));
    const known = { roster: null, outputs: null, notice: 0 };
    const content = idle({ outputs: { a: noise(200_000) } });
    const body = JSON.stringify({ protocol: PROTOCOL, seq: 1, holdMs: 0, reset: null, sync: content, known });
    const id = runIdOf(keyOf(plan));
    const run = await serving.runs.find(id);
    const far = () => run?.host.state.agents[0]?.find(({ name }) => name === "far");
    const syncing = send(`/api/runs/${id}/sync`, session);
    syncing.setHeader("content-length", body.length);
    const answered = once(syncing, "response");
    // Ten seconds of the coordinator's clock for each piece: it is lost after 30 s of silence.
    for (let at = 0; at < 150_000; at += 30_000) {
      clock += 10_000;
      syncing.write(body.slice(at, at + 30_000));
      await near.sync(idle(), 0, NEVER);
      await sleep(600);
    }
    expect(far()).toMatchObject({ presence: "here" });
    expect(clock - (far()?.lastSeenAt ?? 0)).toBeLessThan(30_000);
    syncing.end(body.slice(150_000));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await serving.close();
  });
});
