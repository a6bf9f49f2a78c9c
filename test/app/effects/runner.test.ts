/** Effects over real HTTP: each effect is done once, whatever GitHub's answers and the process do meanwhile. */
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EffectHandlers, Performed } from "../../../app/effects/handler.ts";
import { HANDLERS } from "../../../app/effects/handlers/index.ts";
import { EffectRunner } from "../../../app/effects/runner.ts";
import { ClaimLost, type NewEffect, type Store } from "../../../app/store/model.ts";
import { createRuntime } from "../../../app/work/runtime.ts";
import { DEFAULT_TIMINGS, type Timings } from "../../../app/work/timings.ts";
import type { GitHubClient } from "../../../src/github/port.ts";
import * as w from "../../../src/sandbox/world/index.ts";
import { furnish, type House } from "../../sandbox/house.ts";
import { openMemoryStore } from "../store/memory.ts";

const PATIENCE_MS = 20_000;
const COMMENT = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";
const FIND = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments";

let house: House;
let store: Store;
let client: GitHubClient;
const started: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  house = await furnish();
  store = await openMemoryStore();
  const { bot } = house;
  client = {
    request: (route, parameters) => bot.request(route, parameters),
    graphql: (query, variables) => bot.graphql(query, variables),
  };
  await know(house.repo);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.stop()));
  await store.close();
  await house.close();
});

const know = (repo: w.Repository, installationId = house.installation.id) =>
  store.putRepository({
    id: repo.id,
    nodeId: repo.nodeId,
    installationId,
    owner: "acme",
    name: repo.name,
    defaultBranch: "main",
    private: false,
  });

/** A second repository with a pull request. */
async function another(installationId = house.installation.id) {
  const { world } = house.sandbox;
  const by = w.asUser(house.alice);
  const made = w.addRepository(world, by, { owner: house.acme, name: "other", files: { "a.txt": "a\n" } });
  await know(made, installationId);
  w.commitFiles(world, by, made, { branch: "b", message: "m", files: { "b.txt": "b\n" } });
  const pull = w.openPull(world, by, made, { title: "t", base: "main", head: "b" });
  return { repository: { repositoryId: made.id, number: pull.number }, pull };
}

const silent = pino({ level: "silent" });
const none = async (): Promise<Performed> => ({ state: "refused", reason: "not of this test" });
const handlers: EffectHandlers = {
  ...HANDLERS,
  ...{ answer: none, button: none, hold_progress: none, merge_group: none, proposed_policy: none },
};
interface Open extends Partial<Timings> {
  readonly store?: Store;
  readonly client?: GitHubClient;
}
function open({ store: own = store, client: through = client, ...timings }: Open = {}) {
  const clients = { installation: async () => through, app: async () => through };
  const all = { ...DEFAULT_TIMINGS, writeInterval: 0, reevaluationPause: 10, ...timings };
  const inProgress = { ready: async () => {}, mark: async () => {}, done: () => {} };
  const runtime = createRuntime({ store: own, clients, log: silent, now: Date.now, timings: all });
  const ourselves = () => ({ appId: house.app.id, botLogin: "stagewright[bot]" });
  const { worker } = new EffectRunner({ ...runtime, inProgress, ourselves, handlers });
  started.push(worker);
  return { worker, writer: runtime.writers.of(house.installation.id) };
}

