import { describe, expect, it } from "vitest";
import { compareIds, compareText } from "../../../src/ids.ts";
import { act, type Change, type CheckSeen, UNKNOWN_ACTOR } from "../../../src/lifecycle/facts/change.ts";
import { mergeChecks, ofNewestHeads } from "../../../src/lifecycle/facts/checks.ts";
import type { Act, Actor, Facts } from "../../../src/lifecycle/facts/facts.ts";
import {
  type Absence,
  mergeAbsences,
  mergeOrders,
  type OrderInSecond,
  SEVERAL,
} from "../../../src/lifecycle/facts/order-in-second.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { sameFacts } from "../../../src/lifecycle/facts/same-facts.ts";
import { mergeSuites, type SuiteSeen } from "../../../src/lifecycle/facts/suites.ts";
import {
  alice,
  bob,
  check,
  did,
  labeled,
  minute,
  opened,
  openedThen,
  pull,
  pushed,
  state,
  suite,
} from "../builders.ts";

const pairs = <T>(list: readonly T[]): [T, T][] => list.flatMap((a) => list.map((b): [T, T] => [a, b]));

describe("two states of a check", () => {
  const states: readonly CheckSeen[] = [
    check(1),
    check(2),
    check(1, { conclusion: "failure" }),
    check(1, { status: "queued", conclusion: null }),
    check(1, { status: "in_progress", conclusion: null }),
    check(2, { status: "in_progress", conclusion: null }),
    check(2, { conclusion: "failure" }),
    check(1, { appSlug: "other" }),
    check(1, { suite: "7" }),
    check(1, { suite: "8" }),
    check(2, { conclusion: null }),
    check(1, { ours: true }),
  ];

  it.each(pairs(states))("%o and %o add up to one, whichever is told first", (a, b) => {
    const one = mergeChecks(mergeChecks([], [a]), [b]);
    expect(one).toHaveLength(1);
    expect(mergeChecks(mergeChecks([], [b]), [a])).toEqual(one);
    expect(mergeChecks([], [a, b])).toEqual(one);
    // The state is one of theirs, and so is the conclusion.
    const [found] = one;
    expect(
      [a, b].some(
        ({ at, status, conclusion }) => found?.at === at && found.status === status && found.conclusion === conclusion,
      ),
    ).toBe(true);
    expect(found?.at).toBe(Math.max(a.at, b.at));
    const ended = [a, b].filter(({ status }) => status === "completed").map(({ at }) => at);
    expect(found?.lastConclusionAt).toBe(ended.length === 0 ? null : Math.max(...ended));
  });

  it("of one date: what has come further, then by what it says", () => {
    const [one] = mergeChecks([], [check(1, { suite: "8" }), check(1, { suite: "9" })]);
    expect(one?.suite).toBe("9");
    const [running] = mergeChecks([], [check(1), check(1, { status: "in_progress", conclusion: null })]);
    expect(running?.status).toBe("completed");
    const [two] = mergeChecks([], [check(1, { conclusion: "success" }), check(1, { conclusion: "failure" })]);
    expect(two).toMatchObject({ conclusion: "success", lastConclusion: "success" });
  });

  it("are kept in the order of commit, app and name", () => {
    const list = [
      check(1, { name: "b" }),
      check(1, { name: "a" }),
      check(1, { sha: "0" }),
      check(1, { appId: 2, name: "c" }),
    ];
    const names = (checks: readonly CheckSeen[]) => mergeChecks([], checks).map(({ sha, name }) => `${sha} ${name}`);
    expect(names(list)).toEqual(["0 build", "aaaaaaa1 a", "aaaaaaa1 b", "aaaaaaa1 c"]);
    expect(names(list.toReversed())).toEqual(names(list));
  });

  it("are kept of the ten newest heads, of the one observed, and of commits that are no heads yet", () => {
    const heads = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`s${n}`, n]));
    const checks = mergeChecks(
      [],
      [...Object.keys(heads), "new"].map((sha) => check(1, { sha })),
    );
    const observed = { ...state({ head: { sha: "s0", ref: "x", repositoryId: 1 } }), from: "webhook" } as const;
    const kept = (more: Facts["heads"], seen: Facts["observed"] = null) =>
      ofNewestHeads(checks, more, seen)
        .map(({ sha }) => sha)
        .sort();
    const all = checks.map(({ sha }) => sha);
    expect(kept(heads)).toEqual(all.filter((sha) => sha !== "s0" && sha !== "s1").sort());
    expect(kept(heads, observed)).toEqual(all.filter((sha) => sha !== "s1").sort());
    const { s10: _, s11: __, ...ten } = heads;
    expect(ofNewestHeads(checks, ten, null)).toBe(checks);
  });
});

