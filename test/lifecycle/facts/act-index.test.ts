import { describe, expect, it } from "vitest";
import { ActIndex, type ActPrefix, firstWhere, isNamed } from "../../../src/lifecycle/facts/act-index.ts";
import type { Act } from "../../../src/lifecycle/facts/facts.ts";
import { MOST_ACTS, pruneActs } from "../../../src/lifecycle/facts/prune.ts";
import {
  actsOf,
  alice,
  bob,
  comment,
  dismissed,
  labeled,
  minute,
  outsider,
  pushed,
  ran,
  review,
  tess,
  unlabeled,
} from "../builders.ts";

const ACTS = actsOf(
  labeled(1, "x", alice),
  review(2, bob, "approved", "aaaaaaa1", 20),
  ran(3, "qa.yml", "success"),
  comment(4, alice, "ship"),
  { kind: "plan", at: minute(4), by: tess, plan: "p", run: "r", result: "success", sha: "aaaaaaa1" },
  pushed(5, "aaaaaaa1", "bbbbbbb2", alice),
  dismissed(6, bob, 20),
  unlabeled(6, "x", alice),
  labeled(6, "x", bob),
  labeled(7, "y", alice),
  labeled(8, "x", alice),
  review(8, bob, "approved", "aaaaaaa1", 21),
  comment(8, alice, "ship"),
  pushed(9, "bbbbbbb2", "ccccccc3", alice),
  ran(9, "qa.yml", "success", "aaaaaaa1", 99),
);

describe("what was looked at", () => {
  const index = ActIndex.of(ACTS);
  const ids = <T extends Act>({ list, length }: ActPrefix<T>): string[] => list.slice(0, length).map(({ id }) => id);
  const LOOKS: Readonly<Record<string, (at: ActIndex) => string[]>> = {
    labels: (at) => at.labels("x").map(({ id }) => id),
    "labels that there are none of": (at) => at.labels("none").map(({ id }) => id),
    reviews: (at) => ids(at.reviews()),
    runs: (at) => ids(at.workflows("qa.yml")),
    plans: (at) => ids(at.plans("p")),
    commands: (at) => ids(at.commands("ship")),
    pushes: (at) => ids(at.pushes()),
    "labels and pushes": (at) => [...at.labels("x").map(({ id }) => id), ...ids(at.pushes())],
    nothing: () => [],
  };
  const moments = Array.from({ length: 23 }, (_, n) => minute(n / 2)).flatMap((at) => [
    index.until(at, true),
    index.until(at, false),
  ]);

  it.each(Object.entries(LOOKS))("%s: is the same at a moment that shows it", (_, look) => {
    for (const then of moments) {
      const { value, reads } = then.recording(() => look(then));
      for (const other of moments) {
        const same = look(other).join() === value.join();
        if (other.shows(reads)) expect(same).toBe(true);
      }
    }
  });

  it.each(Object.entries(LOOKS))("%s: is shown at every moment that has as much of it, nothing hidden", (_, look) => {
    const whole = moments.filter((_each, place) => place % 2 === 0);
    for (const then of whole) {
      const { value, reads } = then.recording(() => look(then));
      for (const other of whole) expect(other.shows(reads)).toBe(look(other).join() === value.join());
    }
  });

  it("with something hidden is shown at no moment", () => {
    const at = index.until(minute(6), false);
    const { value, reads } = at.recording(() => LOOKS.labels?.(at));
    expect(value).toHaveLength(2);
    expect([at.shows(reads), index.until(minute(6), true).shows(reads)]).toEqual([false, false]);
    const full = index.until(minute(6), true);
    const seen = full.recording(() => LOOKS.reviews?.(full));
    expect([full.shows(seen.reads), at.shows(seen.reads)]).toEqual([true, false]);
  });

  it("within, and what is shown again, was looked at by whoever looks without", () => {
    const inner = index.recording(() => index.pushes());
    const outer = index.recording(() => {
      index.labels("x");
      index.recording(() => index.reviews());
      index.shows(inner.reads);
      expect(() =>
        index.recording(() => {
          index.plans("p");
          throw new Error("no");
        }),
      ).toThrow("no");
      index.commands("ship");
    });
    expect(outer.reads.map(({ list }) => list[0]?.kind)).toEqual(["labeled", "review", "pushed", "plan", "command"]);
    expect(index.recording(() => null).reads).toEqual([]);
  });
});

