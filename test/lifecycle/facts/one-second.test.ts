/** What happens within one second: GitHub dates it alike, and its timeline alone says what came first. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Evaluation } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { simulatePolicy } from "../../../src/lifecycle/evaluation/simulate.ts";
import { type ActWithoutId, act, type Change } from "../../../src/lifecycle/facts/change.ts";
import type { Facts, PullState } from "../../../src/lifecycle/facts/facts.ts";
import { ordersOf, placeKey, SEVERAL, type TimelineItem } from "../../../src/lifecycle/facts/order-in-second.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { readFactsFile } from "../../../src/lifecycle/facts-file/facts-file.ts";
import { desiredDisplay } from "../../../src/lifecycle/presentation/display.ts";
import {
  alice,
  bob,
  cleo,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  lead,
  minute,
  opened,
  pull,
  pushed,
  review,
  rex,
  state,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const QA = "ready-for-qa";
const POLICY = policyOf(`
operators: [lead]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: { name: ready-for-qa, by: ["cleo[bot]", alice] } } }
  - { name: c, enter: { approvals: { count: 1, by: [bob] } } }
on_push: { back_to: a }
`);
const [HEAD, NEXT] = ["aaaaaaa1", "bbbbbbb2"] as const;
const PUSHED = pushed(5, HEAD, NEXT, rex);
const drafted: ActWithoutId = { kind: "drafted", at: minute(5), by: rex };
const readied: ActWithoutId = { kind: "readied", at: minute(5), by: rex };

/** The timeline with these deeds in it, in this order, of which the last left these states. */
function timeline(
  deeds: readonly ActWithoutId[],
  now: Partial<PullState> = {},
  known: readonly ActWithoutId[] = deeds,
): Change {
  const items = deeds.map((deed): TimelineItem => {
    const done = act(deed);
    return { key: placeKey(done) ?? "", at: done.kind === "pushed" ? null : done.at, acts: [done] };
  });
  const seconds = [...new Set(deeds.map((deed) => deed.at))];
  const asOf = Math.max(...seconds) + 5_000;
  const acts = deeds.filter((deed) => deed.kind !== "pushed").map(act);
  const orders = ordersOf(items, seconds, known.map(act));
  return { pull, kind: "timeline", state: state({ updatedAt: Math.max(...seconds), ...now }), asOf, acts, orders };
}

const seen = (n: number, deed: ActWithoutId, now: Partial<PullState>): Change => ({
  pull,
  kind: "observed",
  state: state({ updatedAt: minute(n), ...now }),
  acts: [act(deed)],
});
const at = (facts: Facts): Evaluation => evaluationOf(facts, POLICY);
const asks = (facts: Facts): boolean => at(facts).lookups.some((lookup) => lookup.kind === "timeline");
const removals = (facts: Facts) => desiredDisplay({ evaluation: at(facts), policy: POLICY, facts })?.removeLabels;

describe("a label", () => {
  const flicker = [labeled(5, QA, cleo), unlabeled(5, QA, cleo), labeled(5, QA, cleo)];
  const heard = history(
    opened(),
    ...flicker.map((deed) => seen(5, deed, { labels: deed.kind === "labeled" ? [QA] : [] })),
  );

  test("put on, off and on again in one second is asked about, and counts once GitHub says so", () => {
    expect(asks(heard)).toBe(true);
    expect(removals(heard)).toEqual([]);
    const told = record(heard, timeline(flicker, { labels: [QA] }));
    expect(told.labels).toEqual([QA]);
    expect(asks(told)).toBe(false);
    expect(at(told)).toMatchObject({ stage: "b", entries: [{}, { at: minute(5) }] });
  });

  test("put on and off in one second is off", () => {
    const told = record(heard, timeline(flicker.slice(0, 2), { labels: [] }));
    expect(told.labels).toEqual([]);
    expect(at(told).stage).toBe("a");
  });

  test("given again in the second in which it was taken off, after a reset, counts", () => {
    const deeds = [unlabeled(6, QA, alice), labeled(6, QA, cleo)];
    const before = history(opened(), did(labeled(3, QA, cleo), PUSHED, ...deeds));
    expect(asks(before)).toBe(true);
    const told = record(
      before,
      timeline(deeds, { labels: [QA], head: { sha: NEXT, ref: "task-7", repositoryId: 100 } }),
    );
    expect(at(told).stage).toBe("b");
    expect(removals(told)).toEqual([]);
  });

  test("seen to be gone by us after the reset, and on it now, was given again", () => {
    const reset = `push:${act(PUSHED).id}`;
    const head = { sha: NEXT, ref: "task-7", repositoryId: 100 };
    const gone: Change = {
      ...{ pull, kind: "snapshot", acts: [], checks: null, files: null, headAt: null },
      state: state({ updatedAt: minute(5), head, labels: [] }),
      removed: { labels: [QA], after: [reset] },
    };
    const deeds = [labeled(5, QA, cleo), PUSHED];
    const before = history(opened(), did(...deeds), gone);
    expect(asks(before)).toBe(true);
    // GitHub's timeline tells nothing of that second.
    const told = record(before, {
      ...timeline(deeds, { labels: [QA], head }),
      orders: ordersOf([], [minute(5)], before.acts),
    } as Change);
    expect(at(told)).toMatchObject({ stage: "b", unclear: [] });
    expect(removals(told)).toEqual([]);
    const without = { ...told, absences: [] };
    expect(at(without)).toMatchObject({ stage: "a", unclear: [{ label: QA, at: minute(5) }] });
    expect(removals(without)).toEqual([QA]);
  });

  test("given by two in one second is nobody's until GitHub says whose", () => {
    const deeds = [labeled(5, QA, cleo), unlabeled(5, QA, bob), labeled(5, QA, bob)];
    const facts = history(opened({ labels: [QA] }), did(...deeds));
    expect(facts.acts.find((each) => each.kind === "labeled")?.by).toEqual(SEVERAL);
    expect(asks(facts)).toBe(true);
    expect(at(facts).stage).toBe("a");
    expect(at(record(facts, timeline(deeds, { labels: [QA] }))).stage).toBe("a");
    const own = [deeds[2], deeds[1], deeds[0]].filter((each) => each !== undefined);
    expect(at(record(facts, timeline(own, { labels: [QA] }))).stage).toBe("b");
    const untold = record(facts, {
      ...timeline(deeds, { labels: [QA] }),
      orders: ordersOf([], [minute(5)], facts.acts),
    } as Change);
    expect(at(untold)).toMatchObject({ stage: "a", unclear: [{ label: QA, what: "who gave it last" }] });
    expect(removals(untold)).toEqual([QA]);
  });

  test("in rows written before orders were kept has an unknown order, which is asked for", () => {
    const facts = history(opened({ labels: [QA] }), did(labeled(5, QA, cleo), PUSHED));
    const { orders: _, absences: __, ...old } = facts;
    expect(asks(old)).toBe(true);
    expect(at(old).stage).toBe("a");
  });
});

