/** The list of stages as written (with `repeat`) -> the flat list that runs: epoch-1, checkpoint-1, epoch-2, … */
import { PLAN_BOUNDS } from "../bounds.ts";
import { isMapping, type Place, parseKeys, parseValue } from "../parsing/key-parser.ts";
import { STAGE_WORDS } from "../parsing/other-words.ts";
import { quote } from "../parsing/problems.ts";
import type { Path } from "../parsing/source.ts";
import { repeatShape, stageShape } from "../schema.ts";
import {
  betweenStage,
  type ComparedTrials,
  checkCompared,
  lastTrial,
  type Repetition,
  trialOf,
  trialsOf,
} from "./trials.ts";
import type { Expanded, Written } from "./written.ts";

const MOST_STAGES = PLAN_BOUNDS.stages;

type Entry =
  | { readonly kind: "stage"; readonly written: Written }
  | {
      readonly kind: "repeat";
      readonly path: Path;
      readonly times: number;
      readonly trials: ComparedTrials | null;
      readonly size: number;
      readonly entries: readonly Entry[];
    };

/** Every stage of the list in the file's order. All problems of the stages' own shapes are told once. */
export function expandStages(value: unknown, place: Place): Expanded[] {
  const entries = readEntries(value, place, "stages");
  const total = sizeOf(entries);
  const expanded: Expanded[] = [];
  if (total > MOST_STAGES) {
    const culprit = entries.find((entry) => entry.kind === "repeat" && entry.size > MOST_STAGES);
    const at = place.source.at(culprit?.kind === "repeat" ? [...culprit.path, "repeat"] : place.path);
    place.problems.error(at, `the plan would have ${Math.min(total, 1e9)} stages, expected at most ${MOST_STAGES}`);
  }
  // Too many: each repetition once, so that what else is wrong is still found.
  flatten(entries.slice(0, MOST_STAGES), "", new Map(), total > MOST_STAGES, expanded);
  return expanded;
}

function readEntries(value: unknown, place: Place, label: string): Entry[] {
  if (!Array.isArray(value) || value.length === 0) {
    place.problems.error(place.source.at(place.path), `${label}: expected a list of stages, got ${emptyOr(value)}`);
    return [];
  }
  return value.flatMap((item: unknown, index): Entry[] => {
    const path = [...place.path, index];
    if (!isMapping(item)) {
      place.problems.error(
        place.source.at(path),
        `${label}.${index}: expected a stage such as {name: prepare, run: ./prepare.sh}, got ${quote(item)}`,
      );
      return [];
    }
    return [Object.hasOwn(item, "repeat") ? readRepeat(item, { ...place, path }) : readStage(item, { ...place, path })];
  });
}

function emptyOr(value: unknown): string {
  return Array.isArray(value) ? "an empty list" : quote(value);
}

function readStage(value: Readonly<Record<string, unknown>>, place: Place): Entry {
  let shaped = value;
  const glob = isMapping(value.tasks)
    ? ["glob", "globs", "files"].find((key) => Object.hasOwn(Object(value.tasks), key))
    : undefined;
  if (glob !== undefined) {
    place.problems.error(
      place.source.keyAt([...place.path, "tasks", glob]),
      `tasks.${glob}: tasks from a glob are not built yet, expected values, count or from`,
    );
    shaped = Object.fromEntries(Object.entries(shaped).filter(([key]) => key !== "tasks"));
  }
  return {
    kind: "stage",
    written: { keys: parseKeys(stageShape, shaped, place, STAGE_WORDS), value, path: place.path },
  };
}

function readRepeat(value: Readonly<Record<string, unknown>>, place: Place): Entry {
  const { repeat, stages, ...others } = value;
  const { trials = null } = parseKeys(repeatShape, others, place);
  const path = [...place.path, "repeat"];
  const times = parseValue(repeatShape.repeat, repeat, { ...place, path }, "repeat") ?? 1;
  const entries = readEntries(stages, { ...place, path: [...place.path, "stages"] }, "stages");
  if (trials !== null) checkRepeatedTrials(trials, times, entries, { ...place, path: [...place.path, "trials"] });
  const between = trials?.between === undefined ? 0 : Math.max(0, times - 1);
  return { kind: "repeat", path: place.path, times, trials, size: times * sizeOf(entries) + between, entries };
}

function checkRepeatedTrials(trials: ComparedTrials, times: number, entries: readonly Entry[], place: Place): void {
  checkCompared(trials, times, place);
  const inner = entries.find((entry) => entry.kind === "repeat" || entry.written.keys.trials !== undefined);
  if (inner === undefined) return;
  const message = "trials: they cannot stand inside one another, nor around a repetition";
  place.problems.error(place.source.keyAt(place.path), message);
}

/** What runs before a repetition that is compared with the one before it. */
function betweenTrials(repetition: Repetition, entries: readonly Entry[], path: Path): readonly Expanded[] {
  const first = entries.find((entry) => entry.kind === "stage");
  const name = first?.written.keys.name;
  if (repetition.trials.between === undefined || first === undefined || name === undefined) return [];
  return [betweenStage(first.written, name, repetition, [...path, "trials", "between"])];
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === "stage" ? stagesOf(entry.written) : entry.size), 0);
}

/** How many stages one that is written becomes. */
function stagesOf({ keys: { trials } }: Written): number {
  const { count = 1, between } = trials ?? {};
  return between === undefined ? count : 2 * count - 1;
}

function flatten(
  entries: readonly Entry[],
  suffix: string,
  scope: ReadonlyMap<string, string>,
  once: boolean,
  into: Expanded[],
  repetition: Repetition | null = null,
): void {
  const own = new Map(scope);
  for (const entry of entries) {
    const name = entry.kind === "stage" ? entry.written.keys.name : undefined;
    if (entry.kind !== "stage" || name === undefined) continue;
    const meant = lastTrial(entry.written, name + suffix);
    if (meant !== name) own.set(name, meant);
  }
  for (const entry of entries) {
    if (entry.kind === "stage") {
      const { written } = entry;
      const { name } = written.keys;
      const resolve = (other: string): string => own.get(other) ?? other;
      const trials = once ? [] : trialsOf(written, suffix, resolve);
      if (trials.length > 0) into.push(...trials);
      else {
        const full = name === undefined ? null : name + suffix;
        const trial = repetition === null || name === undefined ? null : trialOf(repetition, name);
        into.push({ written, name: full, repeated: suffix !== "", resolve, trial });
      }
    } else if (entry.size > 0) {
      for (let time = 1; time <= (once ? 1 : entry.times); time++) {
        const { trials, times: count } = entry;
        const one = trials === null ? null : { trials, count, number: time, suffix };
        if (one !== null && time > 1) into.push(...betweenTrials(one, entry.entries, entry.path));
        flatten(entry.entries, `${suffix}-${time}`, own, once, into, one);
      }
    }
  }
}
