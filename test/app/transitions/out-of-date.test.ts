/** GitHub's copies lag: what is read shortly after a write may tell of a time before it. */
import { expect, test } from "vitest";
import type { ConfirmedCheck, Pull } from "../../../app/store/model.ts";
import { isOutOfDate } from "../../../app/transitions/verify.ts";
import type { CheckRead, PullSeen } from "../../../src/github/pulls/pull-fields.ts";
import { history, opened } from "../../lifecycle/builders.ts";
import { pullState, SHA } from "../builders.ts";

const name = "stagewright / pr-created";
const confirmed: ConfirmedCheck = { name, nodeId: "CR_1", sha: SHA, completed: false, digest: "" };
const read: CheckRead = { nodeId: "CR_1", name, status: "queued", conclusion: null, title: "", summary: "", text: "" };
const seen: PullSeen = { number: 7, state: pullState(), labels: [] };
const desired = (checks: readonly ConfirmedCheck[]): { pull: Pull } => ({
  pull: {
    repositoryId: 1,
    number: 7,
    installationId: 5,
    version: 1,
    facts: history(opened()),
    confirmed: { stage: null, labels: [], checks, absent: { labels: [], at: 0 } },
    evaluation: null,
    reevaluateAt: null,
    reevaluationTries: 0,
    intent: null,
    intentAt: null,
    blocked: null,
  },
});

test("an answer without a check run that was confirmed is an old one: nothing is made a second time", () => {
  expect(isOutOfDate(desired([confirmed]), { pull: seen, checks: [] })).toBe(true);
  expect(isOutOfDate(desired([confirmed]), { pull: seen, checks: [read] })).toBe(false);
  expect(isOutOfDate(desired([{ ...confirmed, sha: "f".repeat(40) }]), { pull: seen, checks: [] })).toBe(false);
});
