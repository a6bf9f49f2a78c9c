import { describe, expect, it } from "vitest";
import { type ActWithoutId, act } from "../../../src/lifecycle/facts/change.ts";
import type { Act } from "../../../src/lifecycle/facts/facts.ts";
import {
  type Absence,
  heldFrom,
  holdsFrom,
  inOrder,
  isAtOrBefore,
  isPlaced,
  isRead,
  mergeAbsences,
  mergeOrders,
  type OrderInSecond,
  ordersOf,
  ordersOfActs,
  placeKey,
  placeOfMoment,
  SEVERAL,
  type TimelineItem,
  unorderedSeconds,
  wholeDate,
  withPlacesInSecond,
} from "../../../src/lifecycle/facts/order-in-second.ts";
import { actsOf, alice, bob, comment, labeled, minute, pushed, ran, review, rex, unlabeled } from "../builders.ts";

const at = minute(5);
const opening: ActWithoutId = { kind: "opened", at, by: rex };
const plain = (kind: "drafted" | "readied" | "reopened"): ActWithoutId => ({ kind, at, by: alice });
const closing: ActWithoutId = { kind: "closed", at, by: alice, merged: false };
const based = (to: string): ActWithoutId => ({ kind: "base_changed", at, by: alice, from: "main", to });
const dismissal: ActWithoutId = { kind: "review_dismissed", at, by: alice, reviewId: "9" };
const plan: ActWithoutId = { kind: "plan", at, by: alice, plan: "p", run: "r", result: "success", sha: "a" };
const order = (keys: readonly string[], more: Partial<OrderInSecond> = {}): OrderInSecond => ({
  at,
  keys,
  givers: {},
  asked: [],
  ...more,
});
const item = (key: string, when: number | null = at, acts: readonly Act[] = []): TimelineItem => ({
  key,
  at: when,
  acts,
});

describe("the timeline's names of acts", () => {
  it.each<[ActWithoutId, string | null]>([
    [opening, null],
    [ran(5, "w", "success"), null],
    [plan, null],
    [pushed(5, "a", "b", alice), "commit:b"],
    [comment(5, alice, "hold"), "comment:5021"],
    [labeled(5, "A", alice), `labeled:a@${at}`],
    [dismissal, "review_dismissed:9"],
  ])("%o", (deed, key) => {
    expect(placeKey(act(deed))).toBe(key);
  });
});

describe("the part of a timeline that tells of a second", () => {
  const given = act(labeled(5, "a", bob));

  it("is what stands in it, and commits beside it, which have no date", () => {
    const items = [
      item("c0", null),
      item("x", at - 1),
      item("c1", null),
      item("c2", null),
      item("k1"),
      item("c3", null),
      item("k2"),
      item("c4", null),
      item("y", at + 1),
      item("c5", null),
    ];
    expect(ordersOf(items, [at], [])).toEqual([order(["c1", "c2", "k1", "c3", "k2", "c4"])]);
    expect(ordersOf(items.slice(2, 8), [at], [])[0]?.keys).toEqual(["c1", "c2", "k1", "c3", "k2", "c4"]);
    expect(ordersOf(items, [at + 5], [given])).toEqual([{ at: at + 5, keys: [], givers: {}, asked: [] }]);
  });

  it("of what was done twice the last time, and who gave a label last", () => {
    const again = { ...given, by: alice };
    expect(
      ordersOf(
        [item(given.id, at, [given]), item("k"), item(given.id, at, [again])],
        [at],
        [given, act(ran(9, "w", "success"))],
      ),
    ).toEqual([order(["k", given.id], { givers: { [given.id]: alice }, asked: [given.id] })]);
  });

  it("has at most nine hundred places, the last ones", () => {
    const keys =
      ordersOf(
        Array.from({ length: 901 }, (_, n) => item(`k${n}`)),
        [at],
        [],
      )[0]?.keys ?? [];
    expect([keys.length, keys[0]]).toEqual([900, "k1"]);
  });

  it("of acts told in order is said of seconds with more than one", () => {
    const told = actsOf(
      labeled(1, "a", alice),
      labeled(5, "b", alice),
      ran(5, "w", "success"),
      unlabeled(5, "b", alice),
    );
    expect(ordersOfActs(told)).toEqual([
      order([`labeled:b@${at}`, `unlabeled:b@${at}`], {
        givers: { [`labeled:b@${at}`]: alice },
        asked: told.slice(1).map(({ id }) => id),
      }),
    ]);
    expect(ordersOfActs(actsOf(labeled(5, "a", alice), ran(5, "w", "success")))).toEqual([]);
  });
});

