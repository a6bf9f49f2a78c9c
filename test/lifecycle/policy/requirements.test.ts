import { describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../../src/lifecycle/policy/default-policy.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import {
  environmentsOf,
  missingRequirements,
  type RepositorySetup,
  refusalOf,
} from "../../../src/lifecycle/policy/requirements.ts";
import { policyOf } from "../policies.ts";

const stage = (enter: string, more = "") =>
  policyOf(`version: 1\nstages:\n  - name: first\n    enter: ${enter}\n${more === "" ? "" : `    ${more}\n`}`);

const ENOUGH = { checks: "write", contents: "read", issues: "read", metadata: "read", pull_requests: "write" };
const EVENTS = ["pull_request", "push", "issue_comment", "label", "check_run"];
const circumstances = (overrides: Partial<RepositorySetup> = {}): RepositorySetup => ({
  granted: { permissions: ENOUGH, events: EVENTS },
  environments: {},
  private: false,
  branch: "main",
  reviewsRequired: 0,
  ...overrides,
});
const said = (policy: Policy, overrides: Partial<RepositorySetup> = {}) =>
  missingRequirements(policy, circumstances(overrides)).map(({ kind, text }) => `${kind}: ${text}`);

describe("what a policy needs and lacks", () => {
  it("is nothing where everything is granted", () => {
    expect(said(stage("{ draft: false }"))).toEqual([]);
    expect(said(stage("{ draft: false }"), { granted: null, reviewsRequired: null })).toEqual([]);
  });

  it.each([
    [
      "{ checks: [build] }",
      "",
      /^permission: The app lacks the permission statuses: read \(has: none\), needed by checks/,
    ],
    ["checks_pass", "", /^event: The app does not hear of status, needed by checks_pass/],
    ["{ workflow: qa.yml }", "", /^permission: .* actions: read .* needed by workflow/],
    ["{ workflow: qa.yml }", "", /^event: .* workflow_run, needed by workflow/],
    ["{ approvals: 1 }", "", /^event: .* pull_request_review, needed by approvals/],
    ['{ label: { name: a, by: ["@org/team"] } }', "", /^permission: .* members: read .* needed by teams/],
    [
      "{ draft: false }",
      "on_enter: [{ auto_merge: squash }]",
      /^permission: .* contents: write \(has: read\), needed by auto_merge/,
    ],
    ["{ draft: false }", "on_enter: [{ start: qa.yml }]", /^permission: .* actions: write .* needed by start/],
    ["{ draft: false }", "on_enter: [{ release: prod }]", /^event: .* deployment_protection_rule, needed by release/],
  ])("%s %s", (enter, more, expected) => {
    expect(said(stage(enter, more))).toContainEqual(expect.stringMatching(expected));
  });

  it("is what every policy needs, too", () => {
    const granted = { permissions: { ...ENOUGH, pull_requests: "read" }, events: [] };
    expect(said(DEFAULT_POLICY, { granted })).toEqual([
      expect.stringMatching(/^permission: .* pull_requests: write \(has: read\), needed by every policy/),
      ...EVENTS.map((event) => expect.stringContaining(`event: The app does not hear of ${event}`)),
      expect.stringContaining("pull_request_review"),
    ]);
  });

  it.each([
    ["ours", false, null],
    ["not_ours", false, /^environment: Nothing holds the jobs of the environment prod: .* settings$/],
    ["not_ours", true, /Private repositories have such rules with GitHub Enterprise only$/],
    ["missing", false, /^environment: There is no environment prod/],
    ["hidden", false, /^permission: .* environment prod .* needs the permission actions: read \(has: none\)/],
  ] as const)("is a guard of the environment (%s, private: %s)", (guard, isPrivate, expected) => {
    const policy = stage("{ draft: false }", "on_enter: [{ release: prod }]");
    expect(environmentsOf(policy)).toEqual(["prod"]);
    const found = said(policy, { granted: null, environments: { prod: guard }, private: isPrivate });
    expect(found).toEqual(expected === null ? [] : [expect.stringMatching(expected)]);
  });

  it("is people's reviews where a branch asks for them and bots approve", () => {
    const bots = stage('{ approvals: { count: 1, by: ["tess[bot]"] } }');
    const granted = null;
    expect(said(bots, { granted, reviewsRequired: 1 })).toEqual([
      expect.stringMatching(/^reviews: The branch main asks for an approving review before a merge, .* tess\[bot\]/),
    ]);
    expect(said(bots, { granted, reviewsRequired: null })).toEqual([]);
    expect(said(stage("{ approvals: { count: 1, by: [tess] } }"), { granted, reviewsRequired: 1 })).toEqual([]);
  });
});

describe("an effect", () => {
  it.each([
    ["auto_merge", ENOUGH, /needs the app's permission contents: write/],
    ["auto_merge", { contents: "write" }, null],
    ["auto_merge", { contents: "admin" }, null],
    ["comment", {}, null],
    ["something of ours", {}, null],
  ])("%s with %j", (kind, permissions, expected) => {
    const refusal = refusalOf(kind, permissions);
    expect(refusal).toEqual(expected === null ? null : expect.stringMatching(expected));
  });
});
