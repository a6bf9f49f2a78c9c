import { describe, expect, it } from "vitest";
import { type AccountState, missingAccounts, namesAny, namesOf } from "../../../src/lifecycle/policy/named-accounts.ts";
import { missingRequirements, type RepositorySetup, refusalOf } from "../../../src/lifecycle/policy/requirements.ts";
import {
  fill,
  fillMarkdown,
  mention,
  type TemplateValues,
  templateProblems,
} from "../../../src/lifecycle/policy/templates.ts";
import { policyOf } from "../policies.ts";

const POLICY = policyOf(`operators: [lead, "@org/leads"]
on_push: { except: { by: "cleo[bot]" } }
stages:
  - { name: a, owner: alice, enter: { draft: false }, on_enter: [{ request_review: [bob, "@org/qa"] }] }
  - { name: b, when: { author: alice }, enter: { label: { name: x, by: ["cleo[bot]", bob] } }, back: { when: { command: { name: redo, by: carol } }, to: a } }
`);

describe("those whom a policy names", () => {
  it("are each there once, in the policy's order", () => {
    expect(namesOf(POLICY)).toEqual(["alice", "bob", "@org/qa", "cleo[bot]", "carol", "lead", "@org/leads"]);
    const many = policyOf(
      `stages: [{ name: a, enter: { any: [${Array.from({ length: 2 }, (_, part) => `{ author: [${Array.from({ length: 40 }, (_, n) => `u${part}-${n}`).join(", ")}] }`).join(", ")}] } }]`,
    );
    expect(namesOf(many)).toHaveLength(60);
  });

  it.each<[string | null, boolean]>([
    ["alice", true],
    ["Alice", true],
    ["alic", false],
    ["@org/", true],
    ["@ORG/", true],
    ["@org/q", false],
    ["@other/", false],
    [null, true],
  ])("%s is among them: %s", (name, is) => {
    expect(namesAny(POLICY, name)).toBe(is);
  });

  it("nobody is named by a policy that names nobody", () => {
    expect(namesAny(policyOf("stages: [{ name: a, enter: { draft: false } }]"), null)).toBe(false);
  });

  it.each<[Record<string, AccountState>, readonly string[]]>([
    [{}, []],
    [{ alice: "there", bob: "there" }, []],
    [
      { alice: "missing" },
      ["There is no user alice: named in owner of a, author of b; nobody is left for owner of a, author of b"],
    ],
    [
      { "cleo[bot]": "blind" },
      [
        "The app cleo[bot] cannot see this repository: named in label of b, on_push.except; nobody is left for on_push.except",
      ],
    ],
    [
      { "cleo[bot]": "missing", bob: "missing" },
      [
        "There is no user bob: named in request_review of a, label of b; nobody is left for label of b",
        "There is no app cleo[bot]: named in label of b, on_push.except; nobody is left for label of b, on_push.except",
      ],
    ],
    [
      { "@org/qa": "not_given" },
      [
        "The team @org/qa was not given this repository, and GitHub asks no such team for a review: named in request_review of a; it counts for nothing there",
      ],
    ],
    [{ "@org/leads": "not_given" }, []],
    [
      { "@org/leads": "missing" },
      ["There is no team @org/leads, or the app may not see it: named in operators; it counts for nothing there"],
    ],
    [
      { "@org/leads": "hidden", lead: "missing" },
      [
        "There is no user lead: named in operators; nobody is left for operators",
        "GitHub does not tell the app who is in @org/leads (it has to be installed there, with members: read): named in operators; nobody is left for operators",
      ],
    ],
    [Object.fromEntries<AccountState>([["constructor", "missing"]]), []],
  ])("%o", (seen, told) => {
    expect(missingAccounts(POLICY, seen)).toEqual(told);
  });
});

