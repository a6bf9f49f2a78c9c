import { describe, expect, it } from "vitest";
import {
  actorKey,
  authorityOf,
  canChange,
  mayMaintain,
  orList,
  sameActor,
  whoMay,
} from "../../../src/lifecycle/evaluation/permissions.ts";
import type { Actor, Permissions } from "../../../src/lifecycle/facts/facts.ts";
import type { Condition } from "../../../src/lifecycle/policy/policy.ts";
import { alice, bob, evaluationOf, labeled, minute, openedThen, review, rex, unlabeled } from "../builders.ts";
import { policyOf } from "../policies.ts";

const nobody: Actor = { kind: "user", id: 0, login: "unknown" };
const known = (
  levels: Permissions["levels"],
  teams: Permissions["teams"] = {},
  identities: Permissions["identities"] = {},
): Permissions => ({ levels, teams, identities });

describe("who may", () => {
  it("is nobody where nobody is named", () => {
    expect(authorityOf(alice, [], known({ "user:21": "admin" }))).toMatchObject({
      ...{ truth: "no", reason: "is not named, as nobody is" },
    });
  });

  it.each<[Permissions["levels"], string]>([
    [{ "user:21": "none" }, "no"],
    [{ "user:21": "read" }, "no"],
    [{ "user:21": "triage" }, "no"],
    [{ "user:21": "write" }, "yes"],
    [{ "user:21": "maintain" }, "yes"],
    [{ "user:21": "admin" }, "yes"],
    [{ "user:21": null }, "unknown"],
    [{}, "unknown"],
    [{ "bot:21": "write" }, "unknown"],
  ])("write with %o: %s", (levels, truth) => {
    const asked = authorityOf(alice, null, known(levels));
    expect(asked.truth).toBe(truth);
    // What GitHub refuses to say is not asked for again.
    expect(asked.lookups).toEqual(
      truth === "unknown" && !("user:21" in levels) ? [{ kind: "permission", actor: alice }] : [],
    );
  });

  it("apps, and whom nobody knows, have no permission", () => {
    for (const who of [rex, nobody]) {
      expect(authorityOf(who, null, known({ [actorKey(who)]: "admin" }))).toMatchObject({ truth: "no", lookups: [] });
      expect(mayMaintain(who, known({ [actorKey(who)]: "admin" }))).toMatchObject({ truth: "no", lookups: [] });
    }
    expect(authorityOf(nobody, ["unknown"], known({}, {}, { unknown: nobody }))).toMatchObject({
      truth: "no",
      lookups: [],
    });
    expect(authorityOf(nobody, ["zoe", "@org/team"], known({}))).toEqual({
      truth: "no",
      reason: "is not known",
      lookups: [],
    });
  });

  it.each<[Permissions["levels"], string]>([
    [{ "user:21": "write" }, "no"],
    [{ "user:21": "maintain" }, "yes"],
    [{ "user:21": "admin" }, "yes"],
    [{ "user:21": null }, "unknown"],
    [{}, "unknown"],
  ])("maintain with %o: %s", (levels, truth) => {
    expect(mayMaintain(alice, known(levels)).truth).toBe(truth);
  });

  it.each<[string, Actor, readonly string[], Permissions, string, number]>([
    ["by name", alice, ["alice"], known({}, {}, { alice }), "yes", 0],
    ["by a name that is another's", alice, ["bob"], known({}, {}, { bob }), "no", 0],
    ["by a name that nobody has", alice, ["x"], known({}, {}, { x: null }), "no", 0],
    ["by a name not known yet", alice, ["x"], known({}), "unknown", 1],
    [
      "by the name of an app that is called so",
      rex,
      ["rex"],
      known({}, {}, { rex: { ...rex, kind: "user" } }),
      "no",
      0,
    ],
    ["in a team", alice, ["@o/t"], known({}, { "o/t": { "user:21": true } }), "yes", 0],
    ["not in a team", alice, ["@o/t"], known({}, { "o/t": { "user:21": false } }), "no", 0],
    ["of a team not known yet", alice, ["@o/t"], known({}, { "o/t": {} }), "unknown", 1],
    ["of a team that is secret", alice, ["@o/t"], known({}, { "o/t": { "user:21": null } }), "unknown", 0],
    ["an app and a team", rex, ["@o/t"], known({}), "no", 0],
    [
      "of a secret team, or by a name",
      alice,
      ["@o/t", "alice"],
      known({}, { "o/t": { "user:21": null } }, { alice }),
      "yes",
      0,
    ],
    ["of two that are not known", alice, ["@o/t", "x"], known({}), "unknown", 2],
    ["named, though more is not known", alice, ["x", "alice"], known({}, {}, { alice }), "yes", 0],
    ["where nobody is named", alice, [], known({ "user:21": "admin" }), "no", 0],
    ["called as Object's own", alice, ["constructor", "@o/toString"], known({}), "unknown", 2],
  ])("%s", (_what, who, names, permissions, truth, lookups) => {
    const asked = authorityOf(who, names, permissions);
    expect([asked.truth, asked.lookups.length]).toEqual([truth, lookups]);
  });

  it("may be another one day for users with a permission or in a team", () => {
    expect([
      canChange(alice, null),
      canChange(alice, ["bob", "@o/t"]),
      canChange(alice, ["bob"]),
      canChange(rex, null),
      canChange(rex, ["@o/t"]),
    ]).toEqual([true, true, false, false, false]);
  });

  it("is the same by kind and id, never an unknown one", () => {
    expect([
      sameActor(alice, { ...alice, login: "x" }),
      sameActor(alice, { ...alice, kind: "bot" }),
      sameActor(alice, bob),
      sameActor(nobody, nobody),
    ]).toEqual([true, false, false, false]);
  });

  it("is said as a list", () => {
    expect([orList([]), orList(["a"]), orList(["a", "b"]), orList(["a", "b", "c"])]).toEqual([
      "",
      "a",
      "a or b",
      "a, b or c",
    ]);
    expect([whoMay(null), whoMay([]), whoMay(["a"])]).toEqual(["someone with write permission", "nobody", "a"]);
  });
});

