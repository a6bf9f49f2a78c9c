import { describe, expect, it } from "vitest";
import {
  combineGateVerdicts,
  evaluateGate,
  evaluateUnattachedRun,
  type GateVerdict,
  isOfDefaultBranch,
  releasesAny,
} from "../../../src/lifecycle/evaluation/deployment-gate.ts";
import type { Evaluation } from "../../../src/lifecycle/evaluation/evaluation.ts";
import type { Facts } from "../../../src/lifecycle/facts/facts.ts";
import { validCommits } from "../../../src/lifecycle/facts/pushes.ts";
import {
  alice,
  cleo,
  comment,
  did,
  evaluationOf,
  history,
  labeled,
  minute,
  opened,
  openedThen,
  permissions,
  pushed,
  unlabeled,
} from "../builders.ts";
import { policyOf } from "../policies.ts";

const HEAD = "aaaaaaa1";
const policy = policyOf(`version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: go }, on_enter: [{ release: qa }, { release: { environment: preview, forks: true } }] }
  - { name: done, enter: { label: ship }, when: { base: main }, on_enter: [{ release: production }] }
on_push: { back_to: open, except: { by: ["cleo[bot]"] } }
`);

interface Case {
  readonly environment?: string;
  readonly sha?: string | null;
  readonly shown?: string | null;
}
function gate(facts: Facts, { environment = "qa", sha = HEAD, shown }: Case = {}): GateVerdict {
  const evaluation = evaluationOf(facts, policy);
  const commits = validCommits(facts, policy, permissions);
  const shownStage = shown === undefined ? evaluation.stage : shown;
  return evaluateGate({ environment, sha, pull: { facts, evaluation, policy, confirmedStage: shownStage, commits } });
}
const closed = (merged: boolean) => did({ kind: "closed", at: minute(9), by: alice, merged });
const go = labeled(1, "go", alice);
const ship = labeled(2, "ship", alice);

