/** From a policy file to the policy, with everything that is wrong with it told at once, at its place. */

import { wrongKind } from "../../plan/parsing/file-kind.ts";
import { isMapping, type Keys, type Place, parseKeys } from "../../plan/parsing/key-parser.ts";
import { type Position, Problems, quote, START, suggestion } from "../../plan/parsing/problems.ts";
import { type Path, readSource, type Source } from "../../plan/parsing/source.ts";
import type { Problem } from "../../plan/plan.ts";
import { leavesOf } from "../conditions/index.ts";
import { forgeableStages } from "./forgeable-stages.ts";
import { completePolicy, mergePolicies, type PolicyParts, type StageParts } from "./merge-policies.ts";
import type { Policy } from "./policy.ts";
import { readActions, readCondition, restsOnActs } from "./read-condition.ts";
import { policyShape, policyStageShape } from "./schema.ts";

/** Where a repository keeps its policy. */
export const POLICY_PATH = ".github/stagewright.yml";

/** In all stages together: they are evaluated again for each event. */
const MOST_CONDITIONS = 300;

export interface PolicyReading {
  /** Null: there are errors, or the policy that it extends has not been given. */
  readonly policy: Policy | null;
  /** What the file itself says, for a policy that extends this one; null when there are errors. */
  readonly parts: PolicyParts | null;
  /** The repository (`org/.github`) whose policy it extends. */
  readonly extends: string | null;
  /** Where it says so; the file's beginning where it does not. */
  readonly extendsAt: Position;
  readonly problems: readonly Problem[];
}

/**
 * Reads a policy file; `file` is its name in problems. A file that extends another is read a second time with the
 * `parts` of that one as `base`.
 */
export function readPolicy(
  content: string | Uint8Array,
  file: string = POLICY_PATH,
  base: PolicyParts | null = null,
): PolicyReading {
  const problems = new Problems(file);
  const source = readSource(content, problems, 'a policy with "stages"');
  if (source === null || !isMapping(source.value)) {
    return { policy: null, parts: null, extends: null, extendsAt: START, problems: problems.list() };
  }
  const root: Place = { source, problems, path: [] };
  const wrong = wrongKind(source.value, "policy");
  if (wrong !== null) {
    problems.error(START, wrong);
    return { policy: null, parts: null, extends: null, extendsAt: START, problems: problems.list() };
  }
  const keys = parseKeys(policyShape, source.value, root);
  const own = partsOf(keys, root);
  const parts = base === null ? own : mergePolicies(base, own);
  const waits = keys.extends !== undefined && base === null;
  const stagesOk = "stages" in source.value || "extends" in source.value;
  if (!stagesOk) {
    problems.error(source.at([]), "stages: expected a list of stages");
  }
  const count = (parts.stages ?? []).map(conditionsOf).reduce((sum, each) => sum + each, 0);
  if (count > MOST_CONDITIONS) {
    problems.error(source.keyAt(["stages"]), `${count} conditions in all, expected at most ${MOST_CONDITIONS}`);
  }
  checkStages(own, parts, root, waits);
  if (!waits) {
    checkNames(own, parts, root);
  }
  const failed = problems.hasErrors;
  const policy = failed || waits ? null : completePolicy(parts);
  if (policy !== null) {
    warnOfChecksAlone(policy, own, root);
  }
  return {
    policy,
    parts: failed ? null : parts,
    extends: keys.extends ?? null,
    extendsAt: keys.extends === undefined ? START : source.at(["extends"]),
    problems: problems.list(),
  };
}

/** What comes of a file of which nothing is known but that it cannot be read, and why. */
export function unreadable(file: string, reason: string): PolicyReading {
  const problem = { severity: "error", file, ...START, message: reason } as const;
  return { policy: null, parts: null, extends: null, extendsAt: START, problems: [problem] };
}

function partsOf(keys: Keys<typeof policyShape>, root: Place): PolicyParts {
  const onPush = keys.on_push;
  return {
    ...(keys.stages === undefined ? {} : { stages: readStages(keys.stages, root) }),
    ...(onPush === undefined
      ? {}
      : {
          onPush: {
            ...(onPush.back_to === undefined ? {} : { backTo: onPush.back_to === false ? null : onPush.back_to }),
            ...(onPush.cancel === undefined ? {} : { cancel: onPush.cancel }),
            ...(onPush.except === undefined ? {} : { exceptBy: onPush.except.by }),
          },
        }),
    ...(keys.operators === undefined ? {} : { operators: keys.operators }),
    ...(keys.task_id === undefined
      ? {}
      : {
          taskId: {
            label: keys.task_id.label ?? null,
            branch: keys.task_id.branch ?? null,
            title: keys.task_id.title ?? null,
          },
        }),
    ...(keys.max_rounds === undefined ? {} : { maxRounds: keys.max_rounds }),
    ...(keys.checks === undefined ? {} : { checks: keys.checks }),
    ...(keys.opt_out_label === undefined ? {} : { optOutLabel: keys.opt_out_label }),
  };
}

function readStages(values: readonly unknown[], root: Place): StageParts[] {
  return values.flatMap((value, index) => {
    const place = { ...root, path: ["stages", index] };
    if (!isMapping(value)) {
      root.problems.error(root.source.at(place.path), `expected a stage with "name" and "enter", got ${quote(value)}`);
      return [];
    }
    return [readStage(value, place)];
  });
}

