import { describe, expect, test } from "vitest";
import { commandOfWord } from "../../../src/lifecycle/command-names.ts";
import { boxesOf } from "../../../src/lifecycle/conditions/checklist.ts";
import { CONDITIONS } from "../../../src/lifecycle/conditions/index.ts";
import { matcher } from "../../../src/lifecycle/evidence/globs.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import type { Condition } from "../../../src/lifecycle/policy/policy.ts";
import {
  alice,
  bob,
  check,
  checked,
  cleo,
  comment,
  evaluationOf,
  history,
  labeled,
  minute,
  OUR_APP_ID,
  opened,
  openedThen,
  outsider,
  pull,
  pushed,
  ran,
  review,
  rex,
  tess,
  tessUser,
  unlabeled,
} from "../builders.ts";
import { asking, policyOf, verdict } from "../policies.ts";

const draft = history(opened({ draft: true }));
const many = (folder: string, count: number) => Array.from({ length: count }, (_, n) => `${folder}/${n}.md`);
const files = (list: string[]) =>
  history(opened(), { pull, kind: "files", sha: "aaaaaaa1", baseRef: "main", files: list });
const body = (text: string) => history(opened({ body: text }));
const checks = (...list: Parameters<typeof checked>) => history(opened(), checked(...list));
const failed = { conclusion: "failure" };
const IN_RUN_1 = { workflow: "plans.yml", runId: "1" };
const running = { status: "in_progress", conclusion: null } as const;