describe("two states of a suite", () => {
  const states: readonly SuiteSeen[] = [
    suite("1"),
    suite("1", { at: minute(2) }),
    suite("1", { finished: false, at: minute(3) }),
    suite("1", { workflow: "a.yml" }),
    suite("1", { workflow: "b.yml", finished: false }),
    suite("1", { app: "ci" }),
  ];

  it.each(pairs(states))("%o and %o add up to one, whichever is told first", (a, b) => {
    for (const allOf of [null, "aaaaaaa1"]) {
      const tell = (...suites: readonly SuiteSeen[]) =>
        suites.reduce<ReturnType<typeof mergeSuites>>(
          (known, each) => mergeSuites(known, { suites: [each], allOf }, {}),
          [],
        );
      const [commit] = tell(a, b);
      expect(tell(b, a)).toEqual([commit]);
      expect(commit?.listed).toBe(allOf !== null);
      expect(commit?.suites).toEqual([
        {
          id: "1",
          app: [a.app, b.app].toSorted().at(-1),
          workflow: [a.workflow ?? "", b.workflow ?? ""].toSorted().at(-1) || null,
          finished: a.finished || b.finished,
          at: Math.max(a.at, b.at),
          listedAt: allOf === null ? null : Math.max(a.at, b.at),
        },
      ]);
    }
  });

  it("are kept in the order of commits and ids; what is listed once stays listed", () => {
    const told = [suite("2"), suite("1"), suite("3", { sha: "0" })];
    const known = mergeSuites([], { suites: told, allOf: null }, {});
    expect(known.map(({ sha, suites }) => [sha, suites.map(({ id }) => id)])).toEqual([
      ["0", ["3"]],
      ["aaaaaaa1", ["1", "2"]],
    ]);
    const listed = mergeSuites(known, { suites: [], allOf: "0" }, {});
    expect(listed.map((each) => each.listed)).toEqual([true, false]);
    expect(mergeSuites(listed, { suites: [suite("4", { sha: "0" })], allOf: null }, {})[0]).toMatchObject({
      listed: true,
      suites: [{ id: "3" }, { id: "4", listedAt: null }],
    });
  });
});

describe("who gave a label", () => {
  const who: readonly Actor[] = [alice, bob, UNKNOWN_ACTOR, SEVERAL, { ...alice, kind: "bot" }];
  const told = (...by: readonly Actor[]) => {
    const facts = [opened(), ...by.map((each) => did(labeled(5, "a", each)))].reduce<Facts | null>(record, null);
    return facts?.acts.at(-1)?.by;
  };

  it.each(pairs(who))("%o and %o", (a, b) => {
    const found = told(a, b);
    expect(told(b, a)).toEqual(found);
    const known = [a, b].filter(({ id }) => id !== UNKNOWN_ACTOR.id);
    const differ =
      a.id === SEVERAL.id || b.id === SEVERAL.id || (known.length === 2 && (a.id !== b.id || a.kind !== b.kind));
    if (differ) expect(found).toEqual(SEVERAL);
    else expect([a, b]).toContainEqual(found);
  });
});

describe("orders and absences", () => {
  const order = (at: number, ...keys: string[]): OrderInSecond => ({ at, keys, givers: {}, asked: [] });

  it("told one after the other are all known, by whatever tells of them", () => {
    const acts = (n: number): Change => ({ pull, kind: "acts", acts: [], orders: [order(minute(n), "k")] });
    const timeline = (n: number, ...deeds: Act[]): Change => ({
      ...{ pull, kind: "timeline", state: state(), asOf: minute(9) },
      ...{ acts: deeds, orders: [order(minute(n), "k")] },
    });
    const given = act(labeled(3, "x", alice));
    const facts = [did(labeled(2, "y", bob)), acts(1), acts(2), timeline(3, given), acts(4), timeline(5)].reduce<Facts>(
      record,
      openedThen(),
    );
    expect(facts.orders?.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5].map(minute));
    expect(facts.acts.map(({ id }) => id)).toEqual(["opened", act(labeled(2, "y", bob)).id, given.id]);
    expect(did(labeled(2, "y", bob))).not.toHaveProperty("orders");
    expect(openedThen().orders).toBeUndefined();
  });

  it.each(
    pairs<OrderInSecond>([
      order(1, "a"),
      order(1, "b"),
      order(1, "a", "b"),
      { ...order(1, "a"), givers: { a: alice } },
      { ...order(1, "a"), givers: { a: bob, b: alice } },
      { ...order(1, "a"), givers: { b: alice, a: bob } },
      { ...order(1), asked: ["y", "x"] },
    ]),
  )("%j and %j add up to one second", (a, b) => {
    const [one] = mergeOrders([a], [b]);
    expect(mergeOrders([b], [a])).toEqual([one]);
    expect(one?.keys).toHaveLength(Math.max(a.keys.length, b.keys.length));
    expect(one?.asked).toEqual(a === b ? [...a.asked].sort() : [...new Set([...a.asked, ...b.asked])].sort());
  });

  it("absences of one date have all resets that were known before them", () => {
    const gone = (at: number, ...after: string[]): Absence => ({ label: "a", at, after });
    expect(mergeAbsences([gone(1, "y")], [gone(1, "x")])).toEqual([gone(1, "x", "y")]);
    expect(mergeAbsences([gone(1, "y")], [gone(2, "x")])).toEqual([gone(2, "x")]);
    expect(mergeAbsences([gone(2, "x")], [gone(1, "y")])).toEqual([gone(2, "x")]);
  });

  it("too many of one date are those whose names come first", () => {
    const many = Array.from({ length: 120 }, (_, n): Absence => ({ label: `l${100 + n}`, at: 1, after: [] }));
    const kept = many.slice(0, 100).map(({ label }) => label);
    expect(mergeAbsences(many, []).map(({ label }) => label)).toEqual(kept);
    expect(mergeAbsences([], many.toReversed()).map(({ label }) => label)).toEqual(kept);
  });
});