const comment = (marker: string, body: string, of: Partial<NewEffect> = {}): NewEffect => ({
  key: `key of ${marker}`,
  repositoryId: house.repo.id,
  number: house.pull.number,
  installationId: house.installation.id,
  kind: "comment",
  payload: { marker, body },
  nextAt: Date.now(),
  ...of,
});
const queue = (...effects: NewEffect[]) => store.commit({ effects, now: Date.now() });
const texts = (pull = house.pull) => pull.comments.map((each) => each.body.replace(/<!--.*-->\n/u, ""));
const all = (
  of: { repositoryId: number; number: number } = { repositoryId: house.repo.id, number: house.pull.number },
) => store.effectsOf(of);

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`It never came to this: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const done = () => until("all is done", async () => (await all()).every((each) => each.status === "done"));
const sent = (route: string) => house.sandbox.requests.counts().routes[route] ?? 0;

describe("GitHub's answers", () => {
  it.each<[string, () => void]>([
    ["lost after it was applied", () => place({ kind: "dropAnswer", match: { route: COMMENT } })],
    ["a 502 after it was applied", () => place({ kind: "dropAnswer", match: { route: COMMENT }, how: "502" })],
    ["a 502 before", () => place({ kind: "status", match: { route: COMMENT }, status: 502 })],
    ["too late, though it was applied", () => place({ kind: "delay", match: { route: COMMENT }, ms: 900 })],
    ["that it cannot be looked for", () => place({ kind: "status", match: { route: FIND }, status: 503, times: 2 })],
  ])("%s: there is one comment", async (_, fault) => {
    fault();
    await queue(comment("a", "hello"));
    open({ requestTimeout: 300 }).worker.wake();
    await done();
    expect(texts()).toEqual(["hello"]);
  });

  it("that it is too much are waited for as long as they say, without trying, and count as no failure", async () => {
    place({ kind: "rateLimited", match: { route: FIND }, retryAfter: 1 });
    await queue(comment("a", "hello"), comment("b", "there"));
    const { worker } = open();
    const before = Date.now();
    worker.wake();
    await until("it is held", async () => (await all()).some((each) => each.error !== null));
    const asked = sent(FIND);
    for (let wakes = 0; wakes < 20; wakes += 1) {
      worker.wake();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(sent(FIND)).toBe(asked);
    await done();
    expect(Date.now() - before).toBeGreaterThanOrEqual(900);
    expect(texts()).toEqual(["hello", "there"]);
    expect((await all()).map((each) => each.tries)).toEqual([0, 0]);
  });

  it("that never come end with the request's deadline, not with the effect's", async () => {
    place({ kind: "delay", match: { route: FIND }, ms: 5_000 });
    await queue(comment("a", "hello"));
    const before = Date.now();
    open({ requestTimeout: 200 }).worker.wake();
    await done();
    expect(Date.now() - before).toBeLessThan(4_000);
  });

  it("of no use are given up, told in the history and on the pull request, once", async () => {
    place({ kind: "status", match: { route: COMMENT }, status: 422, message: "no *such* thing" });
    await queue(comment("a", "hello"));
    open().worker.wake();
    await until("it is told", () => texts().length > 0);
    expect(texts()).toEqual([expect.stringContaining("no \\*such\\* thing")]);
    const { items } = await store.history({ repositoryId: house.repo.id, number: house.pull.number }, 10);
    expect(items.map((each) => each.reason)).toEqual([
      expect.stringContaining("comment was not done: no *such* thing"),
    ]);
  });

  it("to what cannot be understood are no endless tries", async () => {
    await queue(comment("a", "hello", { payload: { nothing: true } }));
    open().worker.wake();
    await until("it is given up", async () => (await all()).some((each) => each.status === "dead"));
    expect(sent(COMMENT)).toBeLessThanOrEqual(1);
  });
});

it("an installation that was lost in the midst of an effect is no failure of the effect", async () => {
  let lost = 2;
  const losing: GitHubClient = {
    ...client,
    request: async (route, parameters) => {
      lost -= 1;
      if (lost >= 0) throw new ClaimLost({ key: "installation:5", owner: "frozen", fence: 1 });
      return await client.request(route, parameters);
    },
  };
  await queue(comment("a", "hello"));
  open({ client: losing }).worker.wake();
  await done();
  expect(await all()).toMatchObject([{ tries: 0, error: null }]);
  expect(texts()).toEqual(["hello"]);
});

it("an effect of a later version is left to it", async () => {
  await queue({ ...comment("a", "hello"), kind: "fireworks", key: "later" }, comment("b", "there"));
  open().worker.wake();
  await until("the other is done", async () => (await all()).some((each) => each.status === "done"));
  await until("it was seen", async () => (await all()).some((each) => each.error !== null));
  const [left] = (await all()).filter(({ kind }) => kind === "fireworks");
  expect(left).toMatchObject({ status: "pending", tries: 0, error: expect.stringContaining("version") });
  expect(left?.nextAt).toBeGreaterThan(Date.now());
  expect(texts()).toEqual(["there"]);
});

describe("whose turn it is", () => {
  it("one repository with much to do does not keep another waiting", async () => {
    const { repository: other, pull } = await another();
    await queue(...Array.from({ length: 60 }, (_, index) => comment(`m${index}`, `${index}`)));
    await queue(comment("o", "from the other", other));
    open().worker.wake();
    await until("the other's turn came", () => texts(pull).length === 1);
    expect(house.pull.comments.length).toBeLessThan(40);
    await done();
    expect(texts()).toHaveLength(60);
  });

  it("effects of one pull request are done one after the other, the older first", async () => {
    await queue(comment("a", "one"), comment("b", "two"), comment("a", "three", { key: "again" }));
    open().worker.wake();
    await done();
    expect(texts()).toEqual(["three", "two"]);
  });

  it("an installation that has to wait does not keep another waiting", async () => {
    const { repository: other, pull } = await another(77);
    await queue(comment("a", "held"), comment("b", "free", { ...other, installationId: 77 }));
    const { worker, writer } = open();
    writer.holdUntil(Date.now() + 60_000);
    worker.wake();
    await until("the other is done", async () => (await all(other)).every((each) => each.status === "done"));
    expect(texts(pull)).toEqual(["free"]);
    expect(texts()).toEqual([]);
  });
});

describe("a process that is killed", () => {
  /** Lets `left` calls through, then nothing any more: `at` says what becomes of the call at which it is killed. */
  function mortal(left: number, at: "before" | "after" | "late") {
    let calls = 0;
    const dead = new Promise<never>(() => {});
    const guard = async <T>(call: () => Promise<T>): Promise<T> => {
      calls += 1;
      if (calls < left) {
        return await call();
      }
      if (calls === left && at !== "before") {
        // What was on its way gets there, at once or after the next process has started.
        await new Promise((resolve) => setTimeout(resolve, at === "late" ? 80 : 0));
        await call().catch(() => undefined);
      }
      return await dead;
    };
    const through: GitHubClient = {
      request: (route, parameters) => guard(() => client.request(route, parameters)),
      graphql: (query, variables) => guard(() => client.graphql(query, variables)),
    };
    const own = new Proxy(store, {
      get: (target, name, receiver) => {
        const value: unknown = Reflect.get(target, name, receiver);
        return typeof value === "function"
          ? (...given: unknown[]) => guard(() => Promise.resolve(Reflect.apply(value, target, given)))
          : value;
      },
    });
    return { client: through, store: own, killed: () => calls >= left };
  }

  it.each(["before", "after", "late"] as const)(
    "at any instant (the call that it was in the midst of: %s) leaves one comment, once noted",
    async (at) => {
      for (let left = 1; ; left += 1) {
        const marker = `${at} ${left}`;
        const key = { key: marker };
        const label = { ...comment(marker, ""), key: `label ${marker}`, kind: "label" };
        await queue(comment(marker, marker, key), { ...label, payload: { add: [marker], remove: [] } });
        const { killed, ...rest } = mortal(left, at);
        const first = open({ ...rest, requestTimeout: 250 }).worker;
        started.splice(started.indexOf(first), 1);
        first.wake();
        await until(
          "it was killed or done",
          async () => killed() || (await all()).every((each) => each.status === "done"),
        );
        const { worker: second } = open({ requestTimeout: 250 });
        second.wake();
        await done();
        await second.stop();
        expect(texts().filter((text) => text === marker)).toEqual([marker]);
        const { items } = await store.history({ repositoryId: house.repo.id, number: house.pull.number }, 1_000);
        expect(items.filter((each) => each.reason === `added the label ${marker}`).length).toBeLessThanOrEqual(1);
        expect(w.labelsOn(house.sandbox.world, house.pull).map((each) => each.name)).toContain(marker);
        if (!killed()) {
          expect(left).toBeGreaterThan(8);
          break;
        }
      }
    },
    60_000,
  );
});

function place(fault: Parameters<House["sandbox"]["faults"]["place"]>[0]): void {
  house.sandbox.faults.place(fault);
}
