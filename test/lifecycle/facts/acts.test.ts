import { describe, expect, it } from "vitest";
import { ActIndex, type ActPrefix, isWithdrawal } from "../../../src/lifecycle/facts/act-index.ts";
import { type ActWithoutId, act } from "../../../src/lifecycle/facts/change.ts";
import type { Act } from "../../../src/lifecycle/facts/facts.ts";
import { keepNewest, MOST_ACTS, pruneActs } from "../../../src/lifecycle/facts/prune.ts";
import {
  actsOf,
  alice,
  bob,
  comment,
  dismissed,
  labeled,
  minute,
  pushed,
  ran,
  review,
  rex,
  tess,
  unlabeled,
} from "../builders.ts";

const at = minute(3);
const by = alice;

describe("an act's id", () => {
  it.each<[ActWithoutId, string]>([
    [{ kind: "opened", at, by }, "opened"],
    [{ kind: "labeled", at, by, label: "Ready" }, `labeled:ready@${at}`],
    [{ kind: "unlabeled", at, by, label: "Ready" }, `unlabeled:ready@${at}`],
    [{ kind: "review", at, by, reviewId: "5", state: "approved", sha: "a" }, "review:5"],
    [{ kind: "review_dismissed", at, by, reviewId: "5" }, "review_dismissed:5"],
    [{ kind: "pushed", at, by, before: "a", sha: "b", forced: true }, `pushed:b@${at}`],
    [{ kind: "drafted", at, by }, `drafted@${at}`],
    [{ kind: "readied", at, by }, `readied@${at}`],
    [{ kind: "closed", at, by, merged: false }, `closed@${at}`],
    [{ kind: "reopened", at, by }, `reopened@${at}`],
    [{ kind: "base_changed", at, by, from: "a", to: "b" }, `base_changed:b@${at}`],
    [{ kind: "command", at, by, commentId: "9", command: "to", argument: "qa" }, "command:9:to:qa"],
    [{ kind: "command", at, by, commentId: "9", command: "back", argument: "qa" }, "command:9:back"],
    [{ kind: "workflow", at, by, workflow: "w", runId: "3", result: "success", sha: "a" }, `workflow:3@${at}`],
    [{ kind: "plan", at, by, plan: "p", run: "r", result: "success", sha: "a" }, `plan:r@${at}`],
  ])("%o", (fields, id) => {
    expect(act(fields)).toEqual({ ...fields, id });
  });
});

describe("acts by what they are about", () => {
  const acts = actsOf(
    labeled(1, "Ready", alice),
    review(2, bob, "approved", "aaaaaaa1", 20),
    ran(3, ".github/workflows/qa.yml", "success"),
    ran(3, "qa.yml", "failure", "aaaaaaa1", 4),
    { kind: "plan", at: minute(4), by: tess, plan: "qa.yml", run: "r", result: "success", sha: "aaaaaaa1" },
    comment(5, alice, "ship"),
    comment(5, bob, "hold"),
    comment(5, bob, "/hold"),
    pushed(6, "aaaaaaa1", "bbbbbbb2", alice),
    unlabeled(7, "READY", alice),
    dismissed(7, bob, 20),
    labeled(8, "ready/x", alice),
  );
  const index = ActIndex.of(acts);
  const kinds = (list: readonly Act[]): string[] => list.map(({ kind }) => kind);
  const those = <T extends Act>({ list, length }: ActPrefix<T>): readonly T[] => list.slice(0, length);

  it("labels whatever their case, and those of a pattern", () => {
    expect(kinds(index.labels("reaDY"))).toEqual(["labeled", "unlabeled"]);
    expect(index.labels("other")).toEqual([]);
    expect(index.labelNames("ready*")).toEqual(["ready", "ready/x"]);
    expect(index.labelNames("ready*")).toEqual(["ready", "ready/x"]);
    expect(index.labelNames("x*")).toEqual([]);
  });

  it("runs by path and by name of their file, plans apart from them", () => {
    expect(those(index.workflows("qa.yml")).map((run) => run.result)).toEqual(["success", "failure"]);
    expect(those(index.workflows(".github/workflows/qa.yml"))).toHaveLength(1);
    expect(those(index.plans("qa.yml"))).toHaveLength(1);
    expect(those(index.workflows("other.yml"))).toEqual([]);
  });

  it("commands, those of others that are called like ours apart from ours", () => {
    expect(those(index.commands("ship"))).toHaveLength(1);
    expect(those(index.commands("hold")).map(({ command }) => command)).toEqual(["/hold"]);
  });

  it("reviews and pushes", () => {
    expect(kinds(those(index.reviews()))).toEqual(["review", "review_dismissed"]);
    expect(those(index.pushes())).toHaveLength(1);
    expect(index.nextPush()).toBeNull();
  });

  it("as they were at a moment, the second itself included", () => {
    const then = index.until(minute(7), true);
    expect([kinds(then.labels("ready")), kinds(those(then.reviews())), those(then.pushes()).length]).toEqual([
      ["labeled", "unlabeled"],
      ["review", "review_dismissed"],
      1,
    ]);
    expect(then.nextPush()).toBeNull();
    const before = index.until(minute(6) - 1, true);
    expect([kinds(before.labels("ready")), those(before.pushes()).length, before.nextPush()?.sha]).toEqual([
      ["labeled"],
      0,
      "bbbbbbb2",
    ]);
    expect(index.until(minute(1) - 1, true).labels("ready")).toEqual([]);
  });

  it("without what was taken back in that second", () => {
    const then = index.until(minute(7), false);
    expect([kinds(then.labels("ready")), kinds(those(then.reviews()))]).toEqual([["labeled"], ["review"]]);
    const later = index.until(minute(8), false);
    expect([kinds(later.labels("ready")), kinds(those(later.reviews()))]).toEqual([
      ["labeled", "unlabeled"],
      ["review", "review_dismissed"],
    ]);
    expect(acts.filter(isWithdrawal).map(({ kind }) => kind)).toEqual(["unlabeled", "review_dismissed"]);
  });
});