describe("a tree of conditions", () => {
  const label = (name: string): Condition => ({ kind: "label", name, by: null });
  const facts = openedThen(
    labeled(1, "one", alice),
    labeled(3, "three", bob),
    labeled(4, "gone", alice),
    unlabeled(5, "gone", alice),
  );
  /** Labels that are on it since a minute, and a draft that it is not. */
  const tree = (condition: Condition) => {
    const [stage] = policyOf("stages: [{ name: a, enter: { draft: false } }]").stages;
    if (stage === undefined) throw new Error("There is one.");
    const { result } = evaluationOf(facts, {
      ...policyOf("stages: [{ name: a, enter: { draft: false } }]"),
      stages: [{ ...stage, enter: condition }],
    }).stages[0] ?? { result: null };
    if (result === null) throw new Error("There is one stage.");
    return result;
  };
  const yes: Condition = { kind: "draft", draft: false };
  const no: Condition = { kind: "draft", draft: true };
  const unknown: Condition = { kind: "paths", patterns: ["a"] };

  it.each<[Condition, boolean, number | null]>([
    [{ kind: "all", of: [] }, true, null],
    [{ kind: "all", of: [label("one"), label("three")] }, true, 3],
    [{ kind: "all", of: [label("three"), label("one"), yes] }, true, 3],
    [{ kind: "all", of: [label("one"), label("gone")] }, false, null],
    [{ kind: "all", of: [label("one"), unknown] }, false, null],
    [{ kind: "any", of: [] }, false, null],
    [{ kind: "any", of: [label("three"), label("one")] }, true, 1],
    [{ kind: "any", of: [label("gone"), label("three"), unknown] }, true, 3],
    [{ kind: "any", of: [label("three"), yes] }, true, null],
    [{ kind: "any", of: [no, unknown] }, false, null],
    [{ kind: "not", of: no }, true, null],
    [{ kind: "not", of: label("one") }, false, null],
    [{ kind: "not", of: unknown }, false, null],
    [{ kind: "not", of: { kind: "any", of: [no, unknown] } }, false, null],
    [{ kind: "not", of: { kind: "all", of: [no, unknown] } }, true, null],
  ])("%o", (condition, holds, at) => {
    const result = tree(condition);
    expect([result.holds, result.at]).toEqual([holds, at === null ? null : minute(at)]);
    expect(result.condition).toBe(condition.kind);
  });

  it("has the reasons and the evidence of what decided", () => {
    expect(tree({ kind: "all", of: [label("one"), label("three")] })).toMatchObject({
      reason: "label one by alice; label three by bob",
      by: bob,
      evidence: [expect.stringContaining("one"), expect.stringContaining("three")],
    });
    expect(tree({ kind: "all", of: [yes, no] })).toMatchObject({
      reason: expect.stringMatching(/^it is not a draft$/),
      evidence: [],
      by: null,
    });
    expect(tree({ kind: "all", of: [] }).reason).toBe("nothing is asked for");
    expect(tree({ kind: "any", of: [label("one"), label("three")] })).toMatchObject({
      reason: "label one by alice",
      by: alice,
      evidence: [expect.stringContaining("one")],
    });
    expect(tree({ kind: "any", of: [no, label("gone")] })).toMatchObject({
      reason: expect.stringContaining("; or label gone is missing"),
      evidence: [],
    });
    expect(tree({ kind: "not", of: label("one") }).reason).toBe("this must not be: label one by alice");
    expect(tree({ kind: "not", of: no })).toMatchObject({
      reason: "it is not a draft",
      evidence: [],
      children: [{ condition: "a draft", holds: false }],
    });
  });
});

it("a review counts from the second in which it was given", () => {
  const policy = policyOf("stages: [{ name: a, enter: { approvals: 1 } }]");
  expect(evaluationOf(openedThen(review(2, bob, "approved")), policy).entries).toMatchObject([
    { stage: "a", at: minute(2), by: bob },
  ]);
});
