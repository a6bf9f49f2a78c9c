/**
 * What a user would build instead: a barrier of Redis INCR and PUBLISH, tasks with BullMQ. Needs `redis-server` on the
 * PATH; where there is none the benches say so and print our figures alone.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

export interface RedisServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a server of our own on loopback, without persistence; null where there is no redis-server. */
export async function startRedis(): Promise<RedisServer | null> {
  if (spawnSync("redis-server", ["--version"]).error !== undefined) return null;
  const port = await freePort();
  const folder = await mkdtemp(path.join(tmpdir(), "stagewright-redis-"));
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
    { stdio: "ignore" },
  );
  const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => 50 });
  client.on("error", () => undefined);
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await client.ping();
      break;
    } catch (error) {
      if (performance.now() > deadline) {
        child.kill("SIGKILL");
        throw error;
      }
      await sleep(50);
    }
  }
  client.disconnect();
  return {
    port,
    async close() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/**
 * One barrier of `agents` clients, `rounds` times: each does INCR, the last one PUBLISHes, each is released by the
 * message. Every client has a connection to count with and one that is subscribed, as it must.
 * @param pauseMs before the last one arrives: everybody is asleep then, as at any barrier worth the name
 * @returns for each round and each agent the milliseconds from the last arrival to its release.
 */
export async function redisBarrier(port: number, agents: number, rounds: number, pauseMs: number): Promise<number[]> {
  const options = { port, host: "127.0.0.1", enableReadyCheck: false, maxRetriesPerRequest: 1 };
  const counters = Array.from({ length: agents }, () => new Redis(options));
  const listeners = Array.from({ length: agents }, () => new Redis(options));
  const released: (() => void)[] = [];
  await Promise.all(
    listeners.map(async (listener, n) => {
      listener.on("message", () => released[n]?.());
      await listener.subscribe("barrier");
    }),
  );
  const delays: number[] = [];
  const barrier = randomUUID();
  for (let round = 0; round < rounds; round += 1) {
    const key = `${barrier}:${round}`;
    let lastArrival = 0;
    const releases = listeners.map(
      (_listener, n) =>
        new Promise<number>((resolve) => {
          released[n] = () => resolve(performance.now());
        }),
    );
    const arrive = async (n: number): Promise<void> => {
      if ((await counters[n]?.incr(key)) === agents) await counters[n]?.publish("barrier", key);
    };
    await Promise.all(Array.from({ length: agents - 1 }, (_, n) => arrive(n)));
    await sleep(pauseMs);
    lastArrival = performance.now();
    await arrive(agents - 1);
    for (const at of await Promise.all(releases)) delays.push(at - lastArrival);
  }
  for (const client of [...counters, ...listeners]) client.disconnect();
  return delays;
}

/** Tasks a second that `workers` BullMQ workers of one process complete, each `concurrency` at a time, doing nothing. */
export async function bullmqTasks(port: number, workers: number, concurrency: number, tasks: number): Promise<number> {
  const connection = { port, host: "127.0.0.1", maxRetriesPerRequest: null };
  const queue = new Queue("bench", { connection });
  await queue.waitUntilReady();
  const started = performance.now();
  await queue.addBulk(
    Array.from({ length: tasks }, (_, n) => ({ name: "task", data: { n }, opts: { removeOnComplete: true } })),
  );
  let done = 0;
  const all = await new Promise<Worker[]>((resolve) => {
    const running: Worker[] = Array.from({ length: workers }, () => {
      const worker = new Worker("bench", async () => ({ ok: true }), { connection, concurrency });
      worker.on("completed", () => {
        done += 1;
        if (done === tasks) resolve(running);
      });
      worker.on("error", () => undefined);
      return worker;
    });
  });
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(all.map((worker) => worker.close(true)));
  await queue.close();
  return tasks / seconds;
}
