/** Where something happens, something may also be missed: such repositories are swept more often. */
import { LRUCache } from "lru-cache";
import type { Runtime } from "../work/runtime.ts";
import { turnAfter } from "./sweep-turns.ts";

/** Repositories of which it is remembered that it was noted. */
const MOST_NOTED = 20_000;

export class RepositoryActivity {
  readonly #options: Pick<Runtime, "store" | "now" | "timings">;
  readonly #noted = new LRUCache<number, number>({ max: MOST_NOTED });

  constructor(options: Pick<Runtime, "store" | "now" | "timings">) {
    this.#options = options;
  }

  /** Writes now and then only, however much happens. */
  async note(repositoryId: number): Promise<void> {
    const { store, now, timings } = this.#options;
    const at = now();
    const before = this.#noted.get(repositoryId);
    if (before !== undefined && at - before < timings.sweepActive / 2) {
      return;
    }
    await store.sweeps.noteActivity(repositoryId, at, turnAfter(repositoryId, at, timings.sweepEvery));
    this.#noted.set(repositoryId, at);
  }
}
