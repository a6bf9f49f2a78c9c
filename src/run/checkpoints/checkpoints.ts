/** A run that waits for a person: before a stage that asks for it, and around every stage while somebody attends to it. */
import { approversText } from "../../plan/checkpoints.ts";
import { formatDuration } from "../../plan/parsing/duration.ts";
import { checkedTasks } from "../../plan/stages/tasks.ts";
import { endOfCheckpoint } from "../deadlines.ts";
import type { Draft } from "../draft.ts";
import { failRun, isFailing } from "../group/abort.ts";
import { goBack } from "../rounds/rounds.ts";
import { skip } from "../stage/start.ts";
import type { Failure } from "../state.ts";
import type { RunEvent } from "../types.ts";

/** What a person says of a run. */
export type PersonEvent = Extract<
  RunEvent,
  { readonly type: "attended" | "approved" | "stage_left_out" | "stage_reviewed" }
>;

/** Takes what a person says, as far as it is about what the run waits for, or may come to. */
export function heedPerson(draft: Draft, event: PersonEvent): void {
  switch (event.type) {
    case "attended":
      draft.head.attended = event.wanted;
      return;
    case "approved":
      approve(draft, event);
      return;
    case "stage_left_out": {
      const { stage, round, by } = event;
      if (!isAsked(draft, stage, round) || draft.head.checkpoint?.after !== undefined) return;
      draft.head.checkpoint = null;
      skip(draft, stage, `left out by ${by}`);
      return;
    }
    case "stage_reviewed":
      review(draft, event);
      return;
    default:
      event satisfies never;
  }
}

/** Asks for a person before the stage that comes next. @returns whether something has changed */
export function awaitApproval(draft: Draft, index: number): boolean {
  const { head, now } = draft;
  if (head.checkpoint !== null) return false;
  head.checkpoint = { stage: index, since: now };
  // Who attends to the run is asked, and sees it.
  if (head.attended !== true)
    draft.notice(`waiting for ${approversText(draft.planned(index))} before ${draft.planned(index).name}`);
  return true;
}

/** Why the wait for a person is over without an answer; null: it is not. */
export function unanswered({ head, now }: Draft): string | null {
  const { checkpoint, plan } = head;
  const until = endOfCheckpoint(head);
  if (checkpoint === null || until === null || now < until) return null;
  const where = checkpoint.after === undefined ? "before it" : "after it";
  const by = plan.stages[checkpoint.stage]?.approval?.by ?? [];
  const who =
    by.length === 0 ? "no person" : `none of ${by.slice(0, NAMED).join(", ")}${by.length > NAMED ? ", …" : ""}`;
  return `${who} answered within ${formatDuration(until - checkpoint.since)} ${where}`;
}

const NAMED = 10;

/** Goes on from the look at a stage that is over: to what comes next, or into the failure that was held back. */
export function endReview(draft: Draft, otherwise: Omit<Failure, "at"> | null = null): void {
  const failure = draft.head.checkpoint?.after?.failure ?? otherwise;
  draft.head.checkpoint = null;
  if (draft.head.withheld != null) draft.head.withheld = null;
  if (failure !== null) failRun(draft, failure);
}

/** Where the plan says so, a stage begins though nobody has answered. @returns whether it says so */
export function goesOnUnanswered(draft: Draft, stage: number, why: string): boolean {
  const planned = draft.planned(stage);
  if (!planned.checkpoint || planned.approval?.onTimeout !== "go_on") return false;
  draft.head.checkpoint = null;
  draft.head.approved = [...draft.head.approved, stage];
  draft.editStage(stage, { approval: { by: null, why, at: draft.now } });
  draft.notice(`${planned.name} begins: ${why}`);
  return true;
}

/** Whether the run waits for a word about this round of this stage. */
function isAsked(draft: Draft, stage: number, round: number): boolean {
  return draft.head.checkpoint?.stage === stage && draft.stage(stage).round === round;
}

/** Of this round alone: a later one is asked for again. What nobody has come to may be approved beforehand. */
function approve(draft: Draft, event: Extract<PersonEvent, { type: "approved" }>): void {
  const { stage, round, by, why = null, tasks } = event;
  const { head } = draft;
  const planned = draft.plan.stages[stage];
  if (planned === undefined || head.approved.includes(stage)) return;
  const run = draft.stage(stage);
  if (run.phase !== "before" || (round !== undefined && round !== run.round)) return;
  if (tasks !== undefined) {
    const { source, needs } = planned.tasks ?? {};
    if (source === undefined || needs === undefined || source.kind === "from" || planned.quorum !== undefined) return;
    if ("problem" in checkedTasks(tasks, needs)) return;
    draft.editStage(stage, { given: tasks });
    draft.notice(`${by} gave ${planned.name} ${tasks.length} tasks`);
  }
  head.approved = [...head.approved, stage];
  if (planned.checkpoint) draft.editStage(stage, { approval: { by, why, at: draft.now } });
  if (head.attended !== true || planned.checkpoint) draft.notice(`${by} approved ${planned.name}`);
}

function review(draft: Draft, event: Extract<PersonEvent, { type: "stage_reviewed" }>): void {
  const { stage, round, by, repeat } = event;
  if (isFailing(draft) || !isAsked(draft, stage, round) || draft.head.checkpoint?.after === undefined) return;
  if (repeat === null) {
    endReview(draft);
    return;
  }
  draft.head.checkpoint = null;
  draft.head.withheld = null;
  const { name } = draft.planned(stage);
  const deficiencies = [{ validator: by, deficiency: repeat }];
  goBack(draft, { from: stage, why: `${by} wants it again`, by: stage, because: { stage: name, round, deficiencies } });
}