test.each<[condition: string, facts: Facts, holds: boolean, reason: RegExp]>([
  ["{ draft: false }", openedThen(), true, /^it is not a draft$/],
  ["{ draft: false }", draft, false, /mark it as ready/],
  ["{ draft: true }", draft, true, /is a draft/],

  ["{ label: x }", openedThen(labeled(1, "x", alice)), true, /^label x by alice$/],
  ["{ label: X }", openedThen(labeled(1, "x", alice)), true, /by alice/],
  ["{ label: x }", openedThen(), false, /missing: someone with write permission can add it/],
  ["{ label: x }", openedThen(labeled(1, "x", alice), unlabeled(2, "x", bob)), false, /missing/],
  ["{ label: x }", openedThen(labeled(1, "x", alice), unlabeled(2, "x", bob), labeled(3, "x", bob)), true, /by bob/],
  ["{ label: x }", openedThen(labeled(1, "x", outsider)), false, /outsider, who has no write permission/],
  ["{ label: x }", openedThen(labeled(1, "x", cleo)), false, /name it in `by`/],
  ['{ label: { name: x, by: "cleo[bot]" } }', openedThen(labeled(1, "x", cleo)), true, /by cleo/],
  [
    '{ label: { name: x, by: ["cleo[bot]"] } }',
    openedThen(labeled(1, "x", alice)),
    false,
    /alice, who is not cleo\[bot\]/,
  ],
  ['{ label: { name: x, by: "@org/quality" } }', openedThen(labeled(1, "x", alice)), true, /by alice/],
  ['{ label: { name: x, by: "@org/quality" } }', openedThen(labeled(1, "x", bob)), false, /is not @org\/quality/],

  ["{ approvals: 1 }", openedThen(review(1, bob, "approved")), true, /^approved by bob$/],
  ["{ approvals: 2 }", openedThen(review(1, bob, "approved")), false, /an approval is missing/],
  ["{ approvals: 2 }", openedThen(review(1, bob, "approved"), review(2, alice, "approved")), true, /by bob, alice/],
  [
    "{ approvals: 2 }",
    openedThen(review(1, bob, "approved"), review(2, bob, "approved")),
    false,
    /an approval is missing/,
  ],
  ["{ approvals: 1 }", openedThen(review(1, bob, "approved", "0000000")), false, /bob approved 0000000, not the head/],
  ["{ approvals: 1 }", openedThen(review(1, rex, "approved")), false, /rex\[bot\] is the author/],
  ["{ approvals: 1 }", openedThen(review(1, tess, "approved")), false, /tess\[bot\] is an app.*name it in `by`/],
  ['{ approvals: { by: "tess[bot]" } }', openedThen(review(1, tess, "approved")), true, /by tess/],
  ['{ approvals: { by: "tess[bot]" } }', openedThen(review(1, tessUser, "approved")), false, /tess is not tess\[bot\]/],
  ["{ approvals: 1 }", openedThen(review(1, bob, "approved"), review(2, bob, "commented")), true, /by bob/],
  ["{ approvals: 1 }", openedThen(review(1, bob, "approved"), review(2, bob, "changes_requested")), false, /missing/],
  ["{ approvals: 1 }", openedThen(review(1, bob, "changes_requested"), review(2, bob, "approved")), true, /by bob/],
  [
    "{ approvals: 1 }",
    openedThen(review(1, bob, "approved"), pushed(2, "aaaaaaa1", "bbbbbbb2", rex)),
    false,
    /bob approved aaaaaaa, not the head/,
  ],

  ["changes_requested", openedThen(review(1, bob, "changes_requested")), true, /^bob requests changes$/],
  ["{ changes_requested: true }", openedThen(review(1, bob, "approved")), false, /nobody with write permission/],
  ["changes_requested", openedThen(review(1, outsider, "changes_requested")), false, /nobody/],
  ["changes_requested", openedThen(review(1, tess, "changes_requested")), false, /nobody/],
  ['{ changes_requested: { by: "tess[bot]" } }', openedThen(review(1, tess, "changes_requested")), true, /tess/],
  ["changes_requested", openedThen(review(1, bob, "changes_requested", "0000000")), false, /nobody/],

  ["{ checks: build }", checks(check(1)), true, /^build succeeded$/],
  ["{ checks: [build] }", checks(check(1, { conclusion: "neutral" })), true, /succeeded/],
  ["{ checks: [build] }", checks(check(1, { conclusion: "skipped" })), true, /succeeded/],
  ["{ checks: [build] }", openedThen(), false, /^build has not reported$/],
  ["{ checks: [build] }", checks(check(1, failed)), false, /^build ended with failure$/],
  ["{ checks: [build] }", checks(check(1, running)), false, /^build has not finished$/],
  ["{ checks: [build] }", checks(check(1), check(2, running)), true, /succeeded/],
  ["{ checks: [build] }", checks(check(1, failed), check(2, running)), false, /ended with failure/],
  ["{ checks: [build] }", checks(check(1), check(2, failed)), false, /ended with failure/],
  ["{ checks: [build] }", checks(check(1, { sha: "0000000" })), false, /has not reported/],
  ["{ checks: [build] }", checks(check(1, failed), check(2, { appId: 666 })), false, /ended with failure/],
  [
    "{ checks: { names: build, app: ci } }",
    checks(check(1, { appSlug: "evil" })),
    false,
    /build from ci has not reported/,
  ],
  ["{ checks: { names: build, app: ci } }", checks(check(1, { appSlug: "ci" })), true, /succeeded/],
  ["{ checks: [build] }", checks(check(1, { ours: true })), false, /has not reported/],
  ["{ checks: [build] }", checks(check(1, { appId: OUR_APP_ID })), false, /has not reported/],
  ["{ checks: [build, lint] }", checks(check(1)), false, /^lint has not reported$/],

  ["checks_pass", checks(check(1), check(1, { name: "lint" })), true, /all 2 checks/],
  ["checks_pass", checks(check(1), check(1, { name: "lint", ...failed })), false, /^lint ended with failure$/],
  ["checks_pass", openedThen(), false, /no check has reported/],
  ["checks_pass", checks(check(1), check(1, { name: "stagewright / only", ours: true, ...running })), true, /the one/],
  ["{ checks_pass: { ignore: lint } }", checks(check(1), check(1, { name: "lint", ...failed })), true, /the one/],

  ["{ workflow: qa.yml }", openedThen(ran(1, ".github/workflows/qa.yml", "success")), true, /^qa.yml succeeded$/],
  ["{ workflow: qa.yml }", openedThen(ran(1, "qa.yml", "failure")), false, /^qa.yml failed$/],
  ["{ workflow: qa.yml }", openedThen(ran(1, "qa.yml", "failure"), ran(2, "qa.yml", "success")), true, /succeeded/],
  ["{ workflow: qa.yml }", openedThen(ran(1, "qa.yml", "success"), ran(2, "qa.yml", "failure")), false, /failed/],
  ["{ workflow: qa.yml }", openedThen(ran(1, "qa.yml", "success"), ran(2, "qa.yml", "cancelled")), true, /succeeded/],
  ["{ workflow: qa.yml, result: failure }", openedThen(ran(1, "qa.yml", "failure")), true, /^qa.yml failed$/],
  [
    "{ workflow: { workflow: qa.yml, result: cancelled } }",
    openedThen(ran(1, "qa.yml", "cancelled")),
    true,
    /cancelled/,
  ],
  [
    "{ workflow: qa.yml }",
    openedThen(ran(1, "qa.yml", "success", "0000000")),
    false,
    /on 0000000, and has not finished on/,
  ],
  ["{ workflow: qa.yml }", openedThen(ran(1, "other-qa.yml", "success")), false, /has not finished/],

  [
    "{ plan_passed: bench }",
    openedThen({
      kind: "plan",
      at: minute(1),
      by: tess,
      plan: "bench",
      run: "r1",
      within: IN_RUN_1,
      result: "success",
      sha: "aaaaaaa1",
    }),
    true,
    /^plan bench succeeded$/,
  ],
  [
    "{ plan_passed: bench }",
    openedThen({
      kind: "plan",
      at: minute(1),
      by: tess,
      plan: "bench",
      run: "r1",
      within: IN_RUN_1,
      result: "failure",
      sha: "aaaaaaa1",
    }),
    false,
    /failed/,
  ],

  ["checklist", body("- [x] one\n* [X] two"), true, /all 2 boxes/],
  ["checklist", body("- [x] one\n- [ ] two"), false, /^1 of 2 boxes in the description are not ticked$/],
  ["checklist", body("nothing"), false, /no task list/],
  [
    "{ checklist: Before review }",
    body("- [ ] a\n## Before review\n- [x] b\n## Later\n- [ ] c"),
    true,
    /all 1 boxes under/,
  ],

  ["{ base: main }", openedThen(), true, /into main$/],
  ['{ base: ["release/*"] }', openedThen(), false, /into main, not into release/],
  ["{ paths: 'docs/**' }", files(["src/a.ts", "docs/a.md"]), true, /^docs\/a.md is changed$/],
  ["{ paths: 'docs/**' }", files(["src/a.ts"]), false, /no changed file matches/],
  ["{ only_paths: ['docs/**', '*.md'] }", files(["README.md", "docs/a.md"]), true, /only files/],
  ["{ only_paths: 'docs/**' }", files(["docs/a.md", "src/a.ts"]), false, /^src\/a.ts is changed/],
  ["{ only_paths: 'docs/**' }", files([]), false, /no file is changed/],
  ["{ only_paths: 'docs/**' }", files(many("docs", 2_999)), true, /only files/],
  ["{ only_paths: 'docs/**' }", files(many("docs", 3_000)), false, /3000 files or more are changed/],
  ["{ paths: 'src/**' }", files(many("docs", 3_000)), false, /3000 files or more are changed/],
  ["{ not: { paths: 'src/**' } }", files(many("docs", 3_000)), false, /3000 files or more are changed/],
  ["{ paths: 'docs/**' }", files(many("docs", 3_000)), true, /is changed$/],

  ['{ author: "rex[bot]" }', openedThen(), true, /rex\[bot\], who opened it, is named/],
  ["{ author: [alice] }", openedThen(), false, /is not alice/],
  ['{ author: "rex[bot]" }', history(opened({ author: { kind: "user", id: 9, login: "rex" } })), false, /is not/],

  ["{ command: ship-it }", openedThen(comment(1, alice, "ship-it")), true, /^\/ship-it by alice$/],
  ["{ command: ship-it }", openedThen(comment(1, outsider, "ship-it")), false, /no write permission/],
  ['{ command: { name: ship-it, by: "cleo[bot]" } }', openedThen(comment(1, cleo, "ship-it")), true, /by cleo/],
  ["{ command: ship-it }", openedThen(), false, /someone with write permission can comment it/],
  ["{ command: hold }", openedThen(comment(1, alice, "hold")), false, /\/hold is missing/],
  ["{ command: hold }", openedThen(comment(1, alice, commandOfWord("hold"))), true, /^\/hold by alice$/],

  ["{ draft: false, base: main }", openedThen(), true, /not a draft; it goes into main/],
  ["{ draft: false, base: next }", openedThen(), false, /^it goes into main, not into next$/],
  ["{ any: [{ base: next }, { label: x }] }", openedThen(labeled(1, "x", alice)), true, /^label x by alice$/],
  ["{ any: [{ base: next }, { label: x }] }", openedThen(), false, /not into next; or label x is missing/],
  ["{ not: { label: x } }", openedThen(), true, /missing/],
  ["{ not: { label: x } }", openedThen(labeled(1, "x", alice)), false, /this must not be: label x by alice/],
  ["{ all: [{ draft: false }, { not: changes_requested }] }", openedThen(), true, /not a draft/],
])("%s (case %#)", (condition, facts, holds, reason) => {
  const result = verdict(condition, facts);
  expect(result.reason).toMatch(reason);
  expect(result.holds).toBe(holds);
});

