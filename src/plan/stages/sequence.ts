/** What concerns several stages: their names, their order, and whom they name. */

import type { Place } from "../parsing/key-parser.ts";
import { quote } from "../parsing/problems.ts";
import type { PlanStage } from "../plan.ts";
import { checkRetries } from "./quorum.ts";
import { has } from "./stage.ts";
import type { Expanded } from "./written.ts";

export interface Step {
  readonly expanded: Expanded;
  readonly stage: PlanStage;
}

type Tell = Omit<Place, "path">;

/** The stages in running order, with index, order and the end of background commands settled. */
export function sequenceOf(steps: readonly Step[], tell: Tell): PlanStage[] {
  checkNames(steps, tell);
  const ordered = inOrder(steps, tell);
  checkRetries(ordered, tell);
  const byName = new Map(ordered.map(({ stage }, index) => [stage.name, index]));
  return ordered.map(({ expanded, stage }, index): PlanStage => {
    checkDependencies(expanded, index, byName, tell);
    checkTaskSource(expanded, stage, { index, byName, ordered }, tell);
    return {
      ...stage,
      index,
      order: expanded.written.keys.order ?? index + 1,
      background: settled(ordered, index, byName, tell),
    };
  });
}

function checkNames(steps: readonly Step[], { source, problems }: Tell): void {
  const first = new Map<string, Step>();
  const variables = new Map<string, string>();
  for (const step of steps) {
    const name = step.expanded.name;
    if (name === null) {
      continue;
    }
    const at = source.at([...step.expanded.written.path, "name"]);
    const other = first.get(name);
    if (other !== undefined) {
      const copy = step.expanded.repeated || other.expanded.repeated ? " (repeated stages get -1, -2, …)" : "";
      problems.error(
        at,
        `name: there is another stage ${quote(name)} at line ${other.stage.line}, expected distinct names${copy}`,
      );
      continue;
    }
    first.set(name, step);
    const variable = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
    const same = variables.get(variable);
    if (same !== undefined) {
      problems.warning(
        at,
        `name: outputs of ${quote(name)} and ${quote(same)} would share the variables STAGEWRIGHT_OUTPUT_${variable}_…`,
      );
    }
    variables.set(variable, name);
  }
}

function inOrder(steps: readonly Step[], { source, problems }: Tell): readonly Step[] {
  const ordered = steps.filter(({ expanded }) => has(expanded.written, "order"));
  if (ordered.length === 0) {
    return steps;
  }
  for (const { expanded, stage } of steps) {
    if (!has(expanded.written, "order")) {
      problems.error(
        { line: stage.line, column: stage.column },
        'this stage has no "order" though others have, expected it on all stages or on none',
      );
    } else if (expanded.repeated) {
      problems.error(
        source.keyAt([...expanded.written.path, "order"]),
        "order: a repeated stage cannot have one, expected the file's order",
      );
    }
  }
  const sorted = [...ordered].filter(({ expanded }) => expanded.written.keys.order !== undefined && !expanded.repeated);
  sorted.sort(
    (a, b) => a.stage.order - b.stage.order || a.stage.line - b.stage.line || a.stage.column - b.stage.column,
  );
  for (const [index, step] of sorted.entries()) {
    const before = sorted[index - 1];
    const at = source.at([...step.expanded.written.path, "order"]);
    if (before !== undefined && before.stage.order === step.stage.order) {
      problems.error(
        at,
        `order: ${step.stage.order} is already that of ${quote(before.stage.name)} at line ${before.stage.line}`,
      );
    } else if (before !== undefined && step.stage.order > before.stage.order + 1) {
      problems.warning(at, `order: there is a gap between ${before.stage.order} and ${step.stage.order}`);
    }
  }
  // Something is wrong already: the rest is checked in the file's order.
  return sorted.length === steps.length ? sorted : steps;
}

function checkDependencies(
  expanded: Expanded,
  index: number,
  byName: ReadonlyMap<string, number>,
  { source, problems }: Tell,
): void {
  for (const [position, written] of (expanded.written.keys.depends_on ?? []).entries()) {
    const at = source.at([...expanded.written.path, "depends_on", position]);
    const name = typeof written === "string" ? written : written.stage;
    const found = byName.get(expanded.resolve(name));
    if (found === undefined) {
      problems.error(at, `depends_on: there is no stage ${quote(name)}${problems.suggest(name, byName.keys())}`);
    } else if (found === index) {
      problems.error(at, "depends_on: a stage cannot need its own result");
    } else if (found > index) {
      problems.error(at, `depends_on: ${quote(name)} runs later, expected an earlier stage`);
    }
  }
}

/** What tells the tasks of a stage has to be over before it, and to tell them to nobody else. */
function checkTaskSource(
  { written }: Expanded,
  { tasks }: PlanStage,
  at: { readonly index: number; readonly byName: ReadonlyMap<string, number>; readonly ordered: readonly Step[] },
  { source, problems }: Tell,
): void {
  if (tasks?.source.kind !== "stage") return;
  const { stage: name } = tasks.source;
  const found = at.byName.get(name);
  const said = at.ordered[found ?? -1]?.stage;
  const place = source.at([...written.path, "tasks", "from_stage"]);
  if (found === undefined || said === undefined) {
    problems.error(place, `from_stage: there is no stage ${quote(name)}${problems.suggest(name, at.byName.keys())}`);
  } else if (found >= at.index) {
    problems.error(place, `from_stage: ${quote(name)} does not run before this stage, expected an earlier one`);
  } else if (said.tasks !== null) {
    problems.error(place, `from_stage: what ${quote(name)} tells are tasks of its own, expected a stage without tasks`);
  } else if (said.background !== null) {
    problems.error(place, `from_stage: ${quote(name)} runs in the background, expected a stage that is over before`);
  }
}

function settled(
  steps: readonly Step[],
  index: number,
  byName: ReadonlyMap<string, number>,
  { source, problems }: Tell,
): PlanStage["background"] {
  const { expanded, stage } = steps[index] ?? {};
  if (expanded === undefined || stage?.background == null) {
    return null;
  }
  const { until } = expanded.written.keys;
  if (until === undefined) {
    const last = steps.slice(index).findLast((step) => step.stage.type !== "cleanup");
    return { ...stage.background, until: last?.stage.name ?? stage.name };
  }
  const found = byName.get(expanded.resolve(until));
  const at = source.at([...expanded.written.path, "until"]);
  if (found === undefined) {
    problems.error(at, `until: there is no stage ${quote(until)}${problems.suggest(until, byName.keys())}`);
  } else if (found <= index) {
    problems.error(at, `until: ${quote(until)} does not run after this stage, expected a later one`);
  }
  return stage.background;
}
