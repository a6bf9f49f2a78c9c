import { describe, expect, it } from "vitest";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import { check, checked, history, OUR_APP_ID, opened, suite, withSuites } from "../builders.ts";
import { verdict } from "../policies.ts";

const running = { status: "in_progress", conclusion: null } as const;
const names = (count: number, overrides: Parameters<typeof check>[1] = {}) =>
  Array.from({ length: count }, (_, n) => check(1, { name: `c${n}`, ...overrides }));
const checks = (...list: Parameters<typeof checked>) => history(opened(), checked(...list));

describe("checks", () => {
  it.each<[string, Facts, boolean, string]>([
    ["checks_pass", checks(check(1)), true, "the one check succeeded"],
    ["checks_pass", checks(...names(2)), true, "all 2 checks succeeded"],
    [
      "checks_pass",
      checks(...names(5, { conclusion: "failure" })),
      false,
      "c0 ended with failure, c1 ended with failure, c2 ended with failure, c3 ended with failure, c4 ended with failure",
    ],
    [
      "checks_pass",
      checks(...names(6, { conclusion: "failure" })),
      false,
      "c0 ended with failure, c1 ended with failure, c2 ended with failure, c3 ended with failure, c4 ended with failure and 1 more",
    ],
    [
      "checks_pass",
      checks(check(1, { name: "b", conclusion: "neutral" }), check(1, { name: "a", conclusion: "skipped" })),
      true,
      "all 2 checks succeeded",
    ],
    [
      "checks_pass",
      checks(check(1, { name: "b", ...running }), check(1, { name: "a", conclusion: "timed_out" })),
      false,
      "a ended with timed_out, b has not finished",
    ],
    ["checks_pass", checks(check(1, { name: "b", ...running }), check(1, { name: "a" })), false, "b has not finished"],
    ["checks_pass", checks(), false, "no check has reported on the head commit yet"],
    ["checks_pass", checks(check(1, { ours: true })), false, "no check has reported on the head commit yet"],
    ["checks_pass", checks(check(1, { appId: OUR_APP_ID })), false, "no check has reported on the head commit yet"],
    ["checks_pass", checks(check(1, { sha: "other" })), false, "no check has reported on the head commit yet"],
    ["checks_pass", checks(check(1), check(2, running)), true, "the one check succeeded"],
    ["checks_pass", checks(check(1, { conclusion: "failure" }), check(2, running)), false, "build ended with failure"],
    [
      "{ checks_pass: { ignore: lint } }",
      checks(check(1), check(1, { name: "lint", conclusion: "failure" })),
      true,
      "the one check succeeded",
    ],
    ["{ checks: [a, b] }", checks(check(1, { name: "a" }), check(1, { name: "b" })), true, "a succeeded, b succeeded"],
    ["{ checks: [a, b] }", checks(check(1, { name: "a" })), false, "b has not reported"],
    [
      "{ checks: [a, b] }",
      checks(check(1, { name: "a", conclusion: "failure" })),
      false,
      "a ended with failure, b has not reported",
    ],
    ["{ checks: { names: a, app: ci } }", checks(check(1, { name: "a" })), false, "a from ci has not reported"],
    [
      "{ checks: { names: a, app: ci } }",
      checks(check(1, { name: "a", appSlug: "ci", appId: 9 }), check(1, { name: "a", conclusion: "failure" })),
      true,
      "a succeeded",
    ],
    [
      "{ checks: a }",
      checks(check(1, { name: "a", appSlug: "ci", appId: 9 }), check(1, { name: "a", conclusion: "failure" })),
      false,
      "a ended with failure",
    ],
    [
      "{ checks: { names: [a, b], result: failure } }",
      checks(check(1, { name: "a", conclusion: "failure" }), check(1, { name: "b" })),
      true,
      "a ended with failure",
    ],
    [
      "{ checks: { names: [a, b], result: failure } }",
      checks(check(1, { name: "a" }), check(1, { name: "b" })),
      false,
      "a succeeded, b succeeded",
    ],
    ["{ checks: { names: [a, b], result: failure } }", checks(check(1, { name: "a" })), false, "b has not reported"],
    [
      "{ checks: { names: [a], result: any } }",
      checks(check(1, { name: "a", conclusion: "failure" })),
      true,
      "a ended",
    ],
    [
      "{ checks: { names: [a], result: any } }",
      checks(check(1, { name: "a", ...running })),
      false,
      "a has not finished",
    ],
    ["{ checks: 'a\\*b*' }", checks(check(1, { name: "a" })), false, "a\\*b* has not reported"],
    ["{ checks: 'a\\*' }", checks(check(1, { name: "a*" })), true, "a* succeeded"],
    [
      "{ checks: 'a*' }",
      checks(check(1, { name: "ab" }), check(1, { name: "b", conclusion: "failure" })),
      true,
      "a* succeeded",
    ],
  ])("%s: %#", (condition, facts, holds, reason) => {
    expect(verdict(condition, facts)).toMatchObject({ holds, reason, at: null, evidence: [] });
  });

  it("wait for suites that go on, but for those in which only ignored ones do", () => {
    const open = (id: string, overrides: Parameters<typeof suite>[1] = {}) =>
      suite(id, { finished: false, ...overrides });
    const facts = (...suites: ReturnType<typeof suite>[]) =>
      withSuites(
        checks(
          check(1),
          check(1, { name: "lint", suite: "1", ...running }),
          check(1, { name: "docs", suite: "2", ...running }),
        ),
        suites,
      );
    const ignoring = "{ checks_pass: { ignore: [lint, docs] } }";
    expect(verdict(ignoring, facts(open("1"), open("2"))).holds).toBe(true);
    // What has ended in such a suite, or is of another commit, keeps nobody waiting.
    const beside = [
      check(1, { name: "unit", suite: "1" }),
      check(1, { name: "unit", sha: "0ther", suite: "2", ...running }),
    ];
    const more = withSuites(record(facts(), checked(...beside)), [open("1"), open("2")]);
    expect(verdict(ignoring, more).holds).toBe(true);
    expect(verdict(ignoring, facts(open("1"), open("3", { app: "ci" })))).toMatchObject({
      holds: false,
      reason: "more checks may come: ci has not finished",
    });
    expect(verdict("{ checks_pass: { ignore: [docs] } }", facts(open("2"), open("1")))).toMatchObject({
      holds: false,
      reason: "lint has not finished",
    });
    const many = Array.from({ length: 6 }, (_, n) => open(`x${n}`, { app: `ci-${n}` }));
    expect(verdict(ignoring, facts(...many)).reason).toBe(
      "more checks may come: ci-0, ci-1, ci-2, ci-3, ci-4 and 1 more has not finished",
    );
    expect(verdict("{ checks: { names: 'b*', app: github-actions } }", facts(...many)).holds).toBe(true);
    expect(verdict("{ checks: 'b*' }", facts(...many)).holds).toBe(false);
    // A suite in which something goes on that it does not ask for.
    expect(verdict("{ checks: 'b*' }", facts(open("1"))).holds).toBe(false);
    // One name does not wait for what else may come.
    expect(verdict("{ checks: build }", facts(...many)).holds).toBe(true);
  });

  it("ask for suites that are not known", () => {
    const unread: Facts = { ...checks(check(1)), suites: [] };
    expect(verdict("checks_pass", unread)).toMatchObject({
      holds: false,
      reason: "it is not known yet whether more checks come",
      lookups: [{ kind: "suites", sha: "aaaaaaa1" }],
    });
    expect(verdict("{ checks: build }", unread)).toMatchObject({ holds: true, lookups: [] });
  });
});
