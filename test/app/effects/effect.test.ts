import { expect, it } from "vitest";
import { type EffectOccasion, effectKey } from "../../../app/effects/effect.ts";

/** What is stored has these keys: one that becomes another is done once more, for everybody. */
it("keys stay what they are", () => {
  const pull = { repositoryId: 5, number: 7 };
  const of = (occasion: EffectOccasion): string => effectKey(pull, occasion);
  const stage = { of: "stage", stage: "qa", occasion: "enter", index: 0, kind: "comment" } as const;
  expect([
    of({ ...stage, which: 1_000 }),
    of({ ...stage, kind: "auto_merge", which: "move-qa" }),
    of({ of: "comment", commentId: "9", edited: false }),
    of({ of: "comment", commentId: "9", edited: true }),
    of({ of: "button", deliveryId: "d" }),
    of({ of: "hold answered", answer: "5-7-answer-9" }),
    of({ of: "policy file", head: "abc", oid: "def" }),
    of({ of: "policy file", head: "abc", oid: null }),
    of({ of: "merge group", headSha: "abc" }),
    of({ of: "dequeued", content: "t" }),
    of({ of: "label changed", act: "labeled:stage/qa@1" }),
    of({ of: "corrections stopped", at: 2 }),
    of({ of: "label unclear", label: "Go", at: 3 }),
    of({ of: "effect ended", id: 4, at: 6 }),
  ]).toEqual([
    "5-7-qa-enter-1000-0-comment",
    "5-7-qa-enter-move-qa-0-auto_merge",
    "5-7-answer-9",
    "5-7-answer-9-edited",
    "5-7-button-d",
    "5-7-answer-9-hold_progress",
    "5-7-proposed_policy-abc-def",
    "5-7-proposed_policy-abc-removed",
    "5-merge-group-abc",
    "5-7-dequeued-t",
    "5-7-tampering-labeled:stage/qa@1",
    "5-7-tampering-stop@2",
    "5-7-unclear-go-3",
    "5-7-failure_report-4-6",
  ]);
});
