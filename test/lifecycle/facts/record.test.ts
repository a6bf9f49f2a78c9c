import fc from "fast-check";
import { expect, test } from "vitest";
import { act, type Change, UNKNOWN_ACTOR } from "../../../src/lifecycle/facts/change.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { MOST_ACTS } from "../../../src/lifecycle/facts/prune.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { sameFacts } from "../../../src/lifecycle/facts/same-facts.ts";
import {
  alice,
  bob,
  check,
  checked,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  minute,
  opened,
  outsider,
  pull,
  pushed,
  review,
  rex,
  state,
  tess,
  unlabeled,
} from "../builders.ts";

/** A webhook that carries the pull request as it was then. */
function observed(overrides: Parameters<typeof state>[0], ...deeds: Parameters<typeof act>[0][]): Change {
  return { pull, kind: "observed", state: state(overrides), acts: deeds.map(act) };
}

function permutations<T>(list: readonly T[]): T[][] {
  return list.length === 0
    ? [[]]
    : list.flatMap((item, index) => permutations(list.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

const pushedHead = { sha: "bbbbbbb2", ref: "task-7", repositoryId: 100 };
const SHORT_HISTORY: readonly Change[] = [
  opened(),
  observed({ labels: ["ready-for-qa"], updatedAt: minute(1) }, labeled(1, "ready-for-qa", alice)),
  observed({ labels: ["ready-for-qa"], updatedAt: minute(2) }, review(2, bob, "approved")),
  observed(
    { labels: ["ready-for-qa"], updatedAt: minute(3), head: pushedHead },
    pushed(3, "aaaaaaa1", "bbbbbbb2", rex),
  ),
  checked(check(4, { sha: "bbbbbbb2" })),
  observed({ labels: [], updatedAt: minute(5), head: pushedHead }, unlabeled(5, "ready-for-qa", alice)),
];

test("all orders of a short history, each event doubled or not, end in the same facts and the same stage", () => {
  const expected = history(...SHORT_HISTORY);
  expect(evaluationOf(expected).stage).toBe("pr-created");
  for (const [index, order] of permutations(SHORT_HISTORY).entries()) {
    // Every choice of doubled events comes up among the orders; the double comes at the end, at the latest moment.
    const doubled = order.filter((_, place) => ((index >> (place % 6)) & 1) === 1);
    const facts = history(...order, ...doubled);
    expect(facts).toEqual(expected);
  }
});

test("every doubling of every order of the same second ends in the same facts", () => {
  const at = { updatedAt: minute(1) };
  const same = [
    opened(),
    observed({ ...at, labels: ["a"] }, labeled(1, "a", alice)),
    observed({ ...at, labels: ["a", "b"] }, labeled(1, "b", bob)),
    observed({ ...at, labels: ["b"] }, unlabeled(1, "a", bob)),
    checked(check(1), check(1, { status: "in_progress", conclusion: null }), check(1, { conclusion: "failure" })),
  ];
  const expected = history(...same);
  for (const order of permutations(same)) {
    for (let mask = 0; mask < 32; mask += 1) {
      const doubled = order.flatMap((change, place) => ((mask >> place) & 1 ? [change, change] : [change]));
      expect(history(...doubled)).toEqual(expected);
    }
  }
  expect(expected.labels).toEqual(["b"]);
});

const shas = ["aaaaaaa1", "bbbbbbb2", "ccccccc3"];
const anyone = fc.constantFrom(alice, bob, rex, tess);
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ n: fc.nat(9), by: anyone, label: fc.constantFrom("ready-for-qa", "x", "stage/approved") })
    .map(({ n, by, label }) => did(labeled(n, label, by))),
  fc.record({ n: fc.nat(9), by: anyone }).map(({ n, by }) => did(unlabeled(n, "ready-for-qa", by))),
  fc
    .record({ n: fc.nat(9), by: anyone, sha: fc.constantFrom(...shas), ok: fc.boolean() })
    .map(({ n, by, sha, ok }) => did(review(n, by, ok ? "approved" : "changes_requested", sha))),
  fc
    .record({ n: fc.nat(9), to: fc.integer({ min: 1, max: 2 }), by: anyone })
    .map(({ n, to, by }) =>
      observed(
        { updatedAt: minute(n), head: { ...pushedHead, sha: shas[to] ?? "" } },
        pushed(n, shas[to - 1] ?? "", shas[to] ?? "", by),
      ),
    ),
  fc
    .record({
      n: fc.nat(9),
      sha: fc.constantFrom(...shas),
      draft: fc.boolean(),
      labels: fc.subarray(["ready-for-qa", "x"]),
      later: fc.option(fc.nat(3)),
    })
    .map(
      ({ n, sha, draft, labels, later }): Change => ({
        ...(later === null ? {} : { asOf: minute(n + later) }),
        pull,
        kind: "snapshot",
        state: state({ updatedAt: minute(n), draft, labels, head: { ...pushedHead, sha } }),
        acts: [],
        checks: [check(n, { sha })],
        files: ["a"],
        headAt: null,
      }),
    ),
  fc
    .record({
      n: fc.nat(9),
      status: fc.constantFrom("queued", "in_progress", "completed"),
      sha: fc.constantFrom(...shas),
    })
    .map(({ n, status, sha }) =>
      checked(check(n, { sha, status, conclusion: status === "completed" ? "success" : null })),
    ),
  fc
    .record({ sha: fc.constantFrom(...shas), files: fc.subarray(["a", "b"]) })
    .map(({ sha, files }): Change => ({ pull, kind: "files", sha, baseRef: "main", files })),
);