it("a snapshot tells of acts as well, and forgets none", () => {
  const given = [labeled(1, "a", alice), labeled(2, "b", bob)].map(act);
  const snapshot = (acts: readonly Act[]): Change => ({
    ...{ pull, kind: "snapshot", state: state({ updatedAt: minute(3) }) },
    ...{ acts, checks: null, files: null, headAt: null },
  });
  const told = record(record(openedThen(), snapshot(given.slice(0, 1))), snapshot(given.slice(1)));
  expect(told.acts.map(({ id }) => id)).toEqual(["opened", ...given.map(({ id }) => id)]);
  expect(told.orders).toBeUndefined();
  expect(told.absences).toBeUndefined();
});

describe("the newest push", () => {
  const head = (...deeds: Parameters<typeof did>) => record(openedThen(), did(...deeds)).head;

  it("of one second is the one from which no other starts, whatever their names", () => {
    const [one, two, three] = [
      pushed(5, "aaaaaaa1", "d", alice),
      pushed(5, "d", "b", alice),
      pushed(5, "b", "c", alice),
    ];
    for (const deeds of [
      [one, two, three],
      [three, one, two],
      [two, three, one],
    ]) {
      expect(head(...deeds)).toMatchObject({ sha: "c", at: minute(5) });
    }
    // One that came back to itself leads nowhere else.
    expect(head(pushed(5, "c", "c", alice)).sha).toBe("c");
    expect(head(pushed(5, "b", "c", alice), pushed(5, "c", "b", alice)).sha).toBe("c");
    expect(head(pushed(4, "x", "y", alice), pushed(5, "aaaaaaa1", "x", alice)).sha).toBe("x");
    expect(
      head(pushed(5, "aaaaaaa1", "x", alice), pushed(7, "x", "y", alice), pushed(8, "y", "x", alice)),
    ).toMatchObject({
      sha: "x",
      at: minute(8),
    });
  });
});

describe("the same facts", () => {
  const facts = openedThen(labeled(1, "x", alice));

  it.each<[Partial<Facts>, boolean]>([
    [{}, true],
    [{ title: "Another" }, false],
    [{ files: [] }, false],
    [{ labels: [...facts.labels] }, true],
    [{ labels: [] }, false],
    [{ labels: ["x", "y"] }, false],
    [{ acts: facts.acts.map((each) => ({ ...each })) }, true],
    [{ acts: facts.acts.map((each) => ({ ...each, at: each.at + 1 })) }, false],
    [{ orders: [] }, false],
    [{ observed: null }, false],
    [{ heads: { ...facts.heads, more: 1 } }, false],
    [{ heads: {} }, false],
    [{ heads: { ...facts.heads } }, true],
  ])("%j: %s", (more, same) => {
    const other = { ...facts, ...more };
    expect([sameFacts(facts, other), sameFacts(other, facts)]).toEqual([same, same]);
  });

  it("has what is undefined as not there", () => {
    const other: object = { ...facts, orders: undefined };
    expect([sameFacts(facts, other as Facts), sameFacts(other as Facts, facts)]).toEqual([true, true]);
    const list: object = { ...facts, heads: [] };
    expect([sameFacts(facts, list as Facts), sameFacts(list as Facts, facts)]).toEqual([false, false]);
  });
});

it.each([
  ["a", "b", -1],
  ["b", "a", 1],
  ["a", "a", 0],
  ["B", "a", -1],
  ["9", "10", 1],
])("texts in order: %s, %s", (a, b, order) => {
  expect(compareText(a, b)).toBe(order);
  expect(Math.sign(compareIds(a, b))).toBe(a.length === b.length ? order : Math.sign(a.length - b.length));
});
