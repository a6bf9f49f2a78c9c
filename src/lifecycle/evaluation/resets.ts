/** Resets of a pull request, kept so that the newest for a stage is found at once. */
import type { Reset } from "../facts/facts.ts";

/** A reset with the index of its stage among those that exist for the pull request; -1: before the first. */
export interface IndexedReset {
  readonly reset: Reset;
  readonly index: number;
}

export class ResetIndex {
  /** By the index of a stage: the newest reset to a stage before it. */
  readonly #newest: (Reset | null)[];
  readonly #ids = new Set<string>();
  readonly #all: IndexedReset[] = [];

  /** @param stages how many stages exist for the pull request */
  constructor(stages: number, resets: readonly IndexedReset[] = []) {
    this.#newest = Array.from({ length: stages + 1 }, () => null);
    resets.forEach((each) => {
      this.add(each);
    });
  }

  /** Of two with one date the one added later counts as the newer. */
  add(each: IndexedReset): void {
    this.#all.push(each);
    this.#ids.add(each.reset.id);
    for (let index = each.index + 1; index < this.#newest.length; index += 1) {
      const newest = this.#newest[index] ?? null;
      if (newest === null || each.reset.at >= newest.at) {
        this.#newest[index] = each.reset;
      }
    }
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** In the order in which they were added. */
  all(): readonly IndexedReset[] {
    return this.#all;
  }

  /** The newest reset to a stage before the one at this index; null: there was none. */
  newestBefore(index: number): Reset | null {
    return this.#newest[index] ?? null;
  }
}