describe("what is not known", () => {
  const stranger = { kind: "user", id: 999, login: "stranger" } as const;

  test("grants nothing and is asked for: a permission", () => {
    const result = verdict("{ approvals: 1 }", openedThen(review(1, stranger, "approved")));
    expect(result).toMatchObject({ holds: false, lookups: [{ kind: "permission", actor: stranger }] });
  });

  test("grants nothing and is asked for: a team's member and a login", () => {
    const result = verdict(
      '{ label: { name: x, by: ["@org/quality", "dora"] } }',
      openedThen(labeled(1, "x", stranger)),
    );
    expect(result.holds).toBe(false);
    expect(result.lookups).toEqual([
      { kind: "team", team: "org/quality", actor: stranger },
      { kind: "identity", login: "dora" },
    ]);
  });

  test("grants nothing and is asked for: changed files", () => {
    expect(verdict("{ paths: a }", openedThen())).toMatchObject({ holds: false, lookups: [{ kind: "files" }] });
  });

  test("grants nothing by its opposite either", () => {
    expect(verdict("{ not: { paths: a } }", openedThen()).holds).toBe(false);
    expect(verdict("{ not: { label: x } }", openedThen(labeled(1, "x", stranger))).holds).toBe(false);
    expect(verdict("{ not: { author: dora } }", openedThen()).holds).toBe(false);
  });

  test("nobody is asked about apps in teams", () => {
    expect(verdict('{ label: { name: x, by: "@org/quality" } }', openedThen(labeled(1, "x", cleo))).lookups).toEqual(
      [],
    );
  });
});