describe("a push and a label in one second", () => {
  const head = { sha: NEXT, ref: "task-7", repositoryId: 100 };
  const both = history(opened(), did(labeled(5, QA, cleo), PUSHED));

  test("count as if the push had come last, until it is known", () => {
    expect(at(both)).toMatchObject({ stage: "a" });
    expect(at(both).stages[1]?.result.reason).toContain("GitHub does not say which came first");
    // Nothing is taken off while GitHub is still to be asked.
    expect(removals(both)).toEqual([]);
  });

  test.each([
    ["the push was first", [PUSHED, labeled(5, QA, cleo)], "b", []],
    ["the label was first", [labeled(5, QA, cleo), PUSHED], "a", [QA]],
  ] as const)("count in GitHub's order: %s", (_, deeds, stage, gone) => {
    const told = record(both, timeline(deeds, { labels: [QA], head }));
    expect(asks(told)).toBe(false);
    expect(at(told).stage).toBe(stage);
    expect(removals(told)).toEqual(gone);
  });
});

describe("in one second", () => {
  test.each([
    ["made ready and a draft again", [readied, drafted], true, null],
    ["made a draft and ready again", [drafted, readied], false, "a"],
  ] as const)("it was %s", (_, deeds, draft, stage) => {
    const heard = history(opened(), did(labeled(3, QA, cleo), ...deeds));
    expect(asks(heard)).toBe(true);
    expect(heard.draft).toBe(true);
    const told = record(heard, timeline(deeds, { draft, labels: [QA] }));
    expect(told.draft).toBe(draft);
    expect(at(told).stage).toBe(stage);
  });

  const hold = comment(5, alice, "hold", "wait");
  const unhold: ActWithoutId = {
    kind: "command",
    at: minute(5),
    by: alice,
    commentId: "9999",
    command: "unhold",
    argument: "",
  };
  test.each([
    ["held and freed", [hold, unhold], false],
    ["freed and held", [unhold, hold], true],
  ] as const)("it was %s", (_, deeds, held) => {
    const heard = history(opened(), did(...deeds));
    expect(asks(heard)).toBe(true);
    expect(at(heard).held).not.toBeNull();
    expect(at(record(heard, timeline(deeds))).held !== null).toBe(held);
  });

  test.each([
    ["held before the label was given", [hold, labeled(5, QA, cleo)], "a"],
    ["held after the label was given", [labeled(5, QA, cleo), hold], "b"],
  ] as const)("it was %s", (_, deeds, stage) => {
    const heard = history(opened(), did(...deeds));
    expect(asks(heard)).toBe(true);
    expect(at(heard)).toMatchObject({ stage: "a", held: { at: minute(5) } });
    expect(at(record(heard, timeline(deeds, { labels: [QA] })))).toMatchObject({ stage, held: { at: minute(5) } });
  });

  test("the label of one stage and the approval of the next belong together, whichever came first", () => {
    const deeds = [review(5, bob, "approved"), labeled(5, QA, cleo)];
    expect(at(history(opened(), did(...deeds)))).toMatchObject({ stage: "c", lookups: [] });
  });
});

