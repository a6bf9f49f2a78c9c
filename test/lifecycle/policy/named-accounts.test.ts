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
