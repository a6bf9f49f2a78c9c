import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noteLine } from "../../../app/store/history.ts";
import type { EffectCode, NewDelivery, PolicyState, Pull, Store } from "../../../app/store/model.ts";
import { DatabaseUrlError, openStore } from "../../../app/store/open.ts";
import { act } from "../../../src/lifecycle/facts/change.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import { evaluationOf, openedThen } from "../../lifecycle/builders.ts";
import { pullState } from "../builders.ts";
import { DATABASES, type EmptyDatabase } from "./databases.ts";

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

  const delivery = (id: string, overrides: Partial<NewDelivery> = {}): NewDelivery => ({
    id,
    event: "pull_request",
    payload: `{"id":"${id}"}`,
    key: "1#7",
    receivedAt: 1_000,
    ...overrides,
  });

  const pull = (overrides: Partial<Pull> = {}): Pull => ({
    repositoryId: 1,
    number: 7,
    installationId: 5,
    version: 0,
    facts: record(null, {
      pull: { installationId: 5, repository: pullState().repository, number: overrides.number ?? 7 },
      kind: "observed",
      state: pullState(),
      acts: [act({ kind: "opened", at: 1, by: pullState().author })],
    }),
    confirmed: null,
    evaluation: null,
    reevaluateAt: null,
    reevaluationTries: 0,
    intent: null,
    intentAt: null,
    blocked: null,
    ...overrides,
  });

  it("keeps the newest word on a repository's hold, whichever comes first", async () => {
    const by = { kind: "user", id: 3, login: "olga" } as const;
    const word = (at: number, held: boolean) => ({ repositoryId: 1, held, at, by, reason: `at ${at}` });
    expect(await store.holds.of(1)).toBeNull();
    expect(await store.holds.put(word(2_000, true))).toBe(true);
    expect(await store.holds.put(word(1_000, false))).toBe(false);
    expect(await store.holds.of(1)).toEqual({ why: "repository", at: 2_000, by, reason: "at 2000" });
    expect(await store.holds.of(2)).toBeNull();
    expect(await store.holds.put(word(3_000, false))).toBe(true);
    expect(await store.holds.put(word(2_000, true))).toBe(false);
    expect(await store.holds.of(1)).toBeNull();
    // Of one second nobody can say which came first: a hold counts.
    expect(await store.holds.put(word(3_000, true))).toBe(true);
    expect(await store.holds.put(word(3_000, false))).toBe(false);
    expect(await store.holds.put(word(3_000, true))).toBe(true);
    expect(await store.holds.of(1)).toMatchObject({ at: 3_000 });
    // Nor which of two holds: one and the same is told of, whichever was heard first.
    for (const reasons of [
      ["release 5", "release 6"],
      ["release 6", "release 5"],
    ]) {
      const at = reasons[0] === "release 5" ? 4_000 : 5_000;
      for (const reason of reasons) {
        await store.holds.put({ ...word(at, true), reason });
      }
      expect(await store.holds.of(1)).toMatchObject({ at, reason: "release 6" });
    }
  });

  it("has work done again that rests on something new, where it says that it is open", async () => {
    const effect = (n: number) => ({
      repositoryId: 1,
      number: n,
      key: `k${n}`,
      installationId: 5,
      kind: "merge_group",
      payload: {},
      nextAt: n < 5 ? 10 : 10_000,
    });
    await store.commit({ effects: [1, 2, 3, 4, 5].map(effect), now: 1 });
    const end = async (n: number, result: object, now: number) => {
      const [read] = await store.effectsOf({ repositoryId: 1, number: n });
      if (read === undefined) throw new Error("it is stored");
      const settled = [{ ...read, status: "done" as const, error: null, result }];
      await store.commit({ settled, now });
    };
    await end(1, { headSha: "a", open: true }, 100);
    await end(2, { headSha: "a", open: false }, 100);
    await end(3, { headSha: "a", open: true }, 20);
    await end(4, { dropped: "gone" }, 100);
    expect(await store.reopenEffects(1, "merge_group", 50, 200)).toBe(2);
    expect(await store.reopenEffects(2, "merge_group", 50, 200)).toBe(0);
    expect((await store.effectsDue(5, 200, 9)).map((each) => each.number).sort()).toEqual([1, 5]);
  });

  describe("policies", () => {
    const state: PolicyState = {
      inForce: DEFAULT_POLICY,
      source: "b10b",
      problems: [],
      readAt: 1_000,
      head: "c0ffee",
      branch: "main",
      private: false,
      reviewsRequired: null,
      shown: null,
      toShow: true,
    };
    const save = (overrides: Partial<Parameters<Store["policies"]["save"]>[0]> = {}) =>
      store.policies.save({
        repositoryId: 1,
        version: 0,
        observedGeneration: 1,
        dueAt: null,
        tries: 0,
        state,
        bases: [],
        ...overrides,
      });

    const due = async (until: number, limit: number) =>
      (await store.due.policies.of(null, until, limit)).map((each) => each.repositoryId).sort((a, b) => a - b);

    it("are due from when they are marked until they are written", async () => {
      expect(await store.policies.of(1)).toBeNull();
      await store.policies.mark([1, 2], 500);
      expect(await store.policies.of(1)).toMatchObject({
        version: 0,
        generation: 1,
        observedGeneration: 0,
        state: null,
      });
      expect(await due(499, 10)).toEqual([]);
      expect(await due(500, 10)).toEqual([1, 2]);
      expect(await save()).toBe(true);
      expect(await store.policies.of(1)).toMatchObject({ version: 1, observedGeneration: 1, state, dueAt: null });
      expect(await due(500, 10)).toEqual([2]);
      await store.policies.postpone(2, 900);
      expect((await store.due.policies.outlook(0)).nextAt).toBe(900);
      expect(await store.policies.of(2)).toMatchObject({ tries: 1 });
      await store.policies.postpone(2, null);
      expect((await store.due.policies.outlook(0)).nextAt).toBeNull();
    });

    it("are written by one of two who read the same, and stay due when something was heard meanwhile", async () => {
      await store.policies.mark([1], 500);
      await store.policies.mark([1], 600);
      expect(await save({ observedGeneration: 1 })).toBe(true);
      expect(await save({ observedGeneration: 2 })).toBe(false);
      expect(await store.policies.of(1)).toMatchObject({
        version: 1,
        generation: 2,
        observedGeneration: 1,
        dueAt: 600,
      });
      expect(await save({ version: 1, observedGeneration: 2, dueAt: 700 })).toBe(true);
      expect(await store.policies.of(1)).toMatchObject({ version: 2, observedGeneration: 2, dueAt: 700 });
    });

    it("are found by those that they extend, whatever the case", async () => {
      await store.policies.mark([1, 2, 3], 500);
      await save({ bases: ["Acme/.github", "acme/more"] });
      await save({ repositoryId: 2, bases: ["acme/.github-old"] });
      expect(await store.policies.dependents("ACME/.github")).toEqual([1]);
      await save({ version: 1, bases: null });
      expect(await store.policies.dependents("acme/more")).toEqual([1]);
      await save({ version: 2, bases: [] });
      expect(await store.policies.dependents("acme/more")).toEqual([]);
    });

    it("are marked by the thousand", async () => {
      await store.policies.mark(
        Array.from({ length: 1_000 }, (_, index) => index + 1),
        500,
      );
      expect(await due(500, 2_000)).toHaveLength(1_000);
    });
  });

  describe("deliveries", () => {
    it("are accepted once each, in order, however often they come", async () => {
      const first = await store.acceptDeliveries([delivery("a"), delivery("b"), delivery("a")]);
      expect(first.map((each) => each.id)).toEqual(["a", "b"]);
      const second = await store.acceptDeliveries([delivery("b"), delivery("c")]);
      expect(second.map((each) => each.id)).toEqual(["c"]);
      const pending = await store.pendingDeliveries(0, 10);
      expect(pending.map((each) => each.id)).toEqual(["a", "b", "c"]);
      expect(await store.knownDeliveries(["a", "c", "x"])).toEqual(new Set(["a", "c"]));
    });

    it("are accepted thousands at a time", async () => {
      const many = Array.from({ length: 1_234 }, (_, index) => delivery(`d${index}`));
      const accepted = await store.acceptDeliveries(many);
      expect(accepted.map((each) => each.id)).toEqual(many.map((each) => each.id));
      expect(await store.acceptDeliveries(many)).toEqual([]);
    });

    it("are still known when they are done, so that a redelivery is not handled again", async () => {
      const [accepted] = await store.acceptDeliveries([delivery("a")]);
      await store.commit({ done: [accepted?.seq ?? 0], now: 2_000 });
      expect(await store.pendingDeliveries(0, 10)).toEqual([]);
      expect(await store.acceptDeliveries([delivery("a")])).toEqual([]);
      expect(await store.countDeliveries()).toEqual({ pending: 0, done: 1, dead: 0 });
      expect(await store.pruneDeliveries(2_000)).toBe(0);
      expect(await store.pruneDeliveries(2_001)).toBe(1);
    });

    it("keep their error and count their tries; given up, they are listed and can be revived", async () => {
      const accepted = await store.acceptDeliveries([delivery("a"), delivery("b")]);
      for (const { seq } of accepted) {
        await store.postponeDelivery(seq, 5_000, "no luck");
        expect(await store.delivery(seq)).toMatchObject({
          status: "pending",
          tries: 1,
          nextAt: 5_000,
          error: "no luck",
        });
        await store.buryDelivery(seq, "never");
      }
      expect(await store.pendingDeliveries(0, 10)).toEqual([]);
      const page = await store.deadDeliveries(1);
      expect(page.items).toMatchObject([{ id: "b", error: "never", tries: 2 }]);
      const rest = await store.deadDeliveries(1, page.next ?? 0);
      expect(rest).toMatchObject({ items: [{ id: "a" }], next: null });
      expect(await store.reviveDelivery("a", 9_000)).toMatchObject({ id: "a", nextAt: 9_000 });
      expect(await store.reviveDelivery("a", 9_000)).toBeNull();
      expect(await store.countDeliveries()).toEqual({ pending: 1, done: 0, dead: 1 });
    });
  });

  describe("a commit", () => {
    it("keeps a pull request as it was given, with a version that grows", async () => {
      const given = pull({ reevaluateAt: 3_000 });
      expect(await store.commit({ pulls: [given], now: 1 })).toEqual({ committed: true });
      expect(await store.pull({ repositoryId: 1, number: 7 })).toEqual({ ...given, version: 1 });
      expect(await store.pull({ repositoryId: 1, number: 8 })).toBeNull();
    });

    it("does nothing at all when a pull request was changed meanwhile", async () => {
      const [accepted] = await store.acceptDeliveries([delivery("a")]);
      await store.commit({ pulls: [pull()], now: 1 });
      const read = pull({ version: 1 });
      expect(await store.commit({ pulls: [{ ...read, reevaluateAt: 1 }], now: 2 })).toEqual({ committed: true });
      const late = await store.commit({
        pulls: [pull({ number: 8 }), { ...read, reevaluateAt: 2 }],
        done: [accepted?.seq ?? 0],
        history: [
          {
            repositoryId: 1,
            number: 7,
            at: 1,
            kind: "note",
            from: null,
            to: null,
            actor: null,
            reason: "x",
            evidence: [],
          },
        ],
        now: 3,
      });
      expect(late).toMatchObject({ committed: false, conflict: { repositoryId: 1, number: 7 } });
      expect(await store.pull({ repositoryId: 1, number: 8 })).toBeNull();
      expect(await store.pull({ repositoryId: 1, number: 7 })).toMatchObject({ version: 2, reevaluateAt: 1 });
      expect(await store.pendingDeliveries(0, 10)).toHaveLength(1);
      expect((await store.history({ repositoryId: 1, number: 7 }, 10)).items).toEqual([]);
    });

    it("refuses to create what somebody else has created meanwhile", async () => {
      await store.commit({ pulls: [pull()], now: 1 });
      expect(await store.commit({ pulls: [pull()], now: 2 })).toMatchObject({ committed: false });
    });

    it("adds an effect once for its key", async () => {
      const effect = {
        key: "k",
        repositoryId: 1,
        number: 7,
        installationId: 5,
        kind: "comment",
        payload: { body: "hello" },
        nextAt: 10,
      };
      await store.commit({ effects: [effect], now: 1 });
      await store.commit({ effects: [effect, { ...effect, key: "l", nextAt: 20 }], now: 2 });
      expect((await store.effectsDue(5, 10, 10)).map((each) => each.key)).toEqual(["k"]);
      expect(await store.effectsDue(6, 10, 10)).toEqual([]);
      const [due] = await store.effectsDue(5, 10, 10);
      if (due === undefined) throw new Error("it is due");
      await store.postponeEffect(due, 30, { code: "temporary", text: "later" }, { run: 1 });
      expect(await store.due.effects.outlook(10)).toEqual({ installations: [], nextAt: 20 });
      await store.commit({
        settled: [{ ...due, status: "done", error: null, errorCode: null, result: { run: 2 } }],
        now: 3,
      });
      expect(await store.effectsOf({ repositoryId: 1, number: 7 })).toMatchObject([
        { key: "k", status: "done", tries: 1, result: { run: 2 } },
        { key: "l", status: "pending" },
      ]);
    });

    it.each<[string, EffectCode, number, "pending" | "dead"]>([
      ["through an installation that is gone", "permission", 6, "pending"],
      ["where the app was not installed", "not_installed", 5, "pending"],
      ["through the installation that still is", "permission", 5, "dead"],
    ])(
      "asked for again, does what was given up %s only if that can be otherwise now",
      async (_, errorCode, now, status) => {
        const of = { repositoryId: 1, number: 7 };
        const effect = { key: "k", ...of, installationId: 5, kind: "answer", payload: {}, nextAt: 10 };
        await store.commit({ effects: [effect], now: 1 });
        const [due] = await store.effectsDue(5, 10, 10);
        await store.commit({
          settled: due === undefined ? [] : [{ ...due, status: "dead", error: "no", errorCode }],
          now: 11,
        });
        await store.commit({ effects: [{ ...effect, installationId: now, nextAt: 20 }], now: 20 });
        expect(await store.effectsOf(of)).toMatchObject([{ key: "k", status }]);
        expect(await store.effectsDue(now, 20, 10)).toHaveLength(status === "pending" ? 1 : 0);
      },
    );

    it.each<[EffectCode | null, number, "pending" | "dead"]>([
      ["not_installed", 5, "pending"],
      ["permission", 6, "pending"],
      ["permission", 5, "dead"],
      ["refused", 6, "dead"],
      [null, 6, "dead"],
    ])("does by itself what was given up (%s) when the repository is in installation %i: %s", async (code, now, is) => {
      const repository = { id: 1, nodeId: "R", owner: "acme", name: "w", defaultBranch: "main", private: false };
      await store.putRepository({ ...repository, installationId: 5 });
      const effect = {
        key: "k",
        repositoryId: 1,
        number: 7,
        installationId: 5,
        kind: "comment",
        payload: {},
        nextAt: 10,
      };
      await store.commit({ effects: [effect], now: 1 });
      const [due] = await store.effectsDue(5, 10, 10);
      const gone = { status: "dead", error: "no", errorCode: code } as const;
      await store.commit({ settled: due === undefined ? [] : [{ ...due, ...gone }], now: 11 });
      await store.putRepository({ ...repository, installationId: null });
      await store.putRepository({ ...repository, installationId: now });
      expect((await store.effectsDue(now, 20, 10)).map(({ version, errorCode }) => ({ version, errorCode }))).toEqual(
        is === "pending" ? [{ version: 2, errorCode: null }] : [],
      );
      const [after] = await store.effectsOf(effect);
      expect(after).toMatchObject({ status: is, installationId: is === "pending" ? now : 5 });
    });

    it("ends and puts off no effect of which something new was asked since it was read", async () => {
      const of = { repositoryId: 1, number: 7 };
      const effect = { key: "k", ...of, installationId: 5, kind: "auto_merge", payload: {}, nextAt: 10 };
      await store.commit({ effects: [effect], now: 1 });
      const [before] = await store.effectsDue(5, 10, 10);
      if (before === undefined) throw new Error("it is due");
      // It is being carried out, by what was known then.
      await store.hastenEffects(of, "auto_merge", 15);
      await store.deferEffect(before, 90, { code: "not_yet", text: "checks go on" }, { waitsSince: 1 });
      expect(await store.effectsDue(5, 15, 10)).toMatchObject([{ result: { waitsSince: 1 }, nextAt: 10 }]);
      const settled = [{ ...before, status: "done" as const, error: null, errorCode: null, result: null }];
      const history = [noteLine(of, "effect", "it was merged", 16)];
      expect(await store.commit({ settled, history, now: 16 })).toEqual({
        committed: false,
        conflict: of,
        what: "effect",
      });
      expect((await store.history(of, 9)).items).toEqual([]);
      const [again] = await store.effectsDue(5, 15, 10);
      if (again === undefined) throw new Error("it is due");
      await store.deferEffect(again, 90, { code: "not_yet", text: "checks go on" }, null);
      expect(await store.effectsDue(5, 89, 10)).toEqual([]);
    });

    it("takes effects in turns by repository, revives what was given up, and forgets what is long over", async () => {
      const effect = (key: string, repositoryId: number, nextAt: number) => {
        const of = { repositoryId, number: 7, installationId: 5 };
        return { key, ...of, kind: "comment", payload: {}, nextAt };
      };
      const effects = [effect("a", 1, 1), effect("b", 1, 2), effect("c", 1, 3), effect("d", 2, 4)];
      await store.commit({ pulls: [pull()], effects, now: 1 });
      const due = await store.effectsDue(5, 10, 3);
      expect(due.map((each) => each.key)).toEqual(["a", "d", "b"]);
      const dead = due.map((each) => ({ ...each, status: "dead" as const, error: "no", result: null }));
      await store.commit({ settled: dead, now: 20 });
      expect(await store.reviveEffects({ repositoryId: 2, number: 7 }, 30)).toBe(1);
      expect(await store.effectsOf({ repositoryId: 2, number: 7 })).toMatchObject([
        { key: "d", status: "pending", tries: 0, nextAt: 30 },
      ]);
      expect(await store.pruneEffects(100)).toBe(0);
      const row = await store.pull({ repositoryId: 1, number: 7 });
      if (row === null) {
        throw new Error("there is no pull request");
      }
      await store.commit({ pulls: [{ ...row, facts: { ...row.facts, state: "closed" } }], now: 40 });
      expect(await store.pruneEffects(20)).toBe(0);
      expect(await store.pruneEffects(100)).toBe(2);
      expect((await store.effectsOf({ repositoryId: 1, number: 7 })).map((each) => each.key)).toEqual(["c"]);
    });
  });

  it("pages through the history of a pull request in order", async () => {
    const line = (reason: string, number = 7) => ({
      repositoryId: 1,
      number,
      at: 1,
      kind: "moved" as const,
      from: null,
      to: "pr-created",
      actor: { kind: "user" as const, id: 3, login: "alice" },
      reason,
      evidence: ["opened"],
    });
    await store.commit({ history: [line("one"), line("other", 8), line("two"), line("three")], now: 1 });
    const page = await store.history({ repositoryId: 1, number: 7 }, 2);
    expect(page.items.map((each) => each.reason)).toEqual(["one", "two"]);
    const rest = await store.history({ repositoryId: 1, number: 7 }, 2, page.next ?? 0);
    expect(rest).toMatchObject({
      items: [{ reason: "three", actor: { login: "alice" }, evidence: ["opened"] }],
      next: null,
    });
  });

  it("asks for thousands to be evaluated, each once, whatever page it is on", async () => {
    const numbers = Array.from({ length: 601 }, (_, n) => n + 1);
    await store.commit({ pulls: numbers.map((number) => pull({ number, reevaluateAt: null })), now: 1 });
    expect(await store.requestReevaluation({ repositoryId: 1, open: true }, 70)).toBe(numbers.length);
    expect((await store.due.pulls.of(5, 70, 2_000)).map(({ number }) => number).sort((a, b) => a - b)).toEqual(numbers);
  });

  it("writes what was read of an earlier state of the row, too", async () => {
    await store.commit({ pulls: [pull()], now: 1 });
    const first = await store.pull(pull());
    if (first === null) throw new Error("it is known");
    await store.commit({ pulls: [{ ...first, facts: { ...first.facts, title: "another" } }], now: 2 });
    const second = await store.pull(pull());
    if (second === null) throw new Error("it is known");
    expect(second.facts.title).toBe("another");
    await store.commit({ pulls: [{ ...second, facts: first.facts }], now: 3 });
    expect((await store.pull(pull()))?.facts).toEqual(first.facts);
  });

  it("finds pull requests that are due, by commit and by page", async () => {
    const intent = { id: "i", from: null, to: "a", createdAt: 1, tries: 0, sentAt: null, notes: [], read: false };
    await store.commit({
      pulls: [
        pull({ number: 7, reevaluateAt: 20 }),
        pull({ number: 8, reevaluateAt: 10 }),
        pull({ number: 9, intent, intentAt: 15 }),
        pull({ number: 9, repositoryId: 2, installationId: 6, intent, intentAt: 5 }),
      ],
      now: 1,
    });
    expect((await store.due.pulls.of(5, 10, 9)).map((each) => each.number)).toEqual([8]);
    expect((await store.due.pulls.of(5, 99, 9)).map((each) => each.number)).toEqual([8, 7]);
    expect((await store.due.pulls.outlook(0)).nextAt).toBe(10);
    expect(await store.due.transitions.of(5, 14, 9)).toEqual([]);
    expect(await store.due.transitions.of(5, 15, 9)).toMatchObject([{ number: 9, intent }]);
    expect(await store.due.transitions.outlook(14)).toEqual({ installations: [6], nextAt: 15 });
    expect(await store.due.transitions.outlook(15)).toEqual({ installations: [6, 5], nextAt: null });
    expect(await store.pullIds({ headSha: pullState().head.sha, repositoryId: 1 })).toHaveLength(3);
    expect(await store.pullIds({ headSha: "f".repeat(40) })).toEqual([]);
    const page = await store.pulls({ open: true }, 3);
    expect(page.map((each) => [each.repositoryId, each.number])).toEqual([
      [1, 7],
      [1, 8],
      [1, 9],
    ]);
    expect(await store.pulls({ open: true }, 3, page.at(-1))).toMatchObject([{ repositoryId: 2, number: 9 }]);
    // Of what was never evaluated it is not known whether it rests on people.
    expect(await store.pullIds({ people: true, repositoryId: 2 })).toHaveLength(1);
    const [alone] = await store.pulls({ repositoryId: 2 }, 1);
    const judged = evaluationOf(openedThen());
    if (alone === undefined) throw new Error("it is known");
    await store.commit({ pulls: [{ ...alone, evaluation: judged }], now: 2 });
    expect(await store.pullIds({ people: true, repositoryId: 2 })).toEqual([]);
    const again = { ...alone, version: alone.version + 1 };
    await store.commit({ pulls: [{ ...again, evaluation: { ...judged, people: true } }], now: 2 });
    expect(await store.pullIds({ people: true, repositoryId: 2 })).toHaveLength(1);
    const looking = await store.pull({ repositoryId: 1, number: 7 });
    expect(await store.requestReevaluation({ installationId: 5 }, 12)).toBe(3);
    expect(await store.requestReevaluation({ installationId: 5 }, 13)).toBe(3);
    expect((await store.due.pulls.of(5, 12, 9)).map((each) => each.number).sort()).toEqual([7, 8, 9]);
    // Who was looking at it when that was asked for did not know of what it is about.
    if (looking === null) throw new Error("it is known");
    expect((await store.commit({ pulls: [{ ...looking, reevaluateAt: null }], now: 14 })).committed).toBe(false);
    expect(await store.pull({ repositoryId: 1, number: 7 })).toMatchObject({ version: 3, reevaluateAt: 12 });
  });

  it("remembers repositories by id through a rename", async () => {
    const repository = {
      id: 1,
      nodeId: "R_1",
      installationId: 5,
      owner: "Acme",
      name: "Widget",
      defaultBranch: "main",
      private: true,
    };
    await store.putRepository(repository);
    expect(await store.repositoryByName("acme", "widget")).toEqual(repository);
    await store.commit({ repositories: [{ ...repository, name: "gadget" }], now: 1 });
    expect(await store.repositoryByName("acme", "widget")).toBeNull();
    expect(await store.repository(1)).toMatchObject({ name: "gadget" });
    expect(await store.repositories(5)).toHaveLength(1);
  });

  it("lists the repositories that the app is installed on, in pages", async () => {
    const repository = { nodeId: "R", owner: "acme", defaultBranch: "main", private: false };
    for (const [id, installationId] of [
      [1, 5],
      [2, null],
      [3, 6],
      [4, 5],
    ] as const) {
      await store.putRepository({ ...repository, id, installationId, name: `widget-${id}` });
    }
    const ids = (found: readonly { readonly id: number }[]) => found.map(({ id }) => id);
    expect(ids(await store.installedRepositories(2))).toEqual([1, 3]);
    expect(ids(await store.installedRepositories(2, 3))).toEqual([4]);
    expect(ids(await store.installedRepositories(2, 4))).toEqual([]);
  });

  it("forgets what was cached by age and by scope", async () => {
    await store.cache(
      [
        { key: "a", scope: "org:1", value: null },
        { key: "b", scope: "org:2", value: { x: 1 } },
      ],
      100,
    );
    expect(await store.cached("a", 100)).toBeNull();
    expect(await store.cached("a", 101)).toBeUndefined();
    await store.dropCache("org:1");
    expect(await store.cached("a", 0)).toBeUndefined();
    expect(await store.cached("b", 0)).toEqual({ x: 1 });
    expect(await store.pruneCache(101)).toBe(1);
  });

  it("takes what waits for a repository along to the installation that it has now", async () => {
    const repository = { id: 1, nodeId: "R", owner: "acme", name: "widget", defaultBranch: "main", private: false };
    const intent = { id: "i", from: null, to: "a", createdAt: 1, tries: 0, sentAt: null, notes: [], read: false };
    const effect = { key: "k", repositoryId: 1, number: 7, installationId: 5, kind: "comment", payload: {}, nextAt: 1 };
    await store.putRepository({ ...repository, installationId: 5 });
    await store.commit({ pulls: [pull({ intent, intentAt: 1 })], effects: [effect], now: 1 });
    const before = await store.pull({ repositoryId: 1, number: 7 });
    await store.putRepository({ ...repository, installationId: 6 });
    expect(await store.effectsDue(5, 9, 9)).toEqual([]);
    expect(await store.effectsDue(6, 9, 9)).toMatchObject([{ key: "k" }]);
    expect(await store.due.transitions.of(6, 9, 9)).toMatchObject([{ number: 7, installationId: 6 }]);
    // Who read the row before must not put the old installation back.
    expect(before === null ? null : await store.commit({ pulls: [before], now: 2 })).toMatchObject({
      committed: false,
    });
  });

  it("gives all who store a first value at once the same one", async () => {
    const other = await openStore(database.url);
    const told = await Promise.all([store.firstMeta("secret", "one"), other.firstMeta("secret", "two")]);
    await other.close();
    expect(told[1]).toBe(told[0]);
    expect(await store.firstMeta("secret", "three")).toBe(told[0]);
  });

  it("takes what is twice in one batch once, and text whatever it holds", async () => {
    const effect = { key: "k", repositoryId: 1, number: 7, installationId: 5, kind: "comment", nextAt: 1 };
    const effects = ["first", "second"].map((body) => ({ ...effect, payload: { body } }));
    await store.commit({ effects, now: 1 });
    expect(await store.effectsOf(effect)).toMatchObject([{ payload: { body: "first" }, version: 1 }]);
    await store.policies.mark([2, 1, 2], 500);
    expect(await store.policies.of(2)).toMatchObject({ generation: 1 });
    const entry = { key: "a", scope: "s" };
    await store.cache(
      [
        { ...entry, value: 1 },
        { ...entry, value: 2 },
      ],
      1,
    );
    expect(await store.cached("a", 0)).toBe(2);
    const [read] = await store.effectsDue(5, 9, 9);
    if (read === undefined) throw new Error("it is due");
    await store.deferEffect(read, 5, { code: "not_yet", text: "a \0 b \ud800 c" }, null);
    expect((await store.effect(read.id))?.error).toMatch(/^a . b . c$/su);
  });

  it("refuses a number that it could not give back as it is", async () => {
    const [accepted] = await store.acceptDeliveries([delivery("a")]);
    await database.execute("update deliveries set received_at = 9007199254740993");
    await expect(store.delivery(accepted?.seq ?? 0)).rejects.toThrow(/too large|beyond what can be counted/u);
  });

  it("keeps everything when it is opened again", async () => {
    await store.acceptDeliveries([delivery("a")]);
    await store.setMeta("cursor", "12");
    await store.close();
    store = await openStore(database.url);
    expect(await store.pendingDeliveries(0, 10)).toHaveLength(1);
    expect(await store.meta("cursor")).toBe("12");
    await store.ping();
  });

  it("keeps each delivery whose acceptance was answered when the process is killed", async () => {
    await store.close();
    const child = spawn(
      join("node_modules", ".bin", "node"),
      [join(import.meta.dirname, "accept-forever.ts"), database.url],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let answered = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      answered += text;
      if (answered.length > 3_000) {
        child.kill("SIGKILL");
      }
    });
    await once(child, "close");
    store = await openStore(database.url);
    const ids = answered.split("\n").slice(0, -1);
    expect(ids.length).toBeGreaterThan(100);
    const known = await store.knownDeliveries(ids);
    expect(ids.filter((id) => !known.has(id))).toEqual([]);
  });
});

describe("DATABASE_URL", () => {
  it.each([
    ["postgres://user:secret@host:what/db", /it cannot be parsed; expected postgres:.*%-codes/],
    ["postgres://host/db?user=x&password=secret&sslmode=require&sslrootcert=/nowhere/ca.pem", /no such file/],
    ["mysql://user:secret@host/db", /expected sqlite:<file>/],
    ["data.db", /expected sqlite:<file>/],
  ])("%s is refused with a remedy and without its password", async (url, message) => {
    const failure = await openStore(url).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseUrlError);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain("secret");
  });
});
