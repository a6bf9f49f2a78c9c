/** `--dry-run`: what would run, in order, and why the rest would not. */
import { approversText } from "../../plan/checkpoints.ts";
import type { Plan, PlanStage } from "../../plan/plan.ts";
import { isSelected } from "../../plan/select.ts";
import type { Carried } from "../../run/resume/carried.ts";
import { doneBefore } from "../../run/resume/resumption.ts";
import type { Selection } from "../../run/types.ts";
import { about } from "./console.ts";

/** One line a stage, and one for its command. */
export function dryRun(
  plan: Plan,
  selection: Selection,
  reused: readonly number[],
  carried: Carried | null,
): readonly string[] {
  const chosen = plan.stages.filter(({ index }) => isSelected(selection, index) && !reused.includes(index));
  const lines = [`${plan.name}: ${chosen.length} of ${plan.stages.length} stages would run, nothing is run now`];
  for (const stage of plan.stages) {
    const isDone = reused.includes(stage.index) && carried?.resumed !== undefined;
    const why = isDone ? doneBefore(carried.resumed) : whyNot(stage, selection);
    const number = String(stage.index).padStart(3);
    if (why !== null) lines.push(`${number} - ${stage.name}: skipped, ${why}`);
    else lines.push(`${number} ✓ ${stage.name} (${about(stage)})${condition(stage)}`, ...command(stage));
  }
  return lines;
}

function whyNot(stage: PlanStage, selection: Selection): string | null {
  if (isSelected(selection, stage.index)) return null;
  const afterwards = stage.when === "on_success" ? "" : " (it runs if the run fails)";
  if (selection.only !== null) return `only-stage does not name it${afterwards}`;
  if (selection.skip.includes(stage.index)) return `skip-stages names it${afterwards}`;
  return `it comes after the stage to stop after${afterwards}`;
}

function condition(stage: PlanStage): string {
  const parts: string[] = [];
  if (stage.when === "on_failure") parts.push("only if the run has failed");
  if (stage.checkpoint) parts.push(`after ${approversText(stage)} agrees`);
  const needed = stage.dependsOn.map(({ stage: name, evenIf }) =>
    evenIf.length === 0 ? name : `${name} (even if ${evenIf.join(" or ")})`,
  );
  if (needed.length > 0) parts.push(`needs ${needed.join(", ")}`);
  return parts.length === 0 ? "" : `: ${parts.join("; ")}`;
}

function command(stage: PlanStage): readonly string[] {
  if (stage.command === null) return [];
  const text =
    stage.command.kind === "script"
      ? stage.command.script.trimEnd().split("\n")
      : [[stage.command.file, ...stage.command.args].map((word) => JSON.stringify(word)).join(" ")];
  const shown = text.slice(0, 5).map((line) => `      ${line.slice(0, 200)}`);
  return text.length > 5 ? [...shown, `      … ${text.length - 5} more lines`] : shown;
}
