/** `trials`: the same work several times, compared. Each trial is a stage of its own, with its barrier. */
import type { Keys, Place } from "../parsing/key-parser.ts";
import type { Path } from "../parsing/source.ts";
import type { Trial } from "../plan.ts";
import type { repeatTrialsShape } from "../shapes/stage-shapes.ts";
import type { Expanded, Written } from "./written.ts";

export type ComparedTrials = Keys<typeof repeatTrialsShape>;

/** One of several that are compared. */
export interface Repetition {
  readonly trials: ComparedTrials;
  readonly count: number;
  /** From 1. */
  readonly number: number;
  /** Of the repetitions around all of them. */
  readonly suffix: string;
}

export function trialOf({ trials, count, number, suffix }: Repetition, name: string): Trial {
  const { discard = 0, max_spread: maxSpread = null } = trials;
  return { of: name + suffix, number, count, discard, maxSpread };
}

/** The stages that a stage with `trials` becomes: `epoch-trial-1`, what is to run between them, `epoch-trial-2`, … */
export function trialsOf(written: Written, suffix: string, resolve: Expanded["resolve"]): readonly Expanded[] {
  const { keys, path } = written;
  const { name, trials } = keys;
  if (trials?.count === undefined || name === undefined) return [];
  const { count } = trials;
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((number): Expanded[] => {
    const repetition = { trials, count, number, suffix };
    const full = trialName(name + suffix, number);
    const one = { written, name: full, repeated: true, resolve, trial: trialOf(repetition, name) };
    const hasBetween = trials.between !== undefined && number > 1;
    return hasBetween ? [betweenStage(written, name, repetition, [...path, "trials", "between"]), one] : [one];
  });
}

/** What is run before a trial, by those who run it. */
export function betweenStage(
  beside: Written,
  name: string,
  { trials, number, suffix }: Repetition,
  path: Path,
): Expanded {
  const { runs_on, role, when } = beside.keys;
  const full = `${name}${suffix}-between-${number}`;
  const value = { name: full, run: trials.between, runs_on, role, when };
  // Of what is written beside it, each key as its own schema gave it.
  const written = { keys: value as Written["keys"], value, path };
  return { written, name: full, repeated: true, resolve: (other) => other, trial: null };
}

/** What `depends_on: [epoch]` means: the last trial, which says whether all of them held together. */
export function lastTrial({ keys: { trials } }: Written, name: string): string {
  return trials?.count === undefined ? name : trialName(name, trials.count);
}

function trialName(base: string, number: number): string {
  return `${base}-trial-${number}`;
}

/** What cannot be compared, or never held together, is told at its place. */
export function checkTrials({ keys, value, path }: Written, place: Omit<Place, "path">): void {
  const { trials } = keys;
  if (trials === undefined) return;
  const at: Place = { ...place, path: [...path, "trials"] };
  if (trials.count === undefined) place.problems.error(place.source.keyAt(at.path), 'trials: expected "count"');
  else checkCompared(trials, trials.count, at);
  for (const key of ["background", "validators", "checkpoint"].filter((one) => Object.hasOwn(value, one))) {
    place.problems.error(place.source.keyAt([...path, key]), `${key}: a stage with "trials" cannot have it`);
  }
}

/** `place`: that of the key `trials`. */
export function checkCompared({ discard = 0 }: ComparedTrials, count: number, { source, problems, path }: Place): void {
  if (discard <= count - 2) return;
  const left = Math.max(0, count - discard);
  problems.error(source.keyAt(path), `trials: ${left} of ${count} are left to be compared, expected at least 2`);
}