describe("a gate", () => {
  it.each<[string, Parameters<typeof history>, Case, string, RegExp]>([
    ["opens at the stage", [opened(), did(go)], {}, "approved", /#7 has reached qa/],
    ["opens at a later stage", [opened(), did(go, ship)], {}, "approved", /#7 has reached qa/],
    ["opens whatever the case of its name", [opened(), did(go)], { environment: "QA" }, "approved", /./],
    ["waits before the stage", [opened()], {}, "wait", /until #7 is in qa; it is in open\. Next is qa: .*go/],
    ["waits for a draft", [opened({ draft: true })], {}, "wait", /it is in no stage yet/],
    ["waits until GitHub shows the stage", [opened(), did(go)], { shown: "open" }, "wait", /about to be shown/],
    ["waits after the stage was left, though it still is shown", [opened()], { shown: "qa" }, "wait", /it is in open/],
    ["waits for a later stage of its own", [opened(), did(go)], { environment: "production" }, "wait", /is in done/],
    ["waits where no stage releases it", [opened(), did(go)], { environment: "moon" }, "wait", /add `on_enter/],
    [
      "waits where the stage does not exist for this one",
      [opened({ base: { sha: "0", ref: "old" } }), did(go)],
      { environment: "production" },
      "wait",
      /no stage of the policy that #7 goes through releases production/,
    ],
    ["waits on hold", [opened(), did(go, comment(3, alice, "hold", "Monday"))], {}, "wait", /on hold by alice: Monday/],
    [
      "waits for what has opted out",
      [opened({ labels: ["stagewright/off"] }), did(go)],
      {},
      "wait",
      /stagewright\/off/,
    ],
    ["waits for a commit that is not known yet", [opened(), did(go)], { sha: "fffffff" }, "wait", /not known/],
    ["is for the head of a merge group, too", [opened(), did(go)], { sha: null }, "approved", /./],
    ["is rejected for an old head", [opened(), did(go, pushed(4, HEAD, "b2", alice))], {}, "rejected", /superseded/],
    [
      "is not superseded by an excepted push",
      [opened(), did(go, pushed(4, HEAD, "b2", cleo))],
      {},
      "approved",
      /has reached qa/,
    ],
    ["is rejected when closed", [opened(), did(go), closed(false)], { shown: "qa" }, "rejected", /was closed/],
    ["opens after a merge that had reached it", [opened(), did(go), closed(true)], { shown: "qa" }, "approved", /./],
    ["is rejected after a merge before", [opened(), closed(true)], { shown: "open" }, "rejected", /merged before/],
  ])("%s", (_, changes, input, verdict, reason) => {
    const answer = gate(history(...changes), input);
    expect(answer).toMatchObject({ verdict });
    expect(answer.reason).toMatch(reason);
  });

  it("tells of the first stage that releases it, and knows whatever it was before", () => {
    const twice = policyOf(`version: 1
stages:
  - { name: open, enter: { draft: false } }
  - { name: qa, enter: { label: go }, on_enter: [{ comment: x }, { release: QA }] }
  - { name: done, enter: { label: ship }, on_enter: [{ release: qa }] }
`);
    const answer = (facts: Facts, shown: string, sha: string | null = null) => {
      const pull = {
        facts,
        evaluation: evaluationOf(facts, twice),
        policy: twice,
        confirmedStage: shown,
        commits: [HEAD],
      };
      return evaluateGate({ environment: "qa", sha, pull });
    };
    expect(answer(openedThen(go, ship), "done").reason).toBe("#7 has reached qa");
    expect(answer(openedThen(go, ship), "qa").reason).toBe("#7 has reached qa");
    expect(answer(openedThen(go), "done").reason).toBe("#7 has reached qa");
    expect(answer(openedThen(), "open").reason).toMatch(
      /^waits until #7 is in qa; it is in open\. Next is qa: label go is missing/,
    );
    const last = answer({ ...openedThen(go, ship, unlabeled(3, "go", alice)) }, "done");
    expect(last.reason).toMatch(/^waits until #7 is in qa; it is in open\. Next is qa: /);
    const heads = { ...openedThen(go), heads: { old: 1 } };
    expect(answer(heads, "qa", "old")).toEqual({
      verdict: "rejected",
      reason: "superseded: old is not the head of #7 any more",
    });
    const before = openedThen(go, pushed(4, "0123456789", "x", alice));
    expect(answer({ ...before, heads: {} }, "qa", "0123456789").reason).toBe(
      "superseded: 0123456 is not the head of #7 any more",
    );
    expect(answer({ ...before, heads: {} }, "qa", "constructor")).toEqual({
      verdict: "wait",
      reason: "constru is not known as a commit of #7 yet",
      tell: false,
    });
    expect(answer({ ...before, heads: { x: 1 } }, "qa", "x")).toMatchObject({ verdict: "wait" });
    expect([releasesAny(twice), releasesAny(policyOf("stages: [{ name: a, enter: { draft: false } }]\n"))]).toEqual([
      true,
      false,
    ]);
  });

  it("on hold is told so, by whom and why", () => {
    const facts = openedThen(go);
    const said = (held: Evaluation["held"]) => {
      const evaluation = { ...evaluationOf(facts, policy), held };
      return evaluateGate({
        environment: "qa",
        sha: HEAD,
        pull: { facts, evaluation, policy, confirmedStage: "qa", commits: [HEAD] },
      });
    };
    const hold = { why: "command", at: 0, by: alice, reason: "" } as const;
    expect(said(hold)).toEqual({ verdict: "wait", reason: "#7 is on hold by alice", tell: true });
    expect(said({ ...hold, why: "max_rounds", by: null, reason: "tired" })).toMatchObject({
      reason: "#7 is on hold by the policy: tired",
    });
    expect(said(null)).toMatchObject({ verdict: "approved" });
  });

  const fork = opened({ head: { sha: HEAD, ref: "main", repositoryId: 777 } });
  it("of a fork's head is rejected, unless the stage says otherwise", () => {
    expect(gate(history(fork, did(go)))).toMatchObject({ verdict: "rejected" });
    expect(gate(history(fork, did(go)), { environment: "preview" })).toMatchObject({ verdict: "approved" });
    const gone = opened({ head: { sha: HEAD, ref: "main", repositoryId: null } });
    expect(gate(history(gone, did(go)))).toMatchObject({ verdict: "rejected" });
  });

  it("of what is not known yet waits without a word", () => {
    expect(gate(history(did(go)), { shown: null })).toMatchObject({ verdict: "wait", tell: false });
  });
});

describe("several pull requests with one commit", () => {
  const yes = { open: true, verdict: { verdict: "approved", reason: "yes" } } as const;
  const no = { open: true, verdict: { verdict: "wait", reason: "no", tell: true } } as const;
  const never = { open: true, verdict: { verdict: "rejected", reason: "never" } } as const;
  it("go by the one that is least ready", () => {
    expect(combineGateVerdicts([yes, no]).reason).toBe("no");
    expect(combineGateVerdicts([no, never, yes]).reason).toBe("never");
    expect(combineGateVerdicts([yes, yes]).reason).toBe("yes");
    const [other, later] = [never, no].map((each) => ({ ...each, verdict: { ...each.verdict, reason: "other" } }));
    if (other === undefined || later === undefined) throw new Error("There are two.");
    expect(combineGateVerdicts([never, other]).reason).toBe("never");
    expect(combineGateVerdicts([yes, no, later]).reason).toBe("no");
    expect(() => combineGateVerdicts([])).toThrow("No pull request was evaluated.");
  });
  it("go by those that are open, if any is", () => {
    expect(combineGateVerdicts([{ ...never, open: false }, yes]).reason).toBe("yes");
    expect(combineGateVerdicts([{ ...never, open: false }]).reason).toBe("never");
  });
});

describe("a run of no pull request", () => {
  const free = { event: "push", ref: "refs/heads/main", defaultBranch: "main", waitedMs: 0, mostMs: 3_600_000 };
  it.each([
    [{}, "approved"],
    [{ ref: "refs/heads/main" }, "approved"],
    [{ event: "schedule" }, "approved"],
    [{ ref: "refs/tags/main" }, "wait"],
    [{ ref: "other" }, "wait"],
    [{ event: "workflow_dispatch" }, "wait"],
    [{ event: "repository_dispatch" }, "wait"],
    [{ event: "workflow_run" }, "wait"],
    [{ event: "pull_request_target" }, "wait"],
    [{ ref: "", defaultBranch: "" }, "wait"],
    [{ ref: "main" }, "wait"],
    [{ ref: "refs/tags/main" }, "wait"],
    [{ ref: "other", waitedMs: 3_600_000 }, "rejected"],
  ])("%j is %s", (overrides, verdict) => {
    const run = { ...free, ...overrides };
    expect(evaluateUnattachedRun(run).verdict).toBe(verdict);
    expect(isOfDefaultBranch(run)).toBe(verdict === "approved");
  });

  it.each([
    [3_599_999, 3_600_000, "wait", /^no open pull request has this commit as its head; it waits 1 h for one\./],
    [3_600_000, 3_600_000, "rejected", /^no pull request with this commit was opened within 1 h$/],
    [1, 1, "rejected", /within 1 h$/],
    [0, 9_000_000, "wait", / it waits 3 h for one/],
    [0, 8_999_999, "wait", / it waits 2 h for one/],
  ])("that waited %i of %i ms: %s", (waitedMs, mostMs, verdict, reason) => {
    const answer = evaluateUnattachedRun({ ...free, ref: "other", waitedMs, mostMs });
    expect(answer.verdict).toBe(verdict);
    expect(answer.reason).toMatch(reason);
  });
});

it("facts are the input, nothing else is", () => {
  const facts = openedThen(go);
  expect(gate(facts)).toEqual(gate(JSON.parse(JSON.stringify(facts))));
});