describe("what is kept of many", () => {
  it("the newest, of one date by key", () => {
    const list = [
      { k: "b", d: 1 },
      { k: "a", d: 1 },
      { k: "c", d: 2 },
      { k: "d", d: 0 },
    ];
    const keep = (most: number) =>
      keepNewest(
        list,
        most,
        ({ d }) => d,
        ({ k }) => k,
      ).map(({ k }) => k);
    expect(keep(4)).toEqual(["b", "a", "c", "d"]);
    expect(keep(2)).toEqual(["c", "a"]);
    expect(keep(0)).toEqual([]);
  });

  /** So many acts that say nothing new, of which none replaces another. */
  const filler = (count: number, from = 100): Act[] =>
    actsOf(...Array.from({ length: count }, (_, n) => pushed(from + n, "a", `${n}`, alice))).map((each) => ({
      ...each,
      kind: "review_dismissed",
      reviewId: each.id,
    }));
  const opening = act({ kind: "opened", at: minute(0), by: rex });
  const lost = (acts: readonly Act[]): string[] => {
    const kept = new Set(pruneActs(acts));
    return acts.filter((each) => !kept.has(each)).map(({ id }) => id);
  };

  it("everything as long as it is not too much", () => {
    const acts = [opening, ...filler(MOST_ACTS - 1)];
    expect(pruneActs(acts)).toBe(acts);
    expect(pruneActs([...acts, ...filler(1, 5000)])).toHaveLength(MOST_ACTS);
  });

  it.each<[string, ActWithoutId, ActWithoutId]>([
    ["a label's older state", labeled(1, "A", alice), unlabeled(2, "a", bob)],
    ["a reviewer's older review", review(1, bob, "approved", "a", 1), review(2, bob, "commented", "a", 2)],
    ["a workflow's older run", ran(1, "qa.yml", "success"), ran(2, "qa.yml", "failure")],
    [
      "a plan's older run",
      { kind: "plan", at: minute(1), by, plan: "p", run: "1", result: "success", sha: "a" },
      { kind: "plan", at: minute(2), by, plan: "p", run: "2", result: "success", sha: "a" },
    ],
    ["a command given again", comment(1, alice, "ship"), comment(2, alice, "ship")],
    ["an older draft", { kind: "drafted", at: minute(1), by }, { kind: "readied", at: minute(2), by }],
    ["an older closing", { kind: "closed", at: minute(1), by, merged: false }, { kind: "reopened", at: minute(2), by }],
    ["an older push", pushed(1, "a", "b", alice), pushed(2, "b", "c", bob)],
    [
      "an older base",
      { kind: "base_changed", at: minute(1), by, from: "a", to: "b" },
      { kind: "base_changed", at: minute(2), by, from: "b", to: "c" },
    ],
  ])("%s goes before all else", (_what, older, newer) => {
    const [first, second] = actsOf(older, newer);
    if (first === undefined || second === undefined) throw new Error("There are two.");
    expect(lost([opening, ...filler(1, 0), first, second, ...filler(MOST_ACTS - 3)])).toEqual([first.id]);
  });

  it.each<[string, ActWithoutId, ActWithoutId]>([
    ["another label", labeled(1, "a", alice), labeled(2, "b", alice)],
    ["another reviewer", review(1, bob, "approved", "a", 1), review(2, alice, "approved", "a", 2)],
    [
      "another bot of that number",
      review(1, { ...bob, kind: "bot" }, "approved", "a", 1),
      review(2, bob, "approved", "a", 2),
    ],
    ["another workflow", ran(1, "a.yml", "success"), ran(2, "b.yml", "success")],
    ["another's command", comment(1, bob, "to"), comment(2, alice, "to")],
    ["another command", comment(1, bob, "to"), comment(2, bob, "hold")],
  ])("%s replaces nothing: then the oldest goes, but never the opening", (_what, older, newer) => {
    const [first, second] = actsOf(older, newer);
    if (first === undefined || second === undefined) throw new Error("There are two.");
    const rest = filler(MOST_ACTS - 2);
    expect(lost([opening, first, second, ...rest])).toEqual([first.id]);
    expect(lost([opening, ...filler(1, -5), first, second, ...rest.slice(1)])).toHaveLength(1);
  });

  it("words for other bots go next, of whoever wrote the most", () => {
    const words = actsOf(
      comment(1, alice, "a1"),
      comment(2, bob, "b1"),
      comment(3, bob, "b2"),
      comment(4, bob, "b3"),
      comment(5, alice, "a2"),
      comment(6, bob, "to"),
    );
    const ids = words.map(({ id }) => id);
    const acts = (over: number) => [opening, ...filler(1, 0), ...words, ...filler(MOST_ACTS - 8 + over)];
    expect(lost(acts(1))).toEqual([ids[1]]);
    expect(lost(acts(2))).toEqual([ids[0], ids[1]]);
    expect(lost(acts(3))).toEqual([ids[0], ids[1], ids[2]]);
    // At last the filler, and not what is a command of ours.
    expect(lost(acts(6))).not.toContain(ids[5]);
  });
});
