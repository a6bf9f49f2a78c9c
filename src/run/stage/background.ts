/** What becomes of a run when a background command is gone before its last stage is over. */
import type { Draft } from "../draft.ts";
import { failRun, stopWaitOf } from "../group/abort.ts";
import type { BackgroundRun } from "../state.ts";
import type { AttemptReport } from "../types.ts";
import { judgeStage } from "./judgement.ts";
import { publishOutputs } from "./record-result.ts";

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

/** Background commands of an agent whose last stage is over: it ends them by itself, and tells what they came to. */
export function noteEnding(draft: Draft, slot: number): void {
  const { backgrounds } = draft.agent(slot);
  const isOver = ({ stage, ending }: BackgroundRun): boolean => ending === undefined && isPast(draft, stage);
  if (!backgrounds.some(isOver)) return;
  draft.editAgent(slot, { backgrounds: backgrounds.map((run) => (isOver(run) ? { ...run, ending: true } : run)) });
}

/**
 * Before the run is over: what ran in the background to its last stage is ended, so that what it measured is in the
 * result. @returns whether there is something to wait for
 */
export function waitForEndings(draft: Draft): boolean {
  const { head, now } = draft;
  if (head.backgrounds === 0) return false;
  let waitMs = 0;
  for (let slot = 0; slot < draft.agents.size; slot++) {
    noteEnding(draft, slot);
    for (const { stage } of draft.agent(slot).backgrounds) waitMs = Math.max(waitMs, stopWaitOf(draft.planned(stage)));
  }
  head.stopping = { since: now, until: now + waitMs };
  head.revision++;
  return true;
}

/** What a background command told after its stage was closed is there for the stages to come, and in the result. */
export function tellLate(draft: Draft, report: AttemptReport): void {
  const { stage, metrics, outputs, histograms, annotations } = report;
  const told = metrics.length + annotations.length + Object.keys({ ...outputs, ...histograms }).length;
  if (told === 0 || draft.stage(stage).phase !== "closed") return;
  publishOutputs(draft, stage);
  draft.head.steps++;
}

/** Whether the last stage for which a background stage must live is behind the group. */
export function isPast(draft: Draft, stage: number): boolean {
  const until = draft.planned(stage).background?.until;
  const last = draft.plan.stages.findIndex(({ name }) => name === until);
  const { segment, position } = draft.head;
  return segment === null ? position > last : segment.first > last;
}
