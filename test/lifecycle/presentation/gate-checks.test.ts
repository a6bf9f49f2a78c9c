import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { desiredStateOf } from "../../../app/evaluation/desired-state.ts";
import { groupChecks, heldGroupChecks } from "../../../app/evaluation/merge-groups/merge-groups.ts";
import { keptBack, sharingOf } from "../../../app/evaluation/shared-commits.ts";
import { evaluate } from "../../../src/lifecycle/evaluation/evaluate.ts";
import type { Evaluation, Hold } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import type { Policy } from "../../../src/lifecycle/policy/policy.ts";
import { desiredDisplay } from "../../../src/lifecycle/presentation/display.ts";
import { letsPass } from "../../../src/lifecycle/presentation/gate-checks.ts";
import {
  alice,
  bob,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  minute,
  OUR_APP_ID,
  opened,
  openedThen,
  permissions,
  review,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const GATED = policyOf(`version: 1
stages:
  - { name: open, gate: true, enter: { draft: false } }
  - { name: security, gate: true, when: { label: sensitive }, enter: { label: { name: safe, by: [bob] } } }
  - { name: approved, gate: true, enter: { approvals: 1 } }
`);
const FILES = policyOf(`version: 1
stages:
  - { name: docs, gate: true, when: { paths: "docs/**" }, enter: { label: read } }
  - { name: done, gate: true, enter: { draft: false } }
`);
const REPOSITORY_HOLD: Hold = { why: "repository", at: minute(50), by: alice, reason: "release" };

function checks(facts: Facts, policy: Policy, repositoryHold: Hold | null = null): Record<string, string> {
  const evaluation = evaluate({ facts, policy, permissions, ourAppId: OUR_APP_ID, repositoryHold });
  const result = desiredDisplay({ evaluation, policy, facts });
  return Object.fromEntries((result?.checks ?? []).map((each) => [each.stage, each.conclusion ?? each.status]));
}

function listed(...files: string[]): Facts {
  const facts = openedThen();
  return { ...facts, files };
}

describe("a gate whose `when` does not apply", () => {
  test("is skipped, with the reason, so that nobody waits for it", () => {
    const facts = openedThen();
    expect(checks(facts, GATED)).toEqual({ open: "success", approved: "in_progress", security: "skipped" });
    const shown = desiredDisplay({ evaluation: evaluationOf(facts, GATED), policy: GATED, facts })?.checks ?? [];
    expect(shown.find(({ stage }) => stage === "security")?.title).toMatch(
      /^Does not apply: label sensitive is missing/u,
    );
    expect(checks(openedThen(labeled(1, "sensitive", alice)), GATED)).toMatchObject({ security: "in_progress" });
  });

  test("waits as long as that is not known, and is not shown before anything is", () => {
    expect(checks(openedThen(), FILES)).toEqual({ docs: "in_progress", done: "queued" });
    expect(checks(listed("src/a.ts"), FILES)).toEqual({ docs: "skipped", done: "success" });
    expect(checks(listed("docs/a.md"), FILES)).toEqual({ docs: "in_progress", done: "queued" });
    // Who put the label on is not known, so neither is whether it counts.
    expect(checks(history(opened({ labels: ["sensitive"] })), GATED)).toMatchObject({ security: "in_progress" });
    const unheard = history(did(labeled(1, "x", alice)));
    expect(desiredDisplay({ evaluation: evaluationOf(unheard, GATED), policy: GATED, facts: unheard })).toBeNull();
  });

  test("opens nothing where the pull request has opted out", () => {
    expect(checks(openedThen(labeled(1, "stagewright/off", alice)), GATED)).toMatchObject({ security: "cancelled" });
  });

  test("is a success on a merge group that it does not apply to at all, and fails one that it does", () => {
    const calm = { number: 7, evaluation: evaluationOf(openedThen(review(1, bob, "approved")), GATED) };
    const sensitive = { number: 8, evaluation: evaluationOf(openedThen(labeled(1, "sensitive", alice)), GATED) };
    const said = (members: Parameters<typeof groupChecks>[0]) =>
      groupChecks(members).find(({ name }) => name.endsWith("security"));
    expect(said([calm])).toMatchObject({ conclusion: "success", title: "Applies to none of #7" });
    expect(said([calm, sensitive])).toMatchObject({ conclusion: "failure" });
  });

  test("stays closed for another pull request with the same commit that has need of it", () => {
    const calm = { number: 7, facts: openedThen(), evaluation: evaluationOf(openedThen(), GATED) };
    const other = openedThen(labeled(1, "sensitive", alice));
    const sharing = sharingOf([calm, { number: 8, facts: other, evaluation: evaluationOf(other, GATED) }], GATED);
    const shown = desiredDisplay({ ...calm, policy: GATED })?.checks.find(({ stage }) => stage === "security");
    if (sharing === null || shown === undefined) throw new Error("a shared commit with a gate");
    expect(shown.conclusion).toBe("skipped");
    const { stage, ...check } = shown;
    expect(keptBack({ ...check, actions: [] }, stage, sharing)).toMatchObject({
      status: "queued",
      title: "Waits for #8, which has not reached it",
    });
  });
});

describe("a gate that ceases to exist", () => {
  const LATER = policyOf(`version: 1
stages:
  - { name: open, gate: true, enter: { draft: false } }
  - { name: approved, enter: { approvals: 1 } }
checks: gates
`);
  test.each([
    ["stagewright / security", "Does not apply: the policy has no such stage any more"],
    ["stagewright / approved", "Does not apply: it is no gate any more, and the policy shows gates alone"],
  ])("%s is concluded, whatever it showed", (name, title) => {
    expect(shownOnceAs(name, openedThen(), LATER)).toMatchObject({ status: "completed", conclusion: "skipped", title });
    expect(shownOnceAs(name, openedThen(comment(1, alice, "hold")), LATER)).toMatchObject({ status: "in_progress" });
  });

  test("lets nothing pass that the gates of the policy keep: it may be one of them by another name", () => {
    const renamed = policyOf(`version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: merge, gate: true, enter: { approvals: 1 } }
`);
    expect(shownOnceAs("stagewright / approved", openedThen(), renamed)).toMatchObject({ conclusion: "cancelled" });
    const approved = openedThen(review(1, bob, "approved"));
    expect(shownOnceAs("stagewright / approved", approved, renamed)).toMatchObject({ conclusion: "skipped" });
  });

  function shownOnceAs(name: string, facts: Facts, policy: Policy) {
    const evaluation = evaluationOf(facts, policy);
    const check = { name, nodeId: "C", sha: facts.head.sha, completed: false, seen: "queued: ", digest: "" };
    const shown = { stage: null, labels: [], checks: [check], absent: { labels: [], at: 0 } };
    const input = { facts, evaluation, after: evaluation, policy, shown, sharing: null, stop: null };
    return desiredStateOf(input)?.checks.find((each) => each.name === name);
  }
});

describe("while a hold is in force", () => {
  const deed = fc
    .nat(40)
    .chain((at) =>
      fc.constantFrom(
        labeled(at, "sensitive", alice),
        labeled(at, "safe", bob),
        review(at, bob, "approved"),
        comment(at, alice, "hold", "wait"),
        comment(at, alice, "unhold"),
        comment(at, alice, "back"),
      ),
    );

  test("no gate lets a pull request be merged, of whichever policy, and none waits where there is none", () => {
    fc.assert(
      fc.property(
        fc.array(deed, { maxLength: 8 }),
        fc.constantFrom(GATED, { ...GATED, maxRounds: 1 }, { ...GATED, checks: "gates" as const }),
        fc.boolean(),
        (deeds, policy, wholeRepository) => {
          const facts = openedThen(...deeds);
          const repositoryHold = wholeRepository ? REPOSITORY_HOLD : null;
          const evaluation = evaluate({ facts, policy, permissions, ourAppId: OUR_APP_ID, repositoryHold });
          const shown = desiredDisplay({ evaluation, policy, facts })?.checks ?? [];
          const gates = policy.stages.filter(({ gate }) => gate).map(({ name }) => name);
          expect(gates.every((name) => shown.some(({ stage }) => stage === name))).toBe(true);
          const passing = shown.filter((each) => gates.includes(each.stage) && letsPass(each));
          if (evaluation.held !== null) {
            expect(passing).toEqual([]);
          }
        },
      ),
    );
  });

  test.each([
    ["a hold of it", openedThen(review(1, bob, "approved"), comment(2, alice, "hold", "wait")), null],
    ["too many rounds", openedThen(review(1, bob, "approved"), comment(2, alice, "back")), null],
    ["a hold of the repository", openedThen(review(1, bob, "approved")), REPOSITORY_HOLD],
  ])("a merge group is not merged: %s", (_, facts, repositoryHold) => {
    const policy = { ...GATED, maxRounds: 1 };
    const evaluation: Evaluation = evaluate({ facts, policy, permissions, ourAppId: OUR_APP_ID, repositoryHold });
    const members = [{ number: 7, evaluation }];
    const group = repositoryHold === null ? groupChecks(members) : heldGroupChecks(members, repositoryHold);
    expect(group.length).toBe(3);
    expect(group.filter(letsPass)).toEqual([]);
    expect(new Set(group.map(({ conclusion, status }) => conclusion ?? status))).toEqual(
      new Set([repositoryHold === null ? "failure" : "in_progress"]),
    );
  });
});
