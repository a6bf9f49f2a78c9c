import { describe, expect, it } from "vitest";
import { evaluate } from "../../../src/lifecycle/evaluation/evaluate.ts";
import type { Evaluation, Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { actorKey } from "../../../src/lifecycle/evaluation/permissions.ts";
import type { ActWithoutId } from "../../../src/lifecycle/facts/change.ts";
import { type Actor, type Facts, NO_PERMISSIONS, type Reset } from "../../../src/lifecycle/facts/facts.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
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
  lead,
  minute,
  OUR_APP_ID,
  opened,
  openedThen,
  outsider,
  permissions,
  pushed,
  ran,
  review,
  rex,
  suite,
  tess,
  withSuites,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const POLICY = policyOf(`
operators: [lead]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { label: to-b }, max_age: 2h, back: { when: { command: redo }, to: a } }
  - { name: c, enter: { label: to-c } }
on_push: { back_to: b }
`);
const toB = labeled(1, "to-b", alice);
const toC = labeled(2, "to-c", alice);

describe("a pull request of which nothing is known", () => {
  it("is in no stage, with what would have to be known", () => {
    const policy = policyOf("stages: [{ name: a, when: { paths: x }, enter: { draft: false } }]\n");
    expect(evaluationOf(history(did(labeled(1, "x", alice))), policy)).toEqual({
      stage: null,
      inactive: "unknown",
      entries: [],
      stages: [],
      notApplying: [],
      missing: null,
      lookups: [{ kind: "files" }],
      resets: [],
      usedLabels: [],
      people: false,
      since: null,
      dueAt: null,
      rounds: 0,
      held: null,
      unclear: [],
    });
  });
});

describe("what is said of it", () => {
  it("the app's own resets and those that follow from acts, by date, then by id", () => {
    const own = (id: string, n: number): Reset => ({
      ...{ id, stage: "a", head: "", at: minute(n) },
      ...{ by: alice, why: "command", note: "" },
    });
    const facts = { ...openedThen(pushed(4, "aaaaaaa1", "b", alice)), resets: [own("z", 9), own("b", 5), own("a", 5)] };
    expect(evaluationOf(facts, POLICY).resets.map(({ id }) => id)).toEqual([
      expect.stringMatching(/^push:/),
      "a",
      "b",
      "z",
    ]);
  });

  it.each<[string, readonly ActWithoutId[], Parameters<typeof opened>[0], Partial<Evaluation>]>([
    [
      "in the first stage",
      [],
      {},
      {
        stage: "a",
        inactive: null,
        since: minute(0),
        dueAt: null,
        missing: { stage: "b", summary: expect.any(String) },
      },
    ],
    ["in one with an age", [toB], {}, { stage: "b", since: minute(1), dueAt: minute(121) }],
    [
      "sent back into it since",
      [toB, toC, pushed(5, "aaaaaaa1", "b", alice)],
      {},
      { stage: "b", since: minute(5), dueAt: minute(125) },
    ],
    ["in the last", [toB, toC], {}, { stage: "c", missing: null, dueAt: null, rounds: 0 }],
    [
      "a draft",
      [toB],
      { draft: true },
      {
        stage: null,
        inactive: "draft",
        since: null,
        dueAt: null,
        missing: { stage: "a", summary: expect.any(String) },
      },
    ],
    ["closed", [toB], { state: "closed" }, { stage: null, inactive: "closed", missing: null, since: null }],
    [
      "opted out",
      [toB],
      { labels: ["Stagewright/Off"] },
      { stage: null, inactive: "opted_out", missing: null, entries: [] },
    ],
    ["sent back by a rule", [toB, comment(2, bob, "redo"), comment(3, bob, "redo")], {}, { stage: "a", rounds: 1 }],
  ])("%s", (_, deeds, state, expected) => {
    expect(evaluationOf(history(opened(state), did(...deeds)), POLICY)).toMatchObject(expected);
  });

  it("in no stage though it is no draft, its conditions do not hold", () => {
    const policy = policyOf("stages: [{ name: a, enter: { label: x } }]\n");
    expect(evaluationOf(openedThen(), policy)).toMatchObject({
      stage: null,
      inactive: "conditions",
      missing: { stage: "a" },
    });
    expect(evaluationOf(history(opened({ draft: true })), policy)).toMatchObject({ inactive: "draft" });
  });

  it("stages as far as it has come, and those that do not exist for it", () => {
    const policy = policyOf(`stages:
  - { name: a, gate: true, enter: { draft: false } }
  - { name: b, gate: true, when: { base: dev }, enter: { draft: false } }
  - { name: c, when: { not: { base: dev } }, enter: { label: x } }
  - { name: d, when: { paths: x }, enter: { label: x } }
`);
    const found = evaluationOf(openedThen(), policy);
    expect(found.stages.map(({ name, gate, reached }) => [name, gate, reached])).toEqual([
      ["a", true, true],
      ["c", false, false],
      ["d", false, false],
    ]);
    expect(found.notApplying).toEqual([{ name: "b", gate: true, reason: "it goes into main, not into dev" }]);
    expect(found.lookups).toEqual([{ kind: "files" }]);
  });
});

describe("on hold", () => {
  const hold = (overrides: Partial<Hold>): Hold => ({
    why: "repository",
    at: minute(1),
    by: lead,
    reason: "freeze",
    ...overrides,
  });
  const where = (repositoryHold: Hold | null, ...deeds: ActWithoutId[]) =>
    evaluate({ facts: openedThen(...deeds), policy: POLICY, permissions, ourAppId: OUR_APP_ID, repositoryHold });

  it("of the repository it goes no further from that second on", () => {
    expect(where(hold({}), toB)).toMatchObject({
      stage: "a",
      held: hold({}),
      missing: { stage: "b", summary: "on hold by lead: freeze" },
    });
    expect(where(hold({ at: minute(2) }), toB, toC)).toMatchObject({ stage: "b", held: { at: minute(2) } });
    expect(where(hold({ at: minute(0) }), toB)).toMatchObject({ stage: "a", entries: [{ stage: "a" }] });
    expect(where(null, toB)).toMatchObject({ stage: "b", held: null });
    expect(where(hold({ by: null, reason: "" }), toB).missing?.summary).toBe("on hold by the policy");
    expect(where(hold({})).missing?.summary).toMatch(/^label to-b is missing/);
  });

  it("by two the earlier one counts", () => {
    const own = comment(3, alice, "hold", "own");
    expect(where(hold({ at: minute(4) }), own).held).toMatchObject({ why: "command", reason: "own", at: minute(3) });
    expect(where(hold({ at: minute(2) }), own).held).toMatchObject({ why: "repository", at: minute(2) });
  });
});

describe("what would have to be known", () => {
  it("is asked once of each", () => {
    const policy = policyOf(`stages:
  - name: a
    enter:
      any:
        - { label: { name: x, by: ["@org/new", "@org/newer", zoe] } }
        - { label: { name: y, by: ["@org/new", yan] } }
        - approvals: 2
        - { checks: "c*" }
        - { paths: x }
        - { only_paths: y }
        - { workflow: qa.yml }
        - { workflow: own.yml }
    on_enter: [{ start: own.yml }]
`);
    const stranger: Actor = { kind: "user", id: 999, login: "stranger" };
    const facts = withSuites(
      history(
        opened(),
        checked(check(1, { name: "c1" })),
        did(
          labeled(1, "x", alice),
          labeled(2, "y", alice),
          labeled(3, "x", bob),
          review(4, stranger, "approved"),
          review(4, { ...stranger, id: 998 }, "approved"),
        ),
      ),
      [suite("1")],
    );
    const runs: Facts = {
      ...history(opened(), did(ran(5, "qa.yml", "success"), ran(6, "own.yml", "success"), ran(7, "qa.yml", "success"))),
      runOrigins: [],
    };
    const asked = (of: Facts) =>
      evaluationOf({ ...of, suites: [] }, policy, { ...permissions, identities: {} }).lookups.map((lookup) =>
        [
          lookup.kind,
          ...Object.values(lookup)
            .slice(1)
            .map((each) => (typeof each === "object" ? actorKey(each) : `${each}`)),
        ].join(" "),
      );
    expect(asked(facts)).toEqual([
      "team org/new user:21",
      "team org/newer user:21",
      "identity zoe",
      "team org/new user:22",
      "team org/newer user:22",
      "identity yan",
      "permission user:998",
      "permission user:999",
      "suites aaaaaaa1",
      "files",
    ]);
    expect(asked(runs).filter((each) => each.startsWith("run "))).toEqual([
      "run 5 aaaaaaa1 qa.yml false",
      "run 7 aaaaaaa1 qa.yml false",
      "run 6 aaaaaaa1 own.yml true",
    ]);
  });

  it("is the order of a second, where it matters", () => {
    const push = pushed(5, "aaaaaaa1", "b", rex);
    const asked = (...deeds: ActWithoutId[]) =>
      evaluationOf(openedThen(...deeds), POLICY).lookups.filter(({ kind }) => kind === "timeline");
    const second = [{ kind: "timeline", at: minute(5) }];
    expect(asked(labeled(5, "to-b", alice), push)).toEqual(second);
    expect(asked(labeled(5, "stage/b", alice), push)).toEqual([]);
    expect(asked(labeled(5, "Stage/b", alice), push)).toEqual([]);
    expect(asked(labeled(5, "stage/b", lead), push)).toEqual(second);
    expect(asked(labeled(5, "my-stage/", alice), push)).toEqual(second);
    expect(
      asked(labeled(5, "stage/b", lead), { kind: "unlabeled", at: minute(5), by: lead, label: "stage/b" }),
    ).toEqual([]);
  });
});

describe("whether it rests on what people may do", () => {
  const people = (enter: string, ...deeds: ActWithoutId[]) =>
    evaluationOf(openedThen(...deeds), policyOf(`stages: [{ name: a, enter: ${enter} }]\n`)).people;

  it.each<[string, ActWithoutId[], boolean]>([
    ["{ draft: false }", [], false],
    ["{ label: x }", [], false],
    ["{ label: x }", [labeled(1, "x", alice)], true],
    ["{ label: x }", [labeled(1, "x", tess)], false],
    ["{ label: { name: x, by: alice } }", [labeled(1, "x", alice)], false],
    ['{ label: { name: x, by: [bob, "@org/leads"] } }', [labeled(1, "x", alice)], true],
    ['{ label: { name: x, by: ["@org/leads"] } }', [labeled(1, "x", tess)], false],
  ])("%s", (enter, deeds, rests) => {
    expect(people(enter, ...deeds)).toBe(rests);
  });
});

it("without permissions nothing that rests on people holds", () => {
  const of = (policy: Policy, facts: Facts) => evaluationOf(facts, policy, NO_PERMISSIONS);
  expect(of(POLICY, openedThen(toB, comment(2, outsider, "redo")))).toMatchObject({ stage: "a", rounds: 0 });
});