describe("what is missing", () => {
  const policy = policyOf(`operators: ["@org/leads"]
stages:
  - { name: a, when: { checks: x }, enter: { workflow: qa.yml }, on_enter: [{ release: qa }, { release: prod }, { start: qa.yml }], on_back: [{ auto_merge: squash }], max_age: 1d, on_overdue: [{ repository_dispatch: late }] }
  - { name: b, enter: { approvals: { by: ["x[bot]", "y[bot]", "x[bot]", alice] } }, back: { when: changes_requested, to: a } }
`);
  const setup: RepositorySetup = {
    granted: { permissions: {}, events: [] },
    environments: {},
    private: false,
    branch: "main",
    reviewsRequired: null,
  };
  const told = (overrides: Partial<RepositorySetup>) => missingRequirements(policy, { ...setup, ...overrides });

  it("is each permission once, at the level that is needed, with those that need it", () => {
    const permissions = told({})
      .filter(({ kind }) => kind === "permission")
      .map(({ text }) => /permission (\S+): (\w+) \(has: (\w+)\), needed by ([^:]+):/.exec(text)?.slice(1));
    expect(permissions).toEqual([
      ["checks", "write", "none", "every policy"],
      ["contents", "write", "none", "every policy, auto_merge, repository_dispatch"],
      ["issues", "read", "none", "every policy"],
      ["pull_requests", "write", "none", "every policy"],
      ["deployments", "write", "none", "release"],
      ["actions", "write", "none", "start, workflow"],
      ["statuses", "read", "none", "checks"],
      ["members", "read", "none", "teams"],
    ]);
  });

  it("counts a higher level for a lower one, and a lower one not for a higher", () => {
    const left = (permissions: Record<string, string>) =>
      told({ granted: { permissions, events: [] } })
        .filter(({ kind }) => kind === "permission")
        .map(({ text }) => /permission (\S+): (\w+) \(has: (\w+)\)/.exec(text)?.slice(1).join(" "));
    const all = {
      checks: "write",
      contents: "write",
      issues: "read",
      metadata: "read",
      pull_requests: "write",
      deployments: "write",
      actions: "write",
      statuses: "read",
      members: "read",
    };
    expect(left(all)).toEqual([]);
    expect(left({ ...all, issues: "write", members: "admin" })).toEqual([]);
    expect(left({ ...all, actions: "read" })).toEqual(["actions write read"]);
    expect(left({ ...all, metadata: "none" })).toEqual(["metadata read none"]);
    expect(left({ ...all, contents: "none", statuses: "none" })).toEqual(["contents write none", "statuses read none"]);
  });

  it("is each event once, with those that need it", () => {
    const events = told({})
      .filter(({ kind }) => kind === "event")
      .map(({ text }) => /hear of (\S+), needed by ([^:]+):/.exec(text)?.slice(1));
    expect(events).toEqual([
      ...["pull_request", "push", "issue_comment", "label", "check_run"].map((event) => [event, "every policy"]),
      ["workflow_run", "workflow, start"],
      ["status", "checks"],
      ["check_suite", "checks"],
      ["pull_request_review", "approvals, changes_requested"],
      ["deployment_protection_rule", "release"],
    ]);
  });

  it.each<[RepositorySetup["environments"][string], boolean, RegExp | null]>([
    ["ours", false, null],
    ["not_ours", false, /^Nothing holds the jobs of the environment qa: .* in its settings$/],
    [
      "not_ours",
      true,
      /^Nothing holds .* in its settings\. Private repositories have such rules with GitHub Enterprise only$/,
    ],
    ["missing", false, /^There is no environment qa: .* rule$/],
    ["missing", true, /GitHub Enterprise only$/],
    ["hidden", false, /actions: read \(has: none\)/],
  ])("an environment that is %s, private: %s", (state, isPrivate, text) => {
    const found = missingRequirements(policy, {
      ...setup,
      granted: null,
      environments: { qa: state },
      private: isPrivate,
    });
    expect(found).toEqual(
      text === null
        ? []
        : [{ kind: state === "hidden" ? "permission" : "environment", text: expect.stringMatching(text) }],
    );
  });

  it.each([
    [null, null],
    [0, null],
    [1, /asks for an approving review before a merge, and GitHub never counts those of x\[bot\], y\[bot\] for that/],
    [2, /asks for 2 approving reviews before/],
  ])("%s reviews that the branch asks for", (reviewsRequired, text) => {
    const found = missingRequirements(policy, { ...setup, granted: null, reviewsRequired });
    expect(found).toEqual(text === null ? [] : [{ kind: "reviews", text: expect.stringMatching(text) }]);
    const people = policyOf("stages: [{ name: a, enter: { approvals: { by: alice } } }]");
    expect(missingRequirements(people, { ...setup, granted: null, reviewsRequired })).toEqual([]);
  });

  it("tells of names that stand for nobody", () => {
    const lacks = missingRequirements(policy, { ...setup, granted: null, names: { alice: "missing" } });
    expect(lacks).toMatchObject([{ kind: "names", text: expect.stringContaining("There is no user alice") }]);
  });

  it("refuses what lacks its permission", () => {
    expect(refusalOf("start", { actions: "read" })).toMatch(/^it needs the app's permission actions: write,/);
    expect(refusalOf("start", { actions: "write" })).toBeNull();
    expect(refusalOf("comment", {})).toBeNull();
    expect(refusalOf("sing", {})).toBeNull();
  });
});

describe("templates", () => {
  const values: TemplateValues = {
    number: "7",
    sha: "abc",
    base: "main",
    stage: "qa",
    owner: "@org/qa",
    ticket: "",
    reason: "-x --y a:b c: @d #e $(f) `g` *h*",
  };

  it.each<[string, number]>([
    ["{{number}} {{ sha }}", 0],
    ["{{title}}", 1],
    ["{{title}} {{title}}", 1],
    ["{{title}} {{body}}", 1],
    ["{{nmuber}} {{body}}", 2],
    ["{ {number} } {{", 0],
    [`{{${"x".repeat(64)}}}`, 1],
    [`{{${"x".repeat(65)}}}`, 0],
    ["{{}}", 1],
  ])("%s has %i problems", (template, count) => {
    expect(templateProblems(template)).toHaveLength(count);
  });

  it("keep in inputs what means nothing to a shell, and what is no place as it is", () => {
    expect(fill("{{number}}/{{ sha }}/{{ticket}}/{{other}}", values)).toBe("7/abc//{{other}}");
    expect(fill("{{reason}}", values)).toBe("_x __y a:b c_ _d _e __f_ _g_ _h_");
    expect(fill("{{owner}}", values)).toBe("@org/qa");
    expect(fill("{{reason}}", { ...values, reason: "x".repeat(501) })).toBe(`${"x".repeat(499)}_`);
  });

  it("are escaped in Markdown, and mention whom they can", () => {
    expect(fillMarkdown("{{reason}} {{owner}} {{other}}", { ...values, reason: "*a*" })).toBe(
      "\\*a\\* @org/qa {{other}}",
    );
    expect(
      [
        mention("alice"),
        mention("@org/a_b.c"),
        mention("rex[bot]"),
        mention("@org"),
        mention("a b"),
        mention("@org/a b"),
      ].map((text) => text.replaceAll("\u200b", "")),
    ).toEqual(["@alice", "@org/a_b.c", "rex\\[bot\\]", "@org", "a b", "@org/a b"]);
    expect(mention("@org/a b")).not.toBe("@org/a b");
  });
});
