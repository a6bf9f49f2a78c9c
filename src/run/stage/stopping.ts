/** Ends a stage for the whole group: its time is over, its count is reached, or it has too many errors. */

import { completionRules } from "../../plan/stages/completion-rules.ts";
import { ENDS_SLACK_MS } from "../deadlines.ts";
import type { Draft } from "../draft.ts";
import { stopWaitOf } from "../group/abort.ts";
import { overThresholds } from "../measurement/thresholds.ts";
import type { StopReason } from "../state.ts";
import { withdrawLeases } from "../tasks/leases.ts";
import { finishAssignment } from "./assignments.ts";
import { outcome } from "./record-result.ts";

/** Who has nothing running is done at once, the others when they say so. */
export function stopStage(draft: Draft, stage: number, { why, well }: StopReason): void {
  const { now } = draft;
  draft.editStage(stage, { stopping: { since: now, until: now + stopWaitOf(draft.planned(stage)), why, well } });
  draft.notice(`stopping ${draft.planned(stage).name}: ${why}`);
  const { pool } = draft.stage(stage);
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { assignment } = draft.agent(slot);
    if (assignment === null || assignment.stage !== stage || assignment.finished) continue;
    const worksForPool = pool !== null && pool.generator !== slot;
    if (assignment.leases.length > 0 || (assignment.seenRunning && !worksForPool)) continue;
    if (assignment.lastFailure === null) finishAssignment(draft, slot, outcome(draft, "success", why));
    else {
      const { reason, end, tail } = assignment.lastFailure;
      finishAssignment(draft, slot, { status: "failure", reason, end, tail, endedAt: now });
    }
  }
}

/** Those who have not said within the time that they have ended what was stopped. */
export function finishUnstopped(draft: Draft, stage: number): void {
  for (let slot = 0; slot < draft.agents.size; slot++) {
    const { assignment } = draft.agent(slot);
    if (assignment === null || assignment.stage !== stage || assignment.finished) continue;
    withdrawLeases(draft, slot);
    const why = `did not end within ${stopWaitOf(draft.planned(stage)) / 1000} s after it was stopped`;
    finishAssignment(draft, slot, outcome(draft, "failure", why));
  }
}

/** Why a stage is to be stopped now; null: it is not. */
export function reasonToStop(draft: Draft, stage: number): StopReason | null {
  const run = draft.stage(stage);
  if (run.stopping !== null || run.pending === 0) return null;
  if (run.endsAt !== null && draft.now >= run.endsAt + ENDS_SLACK_MS)
    return { why: "its time is over for the group", well: true };
  const { completion, expectedObjects, expectedTasks, thresholds } = draft.planned(stage);
  const over = overThresholds(thresholds, run);
  if (over !== null) return { why: over, well: false };
  // Where each agent has its own share, its command ends by itself, with whatever it does after its last object.
  const { stopsByCount } = completionRules(completion);
  const isShared = draft.plan.pathSelection === "random" && run.workers > 1;
  if (stopsByCount === "never" || (stopsByCount === "shared" && !isShared)) return null;
  if (expectedObjects !== null && run.done >= expectedObjects)
    return { why: `all ${expectedObjects} objects are done`, well: true };
  const tasks = run.pool?.done ?? run.done;
  if (expectedTasks !== null && tasks >= expectedTasks)
    return { why: `all ${expectedTasks} tasks are done`, well: true };
  return null;
}