test("whatever happened, its order and its doubles change nothing", () => {
  fc.assert(
    fc.property(
      fc
        .array(anyChange, { minLength: 1, maxLength: 14 })
        .chain((changes) =>
          fc.tuple(
            fc.constant(changes),
            fc.shuffledSubarray([...changes, ...changes], { minLength: 2 * changes.length }),
          ),
        ),
      ([changes, shuffled]) => {
        const expected = history(opened(), ...changes);
        const facts = history(...shuffled, opened());
        expect(facts).toEqual(expected);
        expect(evaluationOf(facts)).toEqual(evaluationOf(expected));
      },
    ),
    { numRuns: 300 },
  );
});

test("a change that tells nothing new leaves the facts as they are", () => {
  const facts = history(...SHORT_HISTORY);
  for (const change of SHORT_HISTORY) {
    expect(sameFacts(record(facts, change), facts)).toBe(true);
  }
});

test("an older payload never overwrites newer states", () => {
  const facts = history(
    opened({ title: "New", updatedAt: minute(9) }),
    observed({ title: "Old", updatedAt: minute(3) }),
  );
  expect(facts.title).toBe("New");
});

test("of two observations with one date a snapshot knows more", () => {
  const snapshot: Change = {
    pull,
    kind: "snapshot",
    state: state({ updatedAt: minute(3), title: "From the query" }),
    acts: [],
    checks: null,
    files: null,
    headAt: null,
  };
  const webhook = observed({ updatedAt: minute(3), title: "From the payload" });
  for (const order of permutations([opened(), webhook, snapshot])) {
    expect(history(...order).title).toBe("From the query");
  }
});

test("a label that is gone without a newer date stays gone, until it is given again", () => {
  const given = did(labeled(5, "ready-for-qa", alice));
  const gone: Change = { ...snapshotOf(5, "aaaaaaa1"), asOf: minute(8) };
  for (const order of permutations([opened(), given, gone])) {
    expect(history(...order).labels).toEqual([]);
  }
  expect(history(opened(), gone, given, did(labeled(9, "ready-for-qa", alice))).labels).toEqual(["ready-for-qa"]);
});

function snapshotOf(n: number, sha: string, headAt: number | null = null): Extract<Change, { kind: "snapshot" }> {
  return {
    pull,
    kind: "snapshot",
    state: state({ updatedAt: minute(n), head: { ...pushedHead, sha } }),
    acts: [],
    checks: null,
    files: ["a.ts"],
    headAt,
  };
}

const pushesOf = (facts: Facts) => facts.acts.filter((each) => each.kind === "pushed");

test("a push that nobody told of is found by its head, and counts as a push by nobody known", () => {
  const facts = history(opened(), did(labeled(5, "ready-for-qa", alice)), snapshotOf(9, "bbbbbbb2", minute(7)));
  expect(pushesOf(facts)).toEqual([
    expect.objectContaining({ before: "aaaaaaa1", sha: "bbbbbbb2", at: minute(7), by: UNKNOWN_ACTOR }),
  ]);
  expect(evaluationOf(facts).stage).toBe("pr-created");
});

