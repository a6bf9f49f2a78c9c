import { expect, test } from "vitest";
import { missingAccounts, namesAny, namesOf } from "../../../src/lifecycle/policy/named-accounts.ts";
import { policyOf, readExample } from "../policies.ts";

test("everyone whom a policy names is asked about, once", () => {
  expect(namesOf(readExample("three-bots"))).toEqual([
    "rex[bot]",
    "cleo[bot]",
    "@org/quality",
    "tess[bot]",
    "@org/testing",
    "@org/leads",
  ]);
});

test("who is nobody is said with where he is named, and where nobody is left", () => {
  const policy = policyOf(`
operators: [carol]
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, owner: dora, enter: { label: { name: x, by: [carol, alice] }, author: carol } }
  - { name: c, enter: { not: { any: [{ approvals: { by: ["@org/void"] } }] } } }
`);
  expect(missingAccounts(policy, { carol: "missing", alice: "there", "@org/void": "hidden", dora: "blind" })).toEqual([
    "There is no user carol: named in label of b, author of b, operators; nobody is left for author of b, operators",
    "The user dora cannot see this repository: named in owner of b; nobody is left for owner of b",
    "GitHub does not tell the app who is in @org/void (it has to be installed there, with members: read): named in approvals of c; nobody is left for approvals of c",
  ]);
  expect(missingAccounts(policy, {})).toEqual([]);
});

test("a team that was not given the repository counts, but where it is asked for a review", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { approvals: { by: ["@org/qa"] } }, on_enter: [{ request_review: [alice, "@org/qa"] }] }
`);
  expect(missingAccounts(policy, { "@org/qa": "not_given" })).toEqual([
    "The team @org/qa was not given this repository, and GitHub asks no such team for a review: named in request_review of b; it counts for nothing there",
  ]);
  expect(missingAccounts(policy, { "@org/qa": "not_given", alice: "missing" })).toEqual([
    "The team @org/qa was not given this repository, and GitHub asks no such team for a review: named in request_review of b; nobody is left for request_review of b",
    "There is no user alice: named in request_review of b; nobody is left for request_review of b",
  ]);
});

test("of a name that a language has for its own nothing is known either", () => {
  const policy = policyOf("operators: [constructor]\nstages: [{ name: a, enter: { draft: false } }]\n");
  expect(missingAccounts(policy, {})).toEqual([]);
  expect(missingAccounts(policy, Object.fromEntries([["constructor", "missing"]] as const))).toHaveLength(1);
});

test("all that is done asks for reviews, on the way back and when it is overdue, too", () => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false }, on_enter: [{ request_review: u1 }], on_back: [{ request_review: u2 }] }
  - { name: b, enter: { label: x }, max_age: 1d, on_overdue: [{ request_review: "@org/t" }] }
on_push: { except: { by: u3 } }
`);
  expect(namesOf(policy)).toEqual(["u1", "u2", "@org/t", "u3"]);
  expect(missingAccounts(policy, { "@org/t": "missing", u3: "missing" })).toEqual([
    "There is no team @org/t, or the app may not see it: named in request_review of b; nobody is left for request_review of b",
    "There is no user u3: named in on_push.except; nobody is left for on_push.except",
  ]);
});

test("no more than sixty are asked about", () => {
  const names = Array.from({ length: 61 }, (_, n) => `u${n}`);
  const stage = (name: string, by: readonly string[]) => `{ name: ${name}, enter: { author: [${by.join(", ")}] } }`;
  const policy = policyOf(
    `stages: [${stage("a", names.slice(0, 20))}, ${stage("b", names.slice(20, 40))}, ${stage("c", names.slice(40))}]\n`,
  );
  expect(namesOf(policy)).toEqual(names.slice(0, 60));
});

test.each([
  ["@ORG/qa", true],
  ["@org/", true],
  ["@org/q", false],
  ["@other/", false],
  ["Alice", true],
  ["bob", false],
  [null, true],
])("whether a policy names %s", (name, named) => {
  const policy = policyOf(`
stages:
  - { name: a, enter: { draft: false } }
  - { name: b, enter: { approvals: { by: ["@org/QA", alice] } } }
`);
  expect(namesAny(policy, name)).toBe(named);
});
