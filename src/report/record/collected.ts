/** What agents kept of their stages' files (`collect`), as the result tells it. */
import { COLLECT_BOUNDS } from "../../plan/bounds.ts";
import type { Mask } from "../masked.ts";
import type { Result } from "./result-schema.ts";

/** Of one agent, stage and round. */
export type CollectedPart = NonNullable<Result["collected"]>[number];

/** Parts, and names of files in all of them together, that a result tells. */
export const MOST_COLLECTED = { parts: 10_000, names: 20_000 } as const;

/** What the agent tells when it has kept a stage's files. */
export interface KeptFiles {
  readonly agent: string;
  readonly stage: { readonly name: string };
  readonly round: number;
  readonly folder: string;
  readonly bytes: number;
  /** Paths below the stage's working directory. */
  readonly kept: readonly { readonly path: string; readonly bytes: number }[];
  readonly missed: readonly { readonly path: string; readonly why: string }[];
  /** False: there was more to look through than there was time or room for. */
  readonly isWhole: boolean;
}

/** As the result has it: names of files are masked as everything is that comes from outside. */
export function collectedPart({ stage, kept, missed, ...rest }: KeptFiles, mask: Mask): CollectedPart {
  const most = COLLECT_BOUNDS.files;
  return {
    agent: rest.agent,
    phase: stage.name,
    round: rest.round,
    folder: mask.text(rest.folder),
    files_total: kept.length,
    bytes_total: rest.bytes,
    files: kept.slice(0, most).map(({ path, bytes }) => ({ path: mask.text(path), bytes })),
    left_out_total: missed.length,
    left_out: missed.slice(0, most).map(({ path, why }) => ({ path: mask.text(path), why: mask.text(why) })),
    complete: rest.isWhole,
  };
}

/** Of several agents, while they run: of a stage that is tried again what was kept last. */
export class CollectedParts {
  readonly #parts = new Map<string, CollectedPart>();

  add(part: CollectedPart): void {
    const key = JSON.stringify([part.agent, part.phase, part.round]);
    if (this.#parts.has(key) || this.#parts.size < MOST_COLLECTED.parts) this.#parts.set(key, part);
  }

  /** By agent and in the order in which they came; names that there is no room for are only counted. */
  all(): readonly CollectedPart[] {
    let room: number = MOST_COLLECTED.names;
    const taken = <T>(items: readonly T[]): T[] => {
      const some = items.slice(0, room);
      room -= some.length;
      return some;
    };
    return [...this.#parts.values()]
      .toSorted((a, b) => (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : 0))
      .map((part) => ({ ...part, files: taken(part.files), left_out: taken(part.left_out) }));
  }
}