describe("the first act for which something holds", () => {
  const list = actsOf(...Array.from({ length: 7 }, (_, n) => comment(n, alice, "x")));

  it.each(Array.from({ length: 8 }, (_, n) => n))("at %i", (first) => {
    for (let length = 0; length <= list.length; length += 1) {
      for (let from = 0; from <= length; from += 1) {
        const found = firstWhere({ list, length }, (act) => act.at >= minute(first), from);
        expect(found).toBe(Math.min(length, Math.max(first, from)));
      }
    }
    expect(firstWhere({ list, length: 7 }, (act) => act.at >= minute(first))).toBe(Math.min(first, 7));
  });
});

it.each([
  ["qa.yml", "qa.yml", true],
  [".github/workflows/qa.yml", "qa.yml", true],
  [".github/workflows/qa.yml", ".github/workflows/qa.yml", true],
  ["qa.yml", ".github/workflows/qa.yml", false],
  ["other.yml", "qa.yml", false],
  ["a/qa.yml", "b/qa.yml", false],
])("the workflow %s is named by %s: %s", (workflow, name, is) => {
  expect(isNamed(workflow, name)).toBe(is);
});

describe("of more acts than are kept", () => {
  const filler = (count: number): Act[] =>
    actsOf(...Array.from({ length: count }, (_, n) => ({ ...labeled(100 + n, `l${n}`, alice) })));
  const lost = (acts: readonly Act[]): number[] => {
    const kept = new Set(pruneActs(acts));
    expect(kept.size).toBe(MOST_ACTS);
    return acts.flatMap((act, place) => (kept.has(act) ? [] : [place]));
  };

  it("each that goes is counted once, whatever speaks against it", () => {
    const replaced = actsOf(labeled(1, "a", alice), labeled(2, "a", alice), labeled(3, "a", alice));
    expect(lost([...replaced, ...filler(MOST_ACTS + 2)])).toEqual([0, 1, 2, 3, 4]);
    const words = actsOf(comment(1, outsider, "w1"), comment(2, outsider, "w2"), comment(3, outsider, "w1"));
    expect(lost([...words, ...filler(MOST_ACTS + 1)])).toEqual([0, 1, 2, 3]);
  });

  it("the opening stays, and no more go than have to", () => {
    const opening = actsOf({ kind: "opened", at: minute(0), by: alice });
    expect(lost([...opening, ...filler(MOST_ACTS)])).toEqual([1]);
    const replaced = actsOf(labeled(1, "a", alice), labeled(2, "a", alice), labeled(3, "a", alice));
    expect(lost([...opening, ...replaced, ...filler(MOST_ACTS - 3)])).toEqual([1]);
  });

  it("of words those of whoever wrote the most, the oldest first; of two who wrote as many the older", () => {
    const bot = { ...outsider, kind: "bot" } as const;
    const words = actsOf(
      comment(1, bob, "b1"),
      comment(2, outsider, "o1"),
      comment(3, outsider, "o2"),
      comment(4, bot, "o3"),
      comment(5, bob, "b2"),
      comment(6, bob, "retry"),
    );
    const rest = filler(MOST_ACTS - words.length);
    const more = actsOf(labeled(5_000, "m1", alice), labeled(5_001, "m2", alice), labeled(5_002, "m3", alice));
    expect(lost([...words, ...rest, ...more.slice(0, 1)])).toEqual([0]);
    expect(lost([...words, ...rest, ...more.slice(0, 2)])).toEqual([0, 1]);
    expect(lost([...words, ...rest, ...more])).toEqual([0, 1, 2]);
  });
});
