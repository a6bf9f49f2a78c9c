/** Stages as they are written, and as they are told apart once repetitions and trials are taken out. */
import type { Keys } from "../parsing/key-parser.ts";
import type { Path } from "../parsing/source.ts";
import type { Trial } from "../plan.ts";
import type { stageShape } from "../schema.ts";

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
  /** Which of several it is that do the same; null: it is alone. */
  readonly trial: Trial | null;
  /** What another stage's name means here: within a repetition, a neighbour is the one of the same repetition. */
  readonly resolve: (name: string) => string;
}