test("what is there but does not count does not let `not` hold either", () => {
  expect(verdict("{ not: { label: blocked } }", openedThen(labeled(1, "blocked", cleo))).holds).toBe(false);
  const pushedSince = openedThen(labeled(1, "blocked", bob), pushed(2, "aaaaaaa1", "bbbbbbb2", rex));
  const twoStages = policyOf(
    "stages:\n  - { name: a, enter: { draft: false } }\n  - { name: b, enter: { not: { label: blocked } } }\n",
  );
  expect(evaluationOf(pushedSince, twoStages).stage).toBe("a");
});

test("an outsider's request for changes blocks nobody", () => {
  const facts = openedThen(review(1, outsider, "changes_requested"));
  expect(verdict("{ not: changes_requested }", facts).holds).toBe(true);
});

test("an entry is dated when there were enough approvals; later ones do not date it anew", () => {
  const facts = openedThen(review(3, bob, "approved"), review(5, bob, "approved"), review(7, alice, "approved"));
  expect(evaluationOf(facts, asking("{ approvals: 1 }")).entries[0]?.at).toBe(minute(3));
  expect(evaluationOf(facts, asking("{ approvals: 2 }")).entries[0]?.at).toBe(minute(7));
});

test("a dismissed review leaves no opinion, and revives no older one", () => {
  const facts = openedThen(
    review(1, bob, "approved", "aaaaaaa1", 1),
    review(2, bob, "changes_requested", "aaaaaaa1", 2),
    {
      kind: "review_dismissed",
      at: minute(3),
      by: alice,
      reviewId: "2",
    },
  );
  expect(verdict("{ approvals: 1 }", facts).holds).toBe(false);
  expect(verdict("changes_requested", facts).holds).toBe(false);
});

