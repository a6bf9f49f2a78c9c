import { describe, expect, it } from "vitest";
import {
  combineGateVerdicts,
  evaluateGate,
  evaluateUnattachedRun,
  type GateVerdict,
  isOfDefaultBranch,
} from "../../../src/lifecycle/evaluation/deployment-gate.ts";
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
});

it("facts are the input, nothing else is", () => {
  const facts = openedThen(go);
  expect(gate(facts)).toEqual(gate(JSON.parse(JSON.stringify(facts))));
});