describe("what is known of seconds adds up", () => {
  it("the longer list counts, whoever came first, and all that was asked", () => {
    const [short, long] = [order(["a"], { asked: ["x"] }), order(["b", "a"], { asked: ["y"] })];
    const expected = [order(["b", "a"], { asked: ["x", "y"] })];
    expect(mergeOrders([short], [long])).toEqual(expected);
    expect(mergeOrders([long], [short])).toEqual(expected);
    const [one, two] = [order(["a"]), order(["b"])];
    expect(mergeOrders([one], [two])).toEqual(mergeOrders([two], [one]));
    const [lean, rich] = [order(["a"]), order(["a"], { givers: { a: bob } })];
    expect(mergeOrders([lean], [rich])).toEqual(mergeOrders([rich], [lean]));
  });

  it("in the order of dates, the newest two hundred", () => {
    const many = Array.from({ length: 202 }, (_, n) => order([], { at: n }));
    expect(mergeOrders(many.slice(100), many.slice(0, 100)).map((each) => each.at)).toEqual(
      many.slice(2).map((each) => each.at),
    );
  });

  it("of absences the newest of each label, and all resets of one date", () => {
    const gone = (label: string, when: number, ...after: string[]): Absence => ({ label, at: when, after });
    expect(mergeAbsences([gone("a", 1, "z")], [gone("a", 2, "y", "x")])).toEqual([gone("a", 2, "x", "y")]);
    expect(mergeAbsences([gone("a", 2, "y")], [gone("a", 1, "z")])).toEqual([gone("a", 2, "y")]);
    expect(mergeAbsences([gone("b", 1, "y")], [gone("a", 1), gone("b", 1, "x", "y")])).toEqual([
      gone("a", 1),
      gone("b", 1, "x", "y"),
    ]);
    const many = Array.from({ length: 102 }, (_, n) => gone(`l${`${n}`.padStart(3, "0")}`, n));
    expect(mergeAbsences(many, []).map(({ label }) => label)).toEqual(many.slice(2).map(({ label }) => label));
  });
});

