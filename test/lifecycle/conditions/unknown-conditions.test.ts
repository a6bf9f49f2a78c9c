/** What has not been reported is unknown, `not` of it as well, and names are patterns: nothing opens by mistake. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConditionContext } from "../../../src/lifecycle/conditions/condition.ts";
import { evaluateTree } from "../../../src/lifecycle/evaluation/condition-tree.ts";
import type { Truth } from "../../../src/lifecycle/evaluation/evaluation.ts";
import { isPattern, labelMatcher, nameMatcher } from "../../../src/lifecycle/evidence/name-patterns.ts";
import { ActIndex } from "../../../src/lifecycle/facts/act-index.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { record } from "../../../src/lifecycle/facts/record.ts";
import type { SuiteSeen } from "../../../src/lifecycle/facts/suites.ts";
import type { Condition } from "../../../src/lifecycle/policy/policy.ts";
import {
  alice,
  bob,
  check,
  checked,
  evaluationOf,
  history,
  labeled,
  OUR_APP_ID,
  opened,
  openedThen,
  outsider,
  pull,
  ran,
  suite,
  unlabeled,
  withSuites,
} from "../builders.ts";
import { asking, policyOf } from "../policies.ts";

function truthOf(condition: string, facts: Facts): Truth {
  const holds = evaluationOf(facts, asking(condition)).stage === "only";
  const opposite = evaluationOf(facts, asking(`{ not: ${condition} }`)).stage === "only";
  return holds ? "yes" : opposite ? "no" : "unknown";
}

const checks = (...list: Parameters<typeof checked>) => history(opened(), checked(...list));
const failed = { conclusion: "failure" };
const running = { status: "in_progress", conclusion: null } as const;
const named = (name: string, more = {}) => check(1, { name, ...more });

describe("the name of a label or check", () => {
  test.each<[pattern: string, name: string, matches: boolean]>([
    ["do-not-merge/*", "do-not-merge/security", true],
    ["do-not-merge/*", "do-not-merge/a/b", true],
    ["do-not-merge/*", "do-not-merge", false],
    ["*", "", true],
    ["ci-*-end", "ci-end", false],
    ["a*a", "a", false],
    ["a*b*c", "axxbyyc", true],
    ["a*b*c", "acb", false],
    ["build (ubuntu, *)", "build (ubuntu, 18)", true],
    ["build (ubuntu, 18)", "build (ubuntu, 18)", true],
    ["[bug]", "[bug]", true],
    ["[bug]", "b", false],
    ["{a,b}?", "{a,b}?", true],
    ["5\\*", "5*", true],
    ["5\\*", "55", false],
    ["a\\b", "a\\b", true],
  ])("%s stands for %s: %s", (pattern, name, matches) => {
    expect(nameMatcher(pattern)(name)).toBe(matches);
  });

  test("is matched as a regular expression would, whatever is in it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "\\", "/", "(", "["), maxLength: 8 });
    const reference = (pattern: string): RegExp =>
      new RegExp(
        `^${pattern.replace(/\\\*|[\s\S]/g, (part) => (part === "*" ? "[^]*" : `\\${part.at(-1)}`.replace(/\\([ab])/, "$1")))}$`,
      );
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        expect(nameMatcher(pattern)(name)).toBe(reference(pattern).test(name));
        expect(isPattern(pattern.replaceAll("*", "\\*"))).toBe(false);
        expect(nameMatcher(name.replaceAll("*", "\\*"))(name)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of a label is the same in either case", () => {
    expect(labelMatcher("Do-Not-Merge/*")("do-not-MERGE/x")).toBe(true);
  });
});

describe("a pattern of labels", () => {
  const condition = "{ label: 'do-not-merge/*' }";

  test("blocks by whichever of its labels is on", () => {
    expect(truthOf(condition, openedThen())).toBe("no");
    expect(truthOf(condition, openedThen(labeled(1, "do-not-merge/legal", alice)))).toBe("yes");
    expect(truthOf(condition, openedThen(labeled(1, "do-not-merge/legal", outsider)))).toBe("unknown");
    const off = openedThen(labeled(1, "do-not-merge/legal", alice), unlabeled(2, "do-not-merge/legal", alice));
    expect(truthOf(condition, off)).toBe("no");
  });

  test("never means the labels that show where a pull request is", () => {
    expect(truthOf("{ label: '*' }", openedThen(labeled(1, "stage/only", alice)))).toBe("no");
  });

  test("takes a pull request out, too", () => {
    const policy = policyOf("opt_out_label: 'wip*'\nstages:\n  - { name: a, enter: { draft: false } }\n");
    expect(evaluationOf(openedThen(labeled(1, "WIP: later", alice)), policy).inactive).toBe("opted_out");
  });

  test("is what a `back` rule waits for", () => {
    const policy = policyOf(
      "stages:\n  - { name: a, enter: { draft: false } }\n  - { name: b, enter: { label: b }, back: { when: { label: 'broken/*' }, to: a } }\n",
    );
    const facts = openedThen(labeled(1, "b", alice), labeled(2, "broken/ui", bob));
    expect(evaluationOf(facts, policy)).toMatchObject({ stage: "a", rounds: 1 });
  });
});

test("a label that is on though nobody is known to have given it counts for nothing, and neither does its opposite", () => {
  const facts = history(opened({ labels: ["blocked"] }));
  expect(truthOf("{ label: blocked }", facts)).toBe("unknown");
  expect(truthOf("{ label: other }", facts)).toBe("no");
});

describe("what has not been reported is unknown", () => {
  test.each<[condition: string, facts: Facts, truth: Truth]>([
    ["{ checks: [x] }", openedThen(), "unknown"],
    ["{ checks: [x] }", checks(named("x", running)), "unknown"],
    ["{ checks: [x] }", checks(named("x", failed)), "no"],
    ["{ checks: [x] }", checks(named("x")), "yes"],
    ["{ checks: [x, y] }", checks(named("x", failed)), "no"],
    ["{ checks: { names: x, result: failure } }", openedThen(), "unknown"],
    ["{ checks: { names: x, result: failure } }", checks(named("x", running)), "unknown"],
    ["{ checks: { names: x, result: failure } }", checks(named("x")), "no"],
    ["{ checks: { names: [x, y], result: failure } }", checks(named("x", failed)), "yes"],
    ["{ checks: { names: [x, y], result: failure } }", checks(named("x")), "unknown"],
    ["{ checks: { names: x, result: any } }", openedThen(), "unknown"],
    ["{ checks: { names: x, result: any } }", checks(named("x", running)), "unknown"],
    ["{ checks: { names: x, result: any } }", checks(named("x", failed)), "yes"],
    ["{ checks: { names: x, result: any } }", checks(named("x")), "yes"],
    ["checks_pass", openedThen(), "unknown"],
    ["checks_pass", checks(named("x", running)), "unknown"],
    ["checks_pass", checks(named("x", running), named("y", failed)), "no"],
    ["{ workflow: qa.yml }", openedThen(), "unknown"],
    ["{ workflow: qa.yml }", openedThen(ran(1, "qa.yml", "success", "0000000")), "unknown"],
    ["{ workflow: { workflow: qa.yml, result: failure } }", openedThen(), "unknown"],
    ["{ workflow: { workflow: qa.yml, result: failure } }", openedThen(ran(1, "qa.yml", "success")), "no"],
    ["{ plan_passed: bench }", openedThen(), "unknown"],
  ])("%s (case %#)", (condition, facts, truth) => {
    expect(truthOf(condition, facts)).toBe(truth);
  });
});

describe("a pattern of checks, of which more may come", () => {
  const ci = "{ checks: ['ci-*'] }";
  const green = checks(named("ci-a"), named("ci-b", { conclusion: "skipped" }));
  const holds = (facts: Facts, condition = ci) => truthOf(condition, facts) === "yes";

  test("needs one that matches at least, and all that match", () => {
    expect(truthOf(ci, checks(named("other")))).toBe("unknown");
    expect(truthOf(ci, green)).toBe("yes");
    expect(truthOf(ci, checks(named("ci-a"), named("ci-b", failed)))).toBe("no");
    expect(truthOf(ci, checks(named("ci-a"), named("ci-b", running)))).toBe("unknown");
    expect(truthOf("{ checks: ['build (ubuntu, *)'] }", checks(named("build (ubuntu, 18)")))).toBe("yes");
  });

  test.each(["{ checks: ['ci-*'] }", "checks_pass", "{ checks: { names: 'ci-*', result: any } }"])(
    "%s waits for every suite of the commit",
    (condition) => {
      const open = withSuites(green, [
        suite("1"),
        suite("2", { workflow: ".github/workflows/b.yml", finished: false }),
      ]);
      const result = evaluationOf(open, asking(condition));
      expect(truthOf(condition, open)).toBe("unknown");
      expect(result.stages[0]?.result.reason).toBe("more checks may come: .github/workflows/b.yml has not finished");
      expect(holds(withSuites(open, [suite("2", { workflow: ".github/workflows/b.yml", at: 9e12 })]), condition)).toBe(
        true,
      );
    },
  );

  test("asks which suites there are where that is not known, as of rows written before it was kept", () => {
    const { suites: _, ...old } = green;
    expect(evaluationOf(old, asking(ci))).toMatchObject({
      stage: null,
      lookups: [{ kind: "suites", sha: "aaaaaaa1" }],
    });
    expect(evaluationOf(old, asking("{ checks: [ci-a] }"))).toMatchObject({ stage: "only", lookups: [] });
    // Nobody is asked while something else is missing.
    expect(evaluationOf({ ...old, checks: [] }, asking(ci)).lookups).toEqual([]);
  });

  test("asks again once a suite has finished of which the last list did not know that", () => {
    const told = (seen: SuiteSeen) => record(green, { pull, kind: "checks", checks: [], suites: [seen] });
    const begun = told(suite("1", { finished: false }));
    expect(truthOf(ci, begun)).toBe("unknown");
    const ended = record(begun, { pull, kind: "checks", checks: [], suites: [suite("1", { at: 9e12 })] });
    expect(evaluationOf(ended, asking(ci))).toMatchObject({ stage: null, lookups: [{ kind: "suites" }] });
    expect(holds(withSuites(ended, [suite("1", { at: 9e12 })]))).toBe(true);
  });

  test("is not withdrawn while something runs again", () => {
    const again = { workflow: ".github/workflows/a.yml", at: 9e12 };
    const first = withSuites(green, [suite("1", again)]);
    expect(holds(first)).toBe(true);
    expect(holds(withSuites(first, [suite("1", { ...again, finished: false })]))).toBe(true);
    expect(holds(withSuites(first, [suite("2", { ...again, finished: false })]))).toBe(true);
    const other = { ...again, workflow: ".github/workflows/other.yml", finished: false };
    expect(holds(withSuites(first, [suite("3", other)]))).toBe(false);
  });

  test("of one app waits for that app's suites alone", () => {
    const condition = "{ checks: { names: 'ci-*', app: buildkite } }";
    const facts = checks(named("ci-a", { appSlug: "buildkite" }));
    expect(holds(withSuites(facts, [suite("1", { finished: false })]), condition)).toBe(true);
    expect(holds(withSuites(facts, [suite("1", { app: "buildkite", finished: false })]), condition)).toBe(false);
  });

  test("does not wait for a suite in which only checks go on that are ignored", () => {
    const facts = checks(named("ci-a"), named("cov/patch", { ...running, suite: "9" }));
    const open = withSuites(facts, [suite("9", { app: "cov", finished: false })]);
    expect(holds(open, "{ checks_pass: { ignore: 'cov/*' } }")).toBe(true);
    expect(holds(open, "checks_pass")).toBe(false);
    const more = record(open, checked(named("cov/more", { ...running, suite: "9", name: "covered" })));
    expect(holds(more, "{ checks_pass: { ignore: ['cov/*', covered] } }")).toBe(true);
    expect(holds(more, "{ checks_pass: { ignore: 'cov/*' } }")).toBe(false);
  });

  test("comes to the same in whatever order suites are told", () => {
    const seen = fc.record({
      id: fc.constantFrom("1", "2"),
      finished: fc.boolean(),
      at: fc.nat(3),
      workflow: fc.constantFrom(null, "a.yml"),
      all: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc
          .array(seen, { maxLength: 8 })
          .chain((list) =>
            fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
          ),
        ([list, shuffled]) => {
          const tell = (those: typeof list): Facts =>
            those.reduce(
              (facts, { all, ...each }) =>
                record(facts, {
                  pull,
                  kind: "checks",
                  checks: [],
                  suites: [suite(each.id, each)],
                  ...(all ? { allSuitesOf: "aaaaaaa1" } : {}),
                }),
              green,
            );
          expect(tell(shuffled).suites).toEqual(tell(list).suites);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("three values of truth", () => {
  const NAMES = ["a", "b", "c", "d"] as const;
  type World = Readonly<Record<(typeof NAMES)[number], Truth>>;
  const leaf = fc.constantFrom(...NAMES).map((name): Condition => ({ kind: "checks", names: [name], app: null }));
  const condition: fc.Arbitrary<Condition> = fc.letrec<{ tree: Condition }>((tie) => {
    const of = fc.array(tie("tree"), { minLength: 1, maxLength: 3 });
    return {
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        of.map((parts): Condition => ({ kind: "all", of: parts })),
        of.map((parts): Condition => ({ kind: "any", of: parts })),
        tie("tree").map((part): Condition => ({ kind: "not", of: part })),
      ),
    };
  }).tree;
  const truth = fc.constantFrom<Truth>("yes", "no", "unknown");
  const world: fc.Arbitrary<World> = fc.record({ a: truth, b: truth, c: truth, d: truth });

  function judged(tree: Condition, { ...truths }: World): Truth {
    const seen = NAMES.filter((name) => truths[name] !== "unknown");
    const facts = checks(...seen.map((name) => named(name, truths[name] === "yes" ? {} : failed)));
    const context: ConditionContext = {
      facts,
      acts: ActIndex.of(facts.acts),
      window: { key: "", counts: () => true, exclusion: () => null },
      commits: [facts.head.sha],
      present: true,
      inBackRule: false,
      startedWorkflows: new Set(),
      authority: () => ({ truth: "no", reason: "", lookups: [] }),
      ask: () => {},
      ourAppId: OUR_APP_ID,
      memo: null,
    };
    return evaluateTree(tree, context).truth;
  }

  /** Kleene's: the least for `all`, the greatest for `any`, the other end for `not`. */
  function expected(tree: Condition, truths: World): Truth {
    const order: readonly Truth[] = ["no", "unknown", "yes"];
    const rank = (part: Condition): number => order.indexOf(expected(part, truths));
    switch (tree.kind) {
      case "all":
        return order[Math.min(...tree.of.map(rank))] ?? "unknown";
      case "any":
        return order[Math.max(...tree.of.map(rank))] ?? "unknown";
      case "not":
        return order[2 - rank(tree.of)] ?? "unknown";
      default: {
        const name = NAMES.find((each) => tree.kind === "checks" && tree.names.includes(each)) ?? "a";
        return truths[name];
      }
    }
  }

  test("`all`, `any` and `not` combine them as Kleene does", () => {
    fc.assert(
      fc.property(condition, world, (tree, truths) => {
        expect(judged(tree, truths)).toBe(expected(tree, truths));
      }),
      { numRuns: 500 },
    );
  });

  test("what is certain stays so, whatever is reported later", () => {
    fc.assert(
      fc.property(condition, world, world, (tree, before, told) => {
        const later = { ...before };
        for (const name of NAMES) {
          later[name] = before[name] === "unknown" ? told[name] : before[name];
        }
        const first = judged(tree, before);
        expect(first === "unknown" || judged(tree, later) === first).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
