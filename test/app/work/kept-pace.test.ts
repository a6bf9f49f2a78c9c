/** What GitHub asked of an installation is heeded by whoever works there next, before it sends anything. */
import { pino } from "pino";
import { afterEach, expect, it } from "vitest";
import type { Store } from "../../../app/store/model.ts";
import { preferredReplica } from "../../../app/work/replicas/preference.ts";
import { ReplicaOwnership } from "../../../app/work/replicas/replica.ts";
import { createRuntime, type Runtime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../../app/work/timings.ts";
import { Wakeups } from "../../../app/work/wakeups.ts";
import { Workers } from "../../../app/work/workers.ts";
import type { GitHubClient } from "../../../src/github/port.ts";
import { openMemoryStore } from "../store/memory.ts";

const log = pino({ level: "silent" });
const timings = { ...DEFAULT_TIMINGS, lease: 30_000, beatEvery: 10_000, requestTimeout: 5_000 };
const RETRY_AFTER_MS = 120_000;
const alone = { attempt: async () => undefined, setAside: async () => undefined };
const ALONE = {
  ...{ delivery: alone, reevaluation: alone, transition: alone },
  ...{ effect: alone, "workflow-run": alone, "deployment-gate": alone },
};

let at = 1_000_000;
let store: Store;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await store.close();
});

async function settled(): Promise<void> {
  for (let rounds = 0; rounds < 30; rounds += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** GitHub, which asks for two minutes when it is first asked, and counts what reaches it. */
function github() {
  const sent: string[] = [];
  const of = (from: string): GitHubClient => {
    const ask = async () => {
      sent.push(from);
      if (sent.length === 1) {
        const response = { headers: { "retry-after": `${RETRY_AFTER_MS / 1_000}` } };
        throw Object.assign(new Error("You have exceeded a secondary rate limit"), { status: 429, response });
      }
      return { status: 200, headers: {}, data: {} };
    };
    return { request: ask, graphql: ask };
  };
  return { sent, of };
}

/** `id`: of a replica among others; null: a process with a database of its own. */
async function begin(
  id: string | null,
  hub: ReturnType<typeof github>,
  others: Wakeups[] = [],
  paces: Store["claims"]["paces"] = store.claims.paces,
) {
  const wakeups = new Wakeups();
  const replica = { id: id ?? "", address: null, version: "1" };
  const ownership =
    id === null ? {} : { ownership: new ReplicaOwnership({ store, replica, log, now: () => at, timings, wakeups }) };
  wakeups.relay(
    (topic, about) => others.filter((each) => each !== wakeups).forEach((each) => void each.hear(topic, about)),
    () => store.claims.inForce() !== null,
  );
  others.push(wakeups);
  const own = { ...store, claims: { ...store.claims, paces } };
  const clients = { installation: async () => hub.of(id ?? "sole"), app: async () => hub.of("app") };
  const runtime = createRuntime({ store: own, clients, log, now: () => at, timings, wakeups, ...ownership });
  /** What it is to try alone, and the first that it does with what it has taken. */
  const early: string[] = [];
  const asked = (rt: Runtime) =>
    rt.ownership.run(5, async () => await (await rt.clients.installation(5)).request("GET /"));
  const ask = () =>
    asked(runtime).then(
      () => "answered",
      (error: Error) => error.name,
    );
  const progress = {
    ...{ start: async () => void early.push(await askUnowned()), take: async () => void early.push(await ask()) },
    ...{ ready: async () => undefined, mark: async () => undefined, done: () => undefined, lost: () => undefined },
    ...{ released: async () => undefined, endRecovery: async () => undefined, stop: async () => undefined, idle: true },
  };
  const askUnowned = async (): Promise<string> => (id === null ? await ask() : "nothing is its own yet");
  const workers = new Workers(progress, runtime, []);
  await workers.start(ALONE);
  ends.push(() => workers.stop());
  const take = async (): Promise<void> => {
    runtime.ownership.owns(5);
    wakeups.hear("claims", null);
    await settled();
  };
  return { runtime, early, ask, take, stop: () => workers.stop() };
}

it("whoever takes over from a replica that GitHub had asked to wait sends nothing before that is over", async () => {
  at = 1_000_000;
  store = await openMemoryStore({ now: () => at });
  const hub = github();
  const first = preferredReplica("installation:5", ["a", "b"]) ?? "";
  const a = await begin(first, hub);
  // It hears nothing of what the other one says, and learns of no hold but of what it takes.
  const b = await begin(first === "a" ? "b" : "a", hub, [], async (key) =>
    key === undefined ? [] : await store.claims.paces(key),
  );
  await a.take();
  // It asks as soon as it has it, is refused, and is heard of no more.
  expect([a.early[1], hub.sent]).toEqual(["Error", [first]]);
  await settled();
  at += timings.lease + timings.requestTimeout;
  await b.take();
  await b.take();
  expect(b.runtime.ownership.owns(5)).toBe(true);
  expect(b.early[1]).toBe("StillHeld");
  at = 1_000_000 + RETRY_AFTER_MS - 1;
  // Its lease is renewed.
  await b.take();
  expect(await b.ask()).toBe("StillHeld");
  expect(hub.sent).toEqual([first]);
  at += 2;
  expect(await b.ask()).toBe("answered");
  expect(hub.sent).toHaveLength(2);
});

it("a process that begins anew on its own database remembers what GitHub asked of the one before", async () => {
  at = 1_000_000;
  store = await openMemoryStore({ now: () => at });
  const hub = github();
  const before = await begin(null, hub);
  expect(before.early).toEqual(["Error"]);
  await before.stop();
  const after = await begin(null, hub);
  expect(after.early).toEqual(["StillHeld"]);
  at += RETRY_AFTER_MS + 1;
  expect(await after.ask()).toBe("answered");
});

it("replicas that show runs of groups at an installation which is another's hear of its hold at once", async () => {
  at = 1_000_000;
  store = await openMemoryStore({ now: () => at });
  const hub = github();
  const wakeups: Wakeups[] = [];
  const a = await begin("a", hub, wakeups);
  const b = await begin("b", hub, wakeups);
  const client = await b.runtime.clients.installation(5);
  expect(b.runtime.writers.of(5).isHeld).toBe(false);
  await a.take();
  await b.take();
  expect([...a.early, ...b.early].sort()).toContain("Error");
  await settled();
  expect([a, b].map(({ runtime }) => runtime.writers.of(5).heldUntil - at)).toEqual([RETRY_AFTER_MS, RETRY_AFTER_MS]);
  await expect(client.request("POST /repos/{owner}/{repo}/check-runs")).rejects.toThrow("left alone");
  expect(hub.sent).toHaveLength(1);
});

it("whoever is given an installation waits with its first write as the one before would have", async () => {
  at = 1_000_000;
  store = await openMemoryStore({ now: () => at });
  const hub = github();
  hub.sent.push("something before");
  const a = await begin("a", hub);
  await a.take();
  await a.runtime.writers.of(5).write(async () => undefined);
  at += 300;
  await a.stop();
  ends.shift();
  const b = await begin("b", hub);
  await b.take();
  expect(b.runtime.ownership.owns(5)).toBe(true);
  expect(b.runtime.writers.of(5).nextWriteMs).toBe(timings.writeInterval - 300);
});