/** A stage without a readable name keeps its place, so that the other checks still run on it. */
function readStage(value: Readonly<Record<string, unknown>>, place: Place): StageParts {
  const { source, problems, path } = place;
  const keys = parseKeys(policyStageShape, value, place);
  if (!("name" in value)) {
    problems.error(source.at(path), "name: expected a stage's name");
  }
  const at = (key: string): Place => ({ ...place, path: [...path, key] });
  const enter = "enter" in value ? readCondition(value.enter, at("enter"), "enter") : undefined;
  const when = "when" in value ? readCondition(value.when, at("when"), "when") : undefined;
  const back = keys.back === undefined ? undefined : readBack(keys.back, at("back"));
  return {
    name: keys.name ?? "",
    ...(enter === undefined ? {} : { enter }),
    ...(when === undefined ? {} : { when }),
    ...(back === undefined ? {} : { back }),
    ...(keys.owner === undefined ? {} : { owner: keys.owner }),
    ...(keys.description === undefined ? {} : { description: keys.description }),
    ...(keys.on_enter === undefined ? {} : { onEnter: readActions(keys.on_enter, at("on_enter"), "on_enter") }),
    ...(keys.on_back === undefined ? {} : { onBack: readActions(keys.on_back, at("on_back"), "on_back") }),
    ...(keys.on_overdue === undefined
      ? {}
      : { onOverdue: readActions(keys.on_overdue, at("on_overdue"), "on_overdue") }),
    ...(keys.max_age === undefined ? {} : { maxAgeMs: keys.max_age }),
    ...(keys.gate === undefined ? {} : { gate: keys.gate }),
    ...(keys.color === undefined ? {} : { color: keys.color }),
  };
}

function readBack(back: { when?: unknown; to: string }, place: Place): StageParts["back"] {
  const path: Path = [...place.path, "when"];
  const when = readCondition(back.when, { ...place, path }, "back.when");
  if (when !== undefined && !restsOnActs(when)) {
    const why =
      "expected something that somebody does (label, approvals, changes_requested, workflow, plan_passed, command) in each way to fulfil it";
    place.problems.error(place.source.at(path), `back.when: ${why}; states belong into "enter"`);
  }
  return when === undefined ? undefined : { when, to: back.to };
}

/** What keys of one stage mean for one another. */
function checkStages(own: PolicyParts, all: PolicyParts, { source, problems }: Place, waits: boolean): void {
  const first = new Map<string, number>();
  for (const [index, stage] of (own.stages ?? []).entries()) {
    const at = (...path: Path): { line: number; column: number } => source.at(["stages", index, ...path]);
    const before = first.get(stage.name);
    if (stage.name !== "" && before !== undefined) {
      problems.error(at("name"), `there are two stages named ${quote(stage.name)}, expected names that differ`);
    }
    first.set(stage.name, before ?? index);
    const whole = all.stages?.find((each) => each.name === stage.name) ?? stage;
    if (!hasKey(source, ["stages", index], "enter") && whole.enter === undefined && !waits) {
      problems.error(at(), `${stage.name || "the stage"}: enter: expected a condition for entering it`);
    }
    if (
      stage.onOverdue !== undefined &&
      whole.maxAgeMs === undefined &&
      !hasKey(source, ["stages", index], "max_age")
    ) {
      problems.error(source.keyAt(["stages", index, "on_overdue"]), 'on_overdue: expected "max_age" beside it');
    }
  }
}

/** Names of stages must lead somewhere: forward in the file for nobody, back to an earlier one. */
function checkNames(own: PolicyParts, all: PolicyParts, { source, problems }: Place): void {
  const names = (all.stages ?? []).map((stage) => stage.name).filter((name) => name !== "");
  const expected = (name: string): string => `there is no stage ${quote(name)}${suggestion(name, names)}`;
  for (const [index, stage] of (all.stages ?? []).entries()) {
    const to = stage.back?.to;
    const ownIndex = (own.stages ?? []).findIndex((each) => each.name === stage.name && each.back !== undefined);
    const path: Path = ownIndex < 0 ? ["stages"] : ["stages", ownIndex, "back", "to"];
    if (to !== undefined && !names.includes(to)) {
      problems.error(source.at(path), `back.to of ${stage.name}: ${expected(to)}`);
    } else if (to !== undefined && names.indexOf(to) >= index) {
      problems.error(source.at(path), `back.to of ${stage.name}: expected a stage before it, got ${quote(to)}`);
    }
  }
  const backTo = all.onPush?.backTo;
  if (typeof backTo === "string" && !names.includes(backTo)) {
    const path: Path = own.onPush?.backTo === undefined ? [] : ["on_push", "back_to"];
    problems.error(source.at(path), `on_push.back_to: ${expected(backTo)}`);
  }
}

/** At the stage's condition, where this file gives it. */
function warnOfChecksAlone(policy: Policy, own: PolicyParts, { source, problems }: Place): void {
  for (const name of forgeableStages(policy.stages)) {
    const index = (own.stages ?? []).findIndex((stage) => stage.name === name && stage.enter !== undefined);
    problems.warning(
      source.at(index < 0 ? ["stages"] : ["stages", index, "enter"]),
      `${name} can be reached by checks alone, and a pull request's own workflows can write checks of any name: ask for an approval or a label, too, or for the result of a workflow that the policy starts (on_enter: start)`,
    );
  }
}

function conditionsOf(stage: StageParts): number {
  const trees = [stage.enter, stage.when ?? undefined, stage.back?.when];
  return trees.reduce((sum, tree) => sum + (tree === undefined ? 0 : leavesOf(tree).length), 0);
}

function hasKey(source: Source, path: Path, key: string): boolean {
  let value = source.value;
  for (const step of path) {
    value = isMapping(value) ? value[step] : Array.isArray(value) ? value[Number(step)] : undefined;
  }
  return isMapping(value) && Object.hasOwn(value, key);
}