test.each([
  ["b", ["pushed", "labeled"]],
  ["a", ["labeled", "pushed"]],
] as const)("a file of facts tells what happened in one second in order: %s", (stage, order) => {
  const deeds = {
    pushed: { do: "pushed", at: "5m", by: "rex[bot]", sha: "bbbbbbb2" },
    labeled: { do: "labeled", at: "5m", by: "cleo[bot]", label: QA },
  };
  const { facts, people } = readFactsFile({
    pull: { number: 7, author: "rex[bot]", head: "aaaaaaa1", opened_at: "2026-03-02T09:00:00Z" },
    acts: order.map((each) => deeds[each]),
  });
  const answer = people.answer.bind(people);
  const told = simulatePolicy({ policy: POLICY, facts, before: null, answer });
  expect(told).toMatchObject({ evaluation: { stage }, unknown: [] });
});

describe("any order of hearing of a history with several acts in one second", () => {
  const who = fc.constantFrom(alice, bob, cleo, rex, lead);
  type Step = "label" | "unlabel" | "push" | "draft" | "ready" | "hold" | "unhold" | "approve";
  const step = fc.record({
    what: fc.constantFrom<Step>("label", "unlabel", "label", "push", "draft", "ready", "hold", "unhold", "approve"),
    by: who,
    /** Whether the clock goes on before it. */
    next: fc.boolean(),
  });

  /** What GitHub would do: what is not possible in a state is left out. */
  function play(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
    let now = state();
    let second = 1;
    const deeds: ActWithoutId[] = [];
    const changes: Change[] = [opened()];
    for (const [index, { what, by, next }] of steps.entries()) {
      second += next ? 1 : 0;
      const when = minute(0) + second * 1_000;
      const on = now.labels.includes(QA);
      const sha = `${index}`.padStart(7, "f");
      const deed: ActWithoutId | null =
        what === "label" && !on
          ? { kind: "labeled", at: when, by, label: QA }
          : what === "unlabel" && on
            ? { kind: "unlabeled", at: when, by, label: QA }
            : what === "push"
              ? { kind: "pushed", at: when, by, before: now.head.sha, sha, forced: false }
              : what === "draft" && !now.draft
                ? { kind: "drafted", at: when, by }
                : what === "ready" && now.draft
                  ? { kind: "readied", at: when, by }
                  : what === "hold" || what === "unhold"
                    ? { kind: "command", at: when, by, commentId: `${100 + index}`, command: what, argument: "" }
                    : what === "approve"
                      ? {
                          kind: "review",
                          at: when,
                          by,
                          reviewId: `${100 + index}`,
                          state: "approved",
                          sha: now.head.sha,
                        }
                      : null;
      if (deed === null) {
        continue;
      }
      deeds.push(deed);
      now = {
        ...now,
        updatedAt: when,
        labels: deed.kind === "labeled" ? [QA] : deed.kind === "unlabeled" ? [] : now.labels,
        draft: deed.kind === "drafted" || (deed.kind !== "readied" && now.draft),
        head: deed.kind === "pushed" ? { ...now.head, sha: deed.sha } : now.head,
      };
      changes.push(deed.kind === "command" ? did(deed) : { pull, kind: "observed", state: now, acts: [act(deed)] });
    }
    return { now, deeds, changes };
  }

  const story = fc.array(step, { minLength: 2, maxLength: 9 }).chain((steps) => {
    const played = play(steps);
    return fc.record({
      played: fc.constant(played),
      order: fc.shuffledSubarray(played.changes, { minLength: played.changes.length }),
      place: fc.nat(played.changes.length),
    });
  });

  test("leads to the same facts and the same stage, and to what GitHub shows", () => {
    fc.assert(
      fc.property(story, ({ played: { now, deeds, changes }, order, place }) => {
        fc.pre(deeds.length > 0);
        const read = timeline(deeds, now);
        const inTurn = history(...changes, read);
        const mixed = history(...order.slice(0, place), read, ...order.slice(place));
        expect(mixed).toEqual(inTurn);
        expect(mixed).toMatchObject({ labels: now.labels, draft: now.draft, head: { sha: now.head.sha } });
        expect(at(mixed)).toEqual(at(inTurn));
        expect(asks(mixed)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("and never grants more before the order is known than after", () => {
    fc.assert(
      fc.property(story, ({ played: { now, deeds, changes }, order }) => {
        fc.pre(deeds.length > 0);
        const heard = history(...order);
        const told = history(...changes, timeline(deeds, now));
        const stageOf = (facts: Facts): number =>
          POLICY.stages.findIndex(
            (stage) => stage.name === at({ ...facts, labels: now.labels, draft: now.draft }).stage,
          );
        expect(stageOf(heard)).toBeLessThanOrEqual(stageOf(told));
      }),
      { numRuns: 300 },
    );
  });
});
