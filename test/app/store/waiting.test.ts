import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changePull, newPull } from "../../../app/store/change-pull.ts";
import { noteLine } from "../../../app/store/history.ts";
import type { NewStart, StartedRun, Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";
import { history, opened } from "../../lifecycle/builders.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";

const BLANK = history(opened());

// One set of expectations for every database behind the interface.
describe.each(DATABASES)("the store on $name", ({ empty }) => {
  let database: EmptyDatabase;
  let store: Store;
  beforeEach(async () => {
    database = await empty();
    store = await openStore(database.url);
  });
  afterEach(async () => {
    await store.close();
    database.remove();
  });

  describe("runs that are started", () => {
    const start = (number: number, overrides: Partial<NewStart> = {}): NewStart => ({
      repositoryId: 1,
      number,
      key: `1-${number}`,
      occasion: `1-${number}-entered`,
      stage: "qa",
      workflow: "qa.yml",
      inputs: { level: "high" },
      sha: "a".repeat(40),
      limit: 1,
      ...overrides,
    });
    const queued = async (number: number, overrides: Partial<NewStart> = {}): Promise<StartedRun> => {
      await store.starts.add(start(number, overrides), 1_000);
      const found = await store.starts.byKey(overrides.key ?? `1-${number}`);
      if (found === null) throw new Error("it was not stored");
      return found;
    };

    it("are queued once for each key, in the order they come", async () => {
      await queued(7);
      await queued(3);
      await store.starts.add(start(7, { workflow: "other.yml" }), 2_000);
      expect(await store.starts.open(1, "qa.yml")).toMatchObject([
        { number: 7, state: "queued", inputs: { level: "high" }, queuedAt: 1_000, nextAt: 1_000, limit: 1 },
        { number: 3 },
      ]);
      expect(await store.starts.open(1, "other.yml")).toEqual([]);
      expect((await store.due.starts.outlook(0)).nextAt).toBe(1_000);
      expect(await store.due.starts.of(null, 999, 10)).toEqual([]);
      expect((await store.due.starts.of(null, 1_000, 1)).map((each) => each.number)).toEqual([7]);
    });

    it("that somebody has put into the line again are not ended by who read them before", async () => {
      const first = await queued(1);
      const refused = { ...first, state: "done", conclusion: "failure", nextAt: null } as const;
      expect(await store.starts.save(refused)).toBe(true);
      expect(await store.starts.retry(first, 5_000)).toBe(1);
      expect(await store.starts.save({ ...refused, note: "still refused" })).toBe(false);
      expect(await store.starts.claim(first, 5_000)).toBe(false);
      expect(await store.commit({ starts: [refused], now: 5_000 })).toMatchObject({ committed: false, what: "start" });
      expect(await store.starts.byKey(first.key)).toMatchObject({ state: "queued", nextAt: 5_000, note: "" });
      // One who changes the pull request with it does not try that for ever.
      const made = await changePull(
        store,
        first,
        () => 5_000,
        () => ({
          pull: newPull(first, BLANK, null),
          starts: [refused],
        }),
      );
      expect([made, await store.pull(first)]).toEqual([null, null]);
    });

    it("take turns: no more than the limit allows, and one at a time until its run is known", async () => {
      const [first, second, free] = [await queued(1), await queued(2, { limit: 2 }), await queued(3, { limit: null })];
      expect(await store.starts.claim(first, 2_000)).toBe(true);
      expect(await store.starts.claim(first, 2_000)).toBe(false);
      // Its run is not known yet: if its answer is lost, the run that appears must be its own.
      expect(await store.starts.claim(free, 2_000)).toBe(false);
      const sent = await store.starts.byKey("1-1");
      expect(sent).toMatchObject({ state: "sent", sentAt: 2_000, sends: 1 });
      if (sent === null) throw new Error("unreachable");
      await store.starts.save({ ...sent, state: "running", runId: "55" });
      expect(await store.starts.claim(await queued(4), 2_000)).toBe(false);
      expect(await store.starts.claim(second, 2_000)).toBe(true);
      const running = await store.starts.byKey("1-2");
      if (running === null) throw new Error("unreachable");
      await store.starts.save({ ...running, state: "running", runId: "56" });
      expect(await store.starts.claim(free, 2_000)).toBe(true);
      // Other workflows and repositories have their own.
      expect(await store.starts.claim(await queued(1, { key: "w", workflow: "other.yml" }), 2_000)).toBe(true);
      expect(await store.starts.claim(await queued(1, { key: "r", repositoryId: 2 }), 2_000)).toBe(true);
    });

    it("stay due when something is heard of them while they are worked on", async () => {
      const row = await queued(1);
      await store.starts.save({ ...row, state: "running", runId: "9007199254740993", nextAt: 50_000, askAt: 50_000 });
      const read = await store.starts.ofRun(1, "9007199254740993");
      if (read === null) throw new Error("unreachable");
      expect(await store.starts.wakeRun(1, "9007199254740993", 3_000)).toBe(true);
      expect(await store.starts.wakeRun(2, "9007199254740993", 3_000)).toBe(false);
      await store.starts.save({ ...read, runStatus: "in_progress", nextAt: 90_000, askAt: 90_000 });
      expect(await store.starts.ofRun(1, "9007199254740993")).toMatchObject({
        runStatus: "in_progress",
        nextAt: 3_000,
        askAt: 3_000,
        generation: 1,
      });
    });

    it("are woken by their pull request or queue while they have not ended, by their run always", async () => {
      const rows = [await queued(1), await queued(2), await queued(1, { key: "done" })];
      for (const [index, row] of rows.entries()) {
        const state = (["running", "queued", "done"] as const)[index] ?? "done";
        await store.starts.save({ ...row, state, runId: `${10 + index}`, nextAt: null });
      }
      expect((await store.due.starts.outlook(0)).nextAt).toBeNull();
      const wakes = { repositoryId: 1, number: 1, headSha: "abc" };
      expect(await store.commit({ wakes: { ...wakes, number: 3 }, now: 4_000 })).toMatchObject({
        woken: { starts: false },
      });
      expect(await store.commit({ wakes, now: 5_000 })).toMatchObject({ woken: { starts: true } });
      expect((await store.due.starts.of(null, 9_000, 9)).map((each) => each.key)).toEqual(["1-1"]);
      await store.starts.wakeQueue(1, "qa.yml", 6_000);
      expect((await store.due.starts.of(null, 9_000, 9)).map((each) => each.key)).toEqual(["1-1", "1-2"]);
      await store.starts.wakeRun(1, "12", 7_000);
      expect((await store.due.starts.of(null, 9_000, 9)).map((each) => each.key)).toEqual(["1-1", "done", "1-2"]);
      expect((await store.starts.ofPull({ repositoryId: 1, number: 1 })).map((each) => each.key)).toEqual([
        "1-1",
        "done",
      ]);
    });
  });

  it("forgets what has ended long ago, and nothing that goes on", async () => {
    const start = { repositoryId: 1, number: 1, occasion: "o", stage: null, inputs: {}, sha: "a", limit: null };
    for (const key of ["open", "done", "young"]) {
      await store.starts.add({ ...start, key, workflow: "qa.yml" }, key === "young" ? 9_000 : 1_000);
      const row = await store.starts.byKey(key);
      if (row !== null && key !== "open") await store.starts.save({ ...row, state: "done", runId: "1" });
    }
    expect(await store.starts.prune(5_000)).toBe(1);
    expect((await store.starts.ofPull({ repositoryId: 1, number: 1 })).map((each) => each.key)).toEqual([
      "open",
      "young",
    ]);
    for (const runId of ["1", "2"]) {
      await store.gates.asked({ repositoryId: 1, runId, environment: "qa", ref: "", event: "push" }, 1_000);
    }
    const [first] = await store.gates.waiting(1);
    if (first !== undefined) await store.gates.save({ ...first, state: "gone" });
    expect(await store.gates.prune(5_000)).toBe(1);
    expect((await store.gates.waiting(1)).map((each) => each.runId)).toEqual(["2"]);
    expect([await store.gates.known(1), await store.gates.known(2)]).toEqual([true, false]);
  });

  describe("gates", () => {
    const gate = {
      repositoryId: 1,
      runId: "9007199254740995",
      environment: "qa",
      ref: "refs/pull/7/merge",
      event: "pull_request",
    };
    const asked = async (at: number) => {
      await store.gates.asked(gate, at);
      const [found] = await store.gates.waiting(1);
      if (found === undefined) throw new Error("it does not wait");
      return found;
    };

    it("wait once however often they are asked for, and keep what was said", async () => {
      const row = await asked(1_000);
      expect(row).toMatchObject({ ...gate, state: "waiting", askedAt: 1_000, nextAt: 1_000, askAt: 1_000 });
      await store.gates.save({ ...row, said: "an approval is missing", comments: 1, nextAt: null, askAt: 9_000 });
      await store.gates.asked(gate, 2_000);
      expect(await store.gates.waiting(1)).toMatchObject([
        { said: "an approval is missing", comments: 1, askedAt: 1_000, nextAt: 2_000, askAt: 2_000 },
      ]);
    });

    it("begin anew when another job of the run asks after the verdict", async () => {
      const row = await asked(1_000);
      await store.gates.save({ ...row, said: "x", comments: 3, state: "approved", nextAt: null, askAt: null });
      expect(await store.gates.waiting(1)).toEqual([]);
      expect(await asked(2_000)).toMatchObject({ state: "waiting", askedAt: 2_000, said: "", comments: 0 });
      // What was decided about the one before does not end this one, nor does the history say that it did.
      expect(await store.gates.save({ ...row, state: "approved", nextAt: null })).toBe(false);
      const late = { ...row, state: "approved", nextAt: null, pulls: [7] } as const;
      const of = { repositoryId: 1, number: 7 };
      const history = [noteLine(of, "effect", "the job may begin", 3_000)];
      expect(await store.commit({ gates: [late], history, now: 3_000 })).toMatchObject({ conflict: of, what: "gate" });
      expect((await store.history(of, 9)).items).toEqual([]);
      expect(await store.gates.waiting(1)).toHaveLength(1);
    });

    it("stay due when something is heard of them while they are worked on", async () => {
      const row = await asked(1_000);
      await store.gates.wake(1, 3_000);
      await store.gates.save({ ...row, said: "x", nextAt: null, askAt: 90_000 });
      expect(await store.due.gates.of(null, 3_000, 9)).toMatchObject([{ said: "x", nextAt: 3_000 }]);
      await store.gates.wakeRun(1, "9007199254740995", 2_000);
      expect(await store.gates.ofRun(1, "9007199254740995")).toMatchObject([{ nextAt: 2_000, askAt: 2_000 }]);
      await store.gates.wake(2, 1_000);
      expect((await store.due.gates.outlook(0)).nextAt).toBe(2_000);
    });

    it("are woken by the pull requests that they may belong to", async () => {
      const known = { headSha: "abc", pulls: [7], nextAt: null };
      await store.gates.save({ ...(await asked(1_000)), ...known });
      const due = async () => (await store.due.gates.of(null, 9_000, 9)).length;
      const woken = async (repositoryId: number, number: number, headSha: string) =>
        await store.commit({ wakes: { repositoryId, number, headSha }, now: 2_000 });
      expect(await woken(1, 8, "def")).toEqual({ committed: true, woken: { starts: false, gates: false } });
      await woken(2, 7, "abc");
      expect(await due()).toBe(0);
      expect(await woken(1, 7, "def")).toEqual({ committed: true, woken: { starts: false, gates: true } });
      expect(await due()).toBe(1);
      const [row] = await store.gates.waiting(1);
      if (row === undefined) throw new Error("unreachable");
      await store.gates.save({ ...row, nextAt: null });
      await woken(1, 8, "abc");
      expect(await due()).toBe(1);
      await store.gates.save({ ...row, ...known, generation: 2, pulls: [] });
      await woken(1, 9, "def");
      expect(await due()).toBe(1);
    });
  });
});
