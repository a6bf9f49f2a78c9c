/** What becomes of a run when a background command is gone before its last stage is over. */
import type { Draft } from "../draft.ts";
import { failRun } from "../group/abort.ts";
import { judgeStage } from "./judgement.ts";

/**
 * The run fails, unless the stage is optional: then the group goes on, and what needs the stage's result is left out.
 * `remark`: for the stage's record; `reason`: names the stage.
 */
export function loseBackground(draft: Draft, stage: number, remark: string, reason: string): void {
  const planned = draft.planned(stage);
  draft.remark(stage, "failures", remark);
  if (!planned.optional) {
    failRun(draft, { kind: "failed", stage, reason });
    return;
  }
  draft.notice(`${reason}: the group goes on, as its stage is optional`);
  const run = draft.stage(stage);
  // Its result was written when everyone was ready.
  if (run.phase !== "closed") return;
  const { status, worked, reasons } = judgeStage(planned, run, draft.head.failure);
  draft.editStage(stage, { status, worked, reason: reasons.join("; ") });
  draft.head.steps++;
}
