/** Agents behind a link that carries few bytes a second: what takes long still arrives, and nobody is lost meanwhile. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, it } from "vitest";
import { HttpCoordinator } from "../../src/coordinator/client.ts";
import { runIdOf } from "../../src/coordinator/run-id.ts";
import type { Serving } from "../../src/coordinator/serve.ts";
import type { Json } from "../../src/plan/plan.ts";
import type { AttemptReport, Instruction } from "../../src/run/types.ts";
import { clientOf, idle, joinOf, keyOf, NEVER, planOf, SECRET, startCoordinator } from "./builders.ts";

const TICK_MS = 10;
const open: Link[] = [];
afterAll(async () => {
  for (const link of open) await link.close();
});

/** A coordinator, and a link to it of so many bytes a second in each direction. */
class Link {
  rate = 10_000_000;
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
      for (let at = 0; at < chunk.length; ) {
        const step = Math.max(1, Math.round((this.rate * TICK_MS) / 1_000));
        const part = chunk.subarray(at, at + step);
        this.carried[way] += part.length;
        if (!to.write(part)) await once(to, "drain");
        at += step;
        if (at < chunk.length) await sleep(TICK_MS);
      }
    }
    to.end();
  }
}

/** Text that cannot be compressed to less than three quarters. */
const noise = (bytes: number): string => randomBytes(bytes).toString("base64").slice(0, bytes);

const plan = planOf(`
name: slow
agents: 2
liveness: { heartbeat_interval: 200ms, warn_after: 2s, lost_after: 5s }
stages: [{ name: first, run: "true" }, { name: second, run: "true" }, { name: third, run: "true" }]
`);

/** As impatient as the test needs it: some seconds without a byte end a connection. */
function slowClient({ url }: Link, retries: string[]): HttpCoordinator {
  const timings = { slackMs: 3_000, idleMs: 3_000 };
  return new HttpCoordinator({ url, credential: async () => SECRET, onRetry: (why) => retries.push(why), ...timings });
}

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
  const far = slowClient(link, retries);
  await near.join(joinOf(plan, "near", { index: 0 }), NEVER);
  await far.join(joinOf(plan, "far", { index: 1 }), NEVER);
  return { link, near, far };
}

/** The near one's heart goes on beating. */
function beating(client: HttpCoordinator): () => Promise<void> {
  const over = new AbortController();
  const beats = (async () => {
    while (!over.signal.aborted) {
      await client.sync(idle(), 0, NEVER);
      await sleep(100);
    }
  })();
  return async () => {
    over.abort();
    await beats;
  };
}

const lost = async ({ serving }: Link) => {
  const run = await serving.runs.find(runIdOf(keyOf(plan)));
  return run?.host.state.notices.map(({ text }) => text).filter((text) => text.includes("lost"));
};

describe("over a slow link", () => {
  it.concurrent("an answer that takes longer than any deadline arrives once, and its agent is not lost", async ({
    expect,
  }) => {
    const retries: string[] = [];
    const { link, near, far } = await pair(retries);
    const outputs = { a: noise(40_000), b: noise(40_000), c: noise(40_000) };
    await doStage(near, far, outputs);
    const stop = beating(near);
    link.rate = 12_000;
    const before = link.carried.down;
    const answer = await far.sync(idle(), 0, NEVER);
    await stop();
    expect(answer.outputs).toEqual({ first: outputs });
    expect(retries).toEqual([]);
    expect(link.carried.down - before).toBeLessThan(150_000);
    expect(await lost(link)).toEqual([]);
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

  it.concurrent("an agent whose report takes longer than silence may last is not lost", async ({ expect }) => {
    const retries: string[] = [];
    const { link, near, far } = await pair(retries);
    let { instruction } = await far.sync(idle(), 0, NEVER);
    while (instruction.do !== "execute") {
      await near.sync(idle(), 0, NEVER);
      ({ instruction } = await far.sync(idle(), 50, NEVER));
    }
    const stop = beating(near);
    link.rate = 12_000;
    const outputs = { a: noise(60_000), b: noise(60_000) };
    await far.sync(idle({ status: "running", stage: 0, finished: [reportOf(instruction, outputs)] }), 0, NEVER);
    await stop();
    expect(await lost(link)).toEqual([]);
    expect(retries).toEqual([]);
    const run = await link.serving.runs.find(runIdOf(keyOf(plan)));
    expect(run?.host.state.agents[0]?.map(({ presence }) => presence)).toEqual(["here", "here"]);
  });
});