test("the real push, heard of later, takes the place of the one that was found", () => {
  const real = did(pushed(6, "aaaaaaa1", "bbbbbbb2", rex));
  const facts = history(opened(), snapshotOf(9, "bbbbbbb2"), real);
  expect(pushesOf(facts)).toEqual([expect.objectContaining({ at: minute(6), by: rex })]);
  expect(facts).toEqual(history(opened(), real, snapshotOf(9, "bbbbbbb2")));
});

test("the head with which it was opened was not pushed to it", () => {
  expect(pushesOf(history(opened(), snapshotOf(9, "aaaaaaa1")))).toEqual([]);
  expect(pushesOf(history(snapshotOf(9, "aaaaaaa1")))).toEqual([]);
});

test("the list of changed files holds for its head only", () => {
  const before = history(opened(), snapshotOf(2, "aaaaaaa1"));
  expect(before.files).toEqual(["a.ts"]);
  expect(record(before, did(pushed(3, "aaaaaaa1", "bbbbbbb2", rex))).files).toBeNull();
});

test("a check keeps its last conclusion while it runs again", () => {
  const again = check(9, { status: "in_progress", conclusion: null });
  for (const order of permutations([check(5), again])) {
    const [fact] = history(opened(), ...order.map((each) => checked(each))).checks;
    expect(fact).toMatchObject({ status: "in_progress", lastConclusion: "success", lastConclusionAt: minute(5) });
  }
});

test("checks are kept of the newest heads, and of commits that may yet be pushed", () => {
  const shas = Array.from({ length: 40 }, (_, n) => `head-${String(n).padStart(2, "0")}`);
  const pushes = shas.map((sha, n) => observed({ updatedAt: minute(n + 1), head: { ...pushedHead, sha } }));
  const checks = shas.map((sha, n) => checked(check(n + 1, { sha })));
  const early = checked(check(60, { sha: "not-pushed-yet" }));
  const kept = [...shas.slice(-10), "not-pushed-yet"].sort();
  for (const order of [
    [...checks, ...pushes, early],
    [early, ...pushes, ...checks.toReversed()],
  ]) {
    expect(history(opened(), ...order).checks.map(({ sha }) => sha)).toEqual(kept);
  }
});

test("what somebody writes for other bots displaces nobody else's acts", () => {
  const words = Array.from({ length: MOST_ACTS + 500 }, (_, n) => comment(n + 10, outsider, `word-${n}`));
  const kept = [labeled(1, "ready-for-qa", alice), comment(2, alice, "secure"), comment(3, outsider, "hold")];
  const facts = history(opened(), did(...kept, ...words));
  expect(facts.acts).toHaveLength(MOST_ACTS);
  expect(facts.acts.slice(1, 4)).toMatchObject(kept);
});

test("a history is bounded, and what was replaced goes first", () => {
  const noise = Array.from({ length: MOST_ACTS + 500 }, (_, n) =>
    n % 2 === 0 ? labeled(n + 10, "flapping", alice) : unlabeled(n + 10, "flapping", alice),
  );
  const facts = history(opened(), did(labeled(1, "ready-for-qa", alice), ...noise));
  expect(facts.acts).toHaveLength(MOST_ACTS);
  expect(facts.acts[0]?.kind).toBe("opened");
  expect(evaluationOf(facts).stage).toBe("ready-for-qa");
});

test("facts are the same whatever the order of their members, and another where anything in them is", () => {
  const facts = history(opened(), did(labeled(1, "a", alice)), checked(check(1)));
  const copy: Facts = JSON.parse(JSON.stringify(facts), (_, value) =>
    Object.prototype.toString.call(value) === "[object Object]"
      ? Object.fromEntries(Object.entries(value).reverse())
      : value,
  );
  expect(sameFacts(facts, { ...copy, absences: undefined } as never)).toBe(true);
  const [first, ...rest] = copy.acts;
  const others: Partial<Facts>[] = [
    { title: "Other" },
    { acts: rest },
    { acts: [...copy.acts, ...rest] },
    { acts: first === undefined ? [] : [{ ...first, at: first.at + 1 }, ...rest] },
    { files: [] },
    { heads: { ...copy.heads, other: 1 } },
    { absences: [] },
  ];
  for (const other of others) {
    expect(sameFacts(facts, { ...copy, ...other })).toBe(false);
    expect(sameFacts({ ...copy, ...other }, facts)).toBe(false);
  }
});