test("all is dated by its newest part, any by its earliest, a state by nothing", () => {
  const facts = openedThen(labeled(2, "x", alice), labeled(4, "y", bob));
  const at = (condition: string) => evaluationOf(facts, asking(condition)).stages[0]?.result.at;
  expect(at("{ all: [{ label: x }, { label: y }] }")).toBe(minute(4));
  expect(at("{ any: [{ label: y }, { label: x }] }")).toBe(minute(2));
  expect(at("{ any: [{ label: y }, { draft: false }] }")).toBeNull();
});

test.each([
  ["```\n- [ ] in code\n```\n- [x] a", [true]],
  ["<!-- - [ ] hidden -->\n1. [x] a", [true]],
  ["<!--\n- [ ] hidden", []],
  ["- [x]", [true]],
  ["- [y] no box\n-[x] nor this", []],
  ["~~~\n```\n- [ ] code\n~~~\n- [ ] a", [false]],
])("boxes of %j", (text, boxes) => {
  expect(boxesOf(text, null)).toEqual(boxes);
});

test("a task list is read within milliseconds, whatever it is made of", () => {
  for (const text of ["#".repeat(60_000), `# ${" ".repeat(60_000)}x`, "<!--".repeat(15_000), "- [ ] ".repeat(10_000)]) {
    boxesOf(text, "x");
  }
});

test.each([
  ["docs/**", "docs/a/b.md", true],
  ["docs/**", "docs.md", false],
  ["**/*.md", "README.md", true],
  ["**/*.md", "a/b/c.md", true],
  ["*.md", "a/b.md", false],
  ["src/**/x.ts", "src/x.ts", true],
  ["src/**/x.ts", "src/a/b/x.ts", true],
  ["src/**/x.ts", "src/ax.ts", false],
  ["src/{a,b}/?.ts", "src/b/c.ts", true],
  ["src/{a,b}/?.ts", "src/c/c.ts", false],
  ["[a-c]x", "bx", true],
  ["[^a-c]x", "bx", false],
  ["[^a-c]x", "/x", false],
  [".github/**", ".github/workflows/a.yml", true],
  ["**", "any/thing", true],
  ["release/*", "release/1.0", true],
  ["a.b", "axb", false],
])("glob %s against %s: %s", (glob, path, expected) => {
  expect(matcher([glob])(path)).toBe(expected);
});

test("no name makes a glob slow", () => {
  const hostile = [matcher(["**/*a*a*a/**/*a*a*a/**/*a*a*ab"]), matcher(["*a*a*a*a*a*a*a*a*ab"])];
  expect(hostile.map((matches) => matches("aaaaaaaaaa/".repeat(300)))).toEqual([false, false]);
});

test("every condition's examples are read as conditions", () => {
  for (const { kind, examples } of Object.values(CONDITIONS)) {
    for (const example of examples) {
      const text = example.startsWith("{") || !example.includes(":") ? example : `{ ${example} }`;
      const enter: Condition | undefined = asking(text).stages[0]?.enter;
      expect(enter?.kind).toBe(kind);
    }
  }
});

test("a stage whose `when` cannot be judged yet exists, so that nothing is skipped", () => {
  const policy = policyOf(
    "stages:\n  - { name: a, enter: { draft: false } }\n  - { name: b, when: { paths: 'db/**' }, enter: { label: x } }\n  - { name: c, enter: { draft: false } }\n",
  );
  const names = (facts: Facts) => evaluationOf(facts, policy).stages.map((stage) => stage.name);
  expect(names(openedThen())).toEqual(["a", "b", "c"]);
  expect(names(files(["db/1.sql"]))).toEqual(["a", "b", "c"]);
  expect(names(files(["src/a.ts"]))).toEqual(["a", "c"]);
  expect(evaluationOf(files(["src/a.ts"]), policy).stage).toBe("c");
});
