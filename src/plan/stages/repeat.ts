/** The list of stages as written (with `repeat`) -> the flat list that runs: epoch-1, checkpoint-1, epoch-2, … */
import { PLAN_BOUNDS } from "../bounds.ts";
import { isMapping, type Keys, type Place, parseKeys, parseValue } from "../parsing/key-parser.ts";
import { STAGE_WORDS } from "../parsing/other-words.ts";
import { quote } from "../parsing/problems.ts";
import type { Path } from "../parsing/source.ts";
import { repeatShape, stageShape } from "../schema.ts";

const MOST_STAGES = PLAN_BOUNDS.stages;

/** A stage as written. Copies made by `repeat` share it. */
export interface Written {
  readonly keys: Keys<typeof stageShape>;
  /** What stands there, valid or not: to tell a key that is missing from one that is wrong. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly path: Path;
}

export interface Expanded {
  readonly written: Written;
  /** With the suffixes of the repeats around it; null when the name is missing or wrong. */
  readonly name: string | null;
  readonly repeated: boolean;
  /** What another stage's name means here: within a repetition, a neighbour is the one of the same repetition. */
  readonly resolve: (name: string) => string;
}

type Entry =
  | { readonly kind: "stage"; readonly written: Written }
  | {
      readonly kind: "repeat";
      readonly path: Path;
      readonly times: number;
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
  parseKeys({ repeat: repeatShape.repeat, stages: repeatShape.stages }, others, place);
  const path = [...place.path, "repeat"];
  const times = parseValue(repeatShape.repeat, repeat, { ...place, path }, "repeat") ?? 1;
  const entries = readEntries(stages, { ...place, path: [...place.path, "stages"] }, "stages");
  return { kind: "repeat", path: place.path, times, size: times * sizeOf(entries), entries };
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === "stage" ? 1 : entry.size), 0);
}

function flatten(
  entries: readonly Entry[],
  suffix: string,
  scope: ReadonlyMap<string, string>,
  once: boolean,
  into: Expanded[],
): void {
  const own = new Map(scope);
  if (suffix !== "") {
    for (const entry of entries) {
      const name = entry.kind === "stage" ? entry.written.keys.name : undefined;
      if (name !== undefined) {
        own.set(name, name + suffix);
      }
    }
  }
  for (const entry of entries) {
    if (entry.kind === "stage") {
      const name = entry.written.keys.name;
      into.push({
        written: entry.written,
        name: name === undefined ? null : name + suffix,
        repeated: suffix !== "",
        resolve: (other) => own.get(other) ?? other,
      });
    } else if (entry.size > 0) {
      for (let time = 1; time <= (once ? 1 : entry.times); time++) {
        flatten(entry.entries, `${suffix}-${time}`, own, once, into);
      }
    }
  }
}