describe("acts of one second", () => {
  const names = (acts: readonly Act[], orders: readonly OrderInSecond[] = []): string[] =>
    inOrder(acts, orders).map(({ id }) => id.replace(/@.*/, ""));

  it("that nobody has ordered: the opening, then what grants, then what takes away", () => {
    const deeds = [
      closing,
      unlabeled(5, "a", alice),
      pushed(5, "a", "b", alice),
      plain("drafted"),
      plain("reopened"),
      based("dev"),
      dismissal,
      comment(5, alice, "hold"),
      comment(5, bob, "back"),
      labeled(5, "b", alice),
      review(5, bob, "approved", "a", 1),
      plain("readied"),
      comment(5, rex, "to", "qa"),
      comment(5, rex, "unhold"),
      ran(5, "w", "success"),
      opening,
    ];
    const sorted = names(actsOf(...deeds));
    const early = ["command:5011:to:qa", "command:5011:unhold:", "labeled:b", "readied", "review:1", "workflow:5"];
    expect(sorted[0]).toBe("opened");
    expect(sorted.slice(1, 7)).toEqual(early);
    expect(sorted.slice(7)).toHaveLength(9);
  });

  it("in their order, after what is not known to take away and before what is", () => {
    const acts = actsOf(
      unlabeled(5, "a", alice),
      labeled(5, "a", alice),
      labeled(5, "z", alice),
      closing,
      labeled(6, "q", alice),
    );
    const orders = [order([`unlabeled:a@${at}`, `labeled:a@${at}`])];
    expect(names(acts, orders)).toEqual(["labeled:z", "unlabeled:a", "labeled:a", "closed", "labeled:q"]);
  });

  it("have the giver whom the timeline names", () => {
    const [given] = actsOf(labeled(5, "a", alice));
    if (given === undefined) throw new Error("There is one.");
    const giver = (by: typeof alice) => inOrder([given], [order([given.id], { givers: { [given.id]: by } })])[0]?.by;
    expect(giver(bob)).toEqual(bob);
    expect(giver({ ...alice, kind: "bot" })?.kind).toBe("bot");
    expect(inOrder([given], [order([given.id], { givers: { [given.id]: { ...alice, login: "new" } } })])[0]).toBe(
      given,
    );
    expect(inOrder([given], [])[0]).toBe(given);
  });

  it("have places that can be compared with dates, and dates that are whole again", () => {
    const acts = actsOf(labeled(5, "a", alice), unlabeled(5, "a", alice));
    const orders = [order([acts[1]?.id ?? ""])];
    const placed = withPlacesInSecond({ acts, orders }).acts.map((each) => each.at);
    expect(placed.map((each) => [wholeDate(each), placeOfMoment(each)])).toEqual([
      [at, 1],
      [at, 2],
    ]);
    expect(withPlacesInSecond({ acts }).acts.map((each) => placeOfMoment(each.at))).toEqual([1, 1000]);
    const [late] = withPlacesInSecond({ acts: acts.slice(1) }).acts;
    expect(holdsFrom(late?.at ?? 0)).toBe(heldFrom(at));
    expect(holdsFrom(placed[1] ?? 0)).toBe(placed[1]);
    expect(heldFrom(at)).toBeGreaterThan(at);
    expect(heldFrom(at)).toBeLessThan(placed[0] ?? 0);
    const [given, taken] = acts;
    if (given === undefined || taken === undefined) throw new Error("There are two.");
    expect([isAtOrBefore(taken, 2, orders), isAtOrBefore(taken, 1, orders), isAtOrBefore(given, 1, orders)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([
      isPlaced(taken, orders),
      isPlaced(given, orders),
      isPlaced({ ...taken, at: at + 0.5 }, orders),
      isPlaced(act(opening), orders),
    ]).toEqual([true, false, true, false]);
    expect([isRead(at, orders), isRead(at + 1, orders), isRead(at, [])]).toEqual([true, false, false]);
  });
});

describe("a second whose order is to be asked for", () => {
  const asks = (
    deeds: readonly ActWithoutId[],
    orders: readonly OrderInSecond[] = [],
    absences: readonly Absence[] = [],
    counts = (_: Act) => true,
  ) => unorderedSeconds({ acts: actsOf(...deeds), orders, absences }, counts).length > 0;

  it.each<[ActWithoutId, ActWithoutId, boolean]>([
    [labeled(5, "a", alice), unlabeled(5, "A", alice), true],
    [labeled(5, "A", alice), unlabeled(5, "A", alice), true],
    [labeled(5, "a", alice), unlabeled(5, "b", alice), false],
    [labeled(5, "a", alice), labeled(5, "b", alice), false],
    [labeled(5, "a", alice), pushed(5, "a", "b", bob), true],
    [labeled(5, "a", alice), plain("drafted"), true],
    [labeled(5, "a", alice), plain("readied"), false],
    [labeled(5, "a", alice), plain("reopened"), true],
    [labeled(5, "a", alice), based("dev"), true],
    [labeled(5, "a", alice), closing, false],
    [labeled(5, "a", alice), comment(5, bob, "hold"), true],
    [labeled(5, "a", alice), comment(5, bob, "back"), true],
    [labeled(5, "a", alice), comment(5, bob, "to", "qa"), true],
    [labeled(5, "a", alice), comment(5, bob, "status"), false],
    [plain("drafted"), plain("readied"), true],
    [closing, plain("reopened"), true],
    [based("x"), based("y"), true],
    [review(5, bob, "approved", "a", 1), review(5, bob, "changes_requested", "a", 2), true],
    [review(5, bob, "approved", "a", 1), review(5, bob, "approved", "a", 2), false],
    [review(5, bob, "approved", "a", 1), review(5, alice, "changes_requested", "a", 2), false],
    [review(5, bob, "approved", "a", 1), pushed(5, "a", "b", alice), true],
    [review(5, bob, "commented", "a", 1), pushed(5, "a", "b", alice), false],
    [comment(5, alice, "hold"), comment(5, bob, "unhold"), true],
    [comment(5, alice, "unhold"), comment(5, bob, "unhold"), true],
    [comment(5, alice, "ship"), pushed(5, "a", "b", bob), true],
    [comment(5, alice, "help"), pushed(5, "a", "b", bob), false],
    [comment(5, alice, "retry"), pushed(5, "a", "b", bob), false],
    [comment(5, alice, "hold"), pushed(5, "a", "b", bob), false],
    [comment(5, alice, "back"), comment(5, bob, "ship"), true],
    [unlabeled(5, "a", alice), pushed(5, "a", "b", bob), false],
    [dismissal, pushed(5, "a", "b", bob), false],
    [ran(5, "w", "success"), pushed(5, "a", "b", bob), false],
    [labeled(5, "a", alice), pushed(6, "a", "b", bob), false],
  ])("%o with %o: %s", (one, other, expected) => {
    expect(asks([one, other])).toBe(expected);
    expect(asks([other, one].sort((a, b) => a.at - b.at))).toBe(expected);
  });

  const [given, push] = actsOf(labeled(5, "a", alice), pushed(5, "a", "b", bob));
  const both = [labeled(5, "a", alice), pushed(5, "a", "b", bob)];

  it("is not asked for again", () => {
    expect(asks(both, [order([given?.id ?? "", "commit:b"])])).toBe(false);
    expect(asks(both, [order([], { asked: [given?.id ?? "", push?.id ?? ""] })])).toBe(false);
    expect(asks(both, [order([given?.id ?? ""])])).toBe(true);
    expect(asks(both, [order(["commit:b"])])).toBe(true);
    expect(asks(both, [order([given?.id ?? "", "commit:b"], { at: at + 1 })])).toBe(true);
  });

  it("is not asked for where what counts is no command", () => {
    expect(asks(both, [], [], (each) => each.kind !== "labeled")).toBe(false);
  });

  it("is asked for a label alone where somebody else may have given it, or before we saw it gone", () => {
    const two = [labeled(5, "a", SEVERAL), ran(5, "w", "success")];
    expect(asks(two)).toBe(true);
    expect(asks([labeled(5, "A", alice)], [], [{ label: "a", at, after: [] }])).toBe(true);
    expect(asks([labeled(5, "b", alice)], [], [{ label: "a", at, after: [] }])).toBe(false);
    expect(asks([labeled(5, "a", alice)], [], [{ label: "a", at: at + 1, after: [] }])).toBe(false);
    expect(asks([labeled(5, "a", alice)])).toBe(false);
  });

  it("is told with its date, the oldest first", () => {
    const deeds = [...both, labeled(6, "x", alice), unlabeled(7, "x", alice), labeled(7, "x", alice)];
    expect(unorderedSeconds({ acts: actsOf(...deeds) }, () => true)).toEqual([minute(5), minute(7)]);
  });
});
