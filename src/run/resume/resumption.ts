/** Which stages a run goes through that goes on from a saved state: which are done, and which are run again all the same. */
import { jsonBytes } from "../../plan/bounds.ts";
import type { Plan, PlanStage } from "../../plan/plan.ts";
import { isSelected } from "../../plan/select.ts";
import type { Draft } from "../draft.ts";
import type { AgentState } from "../state.ts";
import type { Selection } from "../types.ts";
import type { Resumed } from "./carried.ts";

/**
 * Indexes of the finished stages that are not run again.
 *
 * What was finished stays so, unless it is named to be run. Around what is still to be done are run again: what was
 * checked or prepared on machines that are not (all) there any more, background commands that run until then or later,
 * cleanup, and what the plan says (`resume: rerun`). When nothing is left to be done, nothing is run again.
 *
 * @param keepsFiles what stages left on their machines is still there
 */
export function reusedStages(
  plan: Plan,
  selection: Selection,
  finished: ReadonlySet<string>,
  keepsFiles: boolean,
): readonly number[] {
  const done = plan.stages.filter((stage) => finished.has(stage.name) && isSelected(selection, stage.index));
  if (selection.only !== null) return [];
  const left = plan.stages.filter((stage) => isSelected(selection, stage.index) && !finished.has(stage.name));
  const last = left.findLast(({ when }) => when === "on_success")?.index ?? -1;
  const runsAgain = (stage: PlanStage): boolean => {
    if (stage.resume !== undefined) return stage.resume === "rerun" && last >= 0;
    if (stage.when !== "on_success") return last >= 0;
    if (stage.background !== null || stage.index > last) return false;
    return !keepsFiles && (stage.type === "validation" || stage.type === "prepare");
  };
  const again = new Set(done.filter(runsAgain).map(({ index }) => index));
  const runs = ({ index, when }: PlanStage): boolean =>
    when === "on_success" && (again.has(index) || left.some((stage) => stage.index === index));
  // Each is needed by those after it; of several that need one another the later one first.
  for (const stage of done.toReversed()) {
    if (stage.background === null) continue;
    const until = untilOf(plan, stage);
    if (plan.stages.slice(stage.index + 1, until + 1).some(runs)) again.add(stage.index);
  }
  return done.filter(({ index }) => !again.has(index)).map(({ index }) => index);
}

function untilOf({ stages }: Plan, { background }: PlanStage): number {
  return stages.findIndex(({ name }) => name === background?.until);
}

/** Whether what stages left on their machines is still there for this group. */
export function keepsFiles(
  plan: Plan,
  { hosts }: Resumed,
  agents: readonly Pick<AgentState, "name" | "machine">[],
): boolean {
  return (
    plan.sharedFilesystem ||
    agents.every(({ name, machine }) => {
      const host = machine?.host;
      return host !== undefined && hosts[name] === host;
    })
  );
}

/** Decides for the group that is complete now. What is to be made again is not there meanwhile. */
export function beginResumed(draft: Draft): void {
  const { head, plan } = draft;
  const { resumed, anew } = head.carried;
  if (anew !== undefined) draft.notice(`begins anew: ${anew}`);
  if (resumed === undefined) return;
  const finished = new Set(resumed.finished.map(({ name }) => name));
  const reused = reusedStages(plan, head.selection, finished, keepsFiles(plan, resumed, [...draft.agents]));
  const names = reused.map((index) => draft.planned(index).name);
  head.carried = { ...head.carried, resumed: { ...resumed, reused: names } };
  const wanting = new Set(Object.values(resumed.sentBack).map(({ stage }) => stage));
  const isKept = (name: string): boolean => {
    if (wanting.has(name)) return true;
    const stage = plan.stages.find((one) => one.name === name);
    return stage === undefined || names.includes(name) || !isSelected(head.selection, stage.index);
  };
  head.outputs = Object.fromEntries(Object.entries(head.outputs).filter(([name]) => isKept(name)));
  head.outputBytes = jsonBytes(head.outputs);
  for (const { name, index } of plan.stages) {
    const because = resumed.sentBack[name];
    if (because !== undefined && !names.includes(name)) draft.editStage(index, { because });
  }
  const again = resumed.finished.map(({ name }) => name).filter((name) => !isKept(name));
  draft.notice(
    `goes on from the state of ${dateOf(resumed)}: ${countOf(resumed.finished.length - again.length)} done${again.length === 0 ? "" : `, to be run again: ${listed(again)}`}`,
  );
}

/** Why this stage need not be run; null: it is not done, or is to be run (again). */
export function whyReused(draft: Draft, index: number): string | null {
  const { resumed } = draft.head.carried;
  // In a later round the group came back to it: what was done before was not good enough.
  if (resumed?.reused == null || draft.stage(index).round > 1) return null;
  const { name } = draft.planned(index);
  return resumed.reused.includes(name) ? doneBefore(resumed) : null;
}

/** Why a stage that is not selected is not run. */
export function whyUnselected(draft: Draft, index: number): string {
  const { resumed } = draft.head.carried;
  const { name } = draft.planned(index);
  const isDone = resumed?.finished.some((stage) => stage.name === name) === true;
  return `not among the selected stages${isDone ? `; ${doneBefore(resumed)}` : ""}`;
}

export function doneBefore(resumed: Pick<Resumed, "savedAt">): string {
  return `done in the loaded state, ${dateOf(resumed)}`;
}

function dateOf({ savedAt }: Pick<Resumed, "savedAt">): string {
  return `${new Date(savedAt).toISOString().slice(0, 19)}Z`;
}

function countOf(stages: number): string {
  return `${stages} ${stages === 1 ? "stage" : "stages"}`;
}

function listed(names: readonly string[]): string {
  return names.slice(0, 10).join(", ") + (names.length > 10 ? ` and ${names.length - 10} more` : "");
}
