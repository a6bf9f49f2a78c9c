/**
 * Decides how a run is written: what happened as records behind the others, or, when those have become as much as the
 * whole of it, the whole of it in their place. So a run is read back at a bounded price, and what is written stays
 * within twice what happened.
 */
import { Refusal } from "../protocol/refusal.ts";
import { type RunRecord, type RunSnapshot, type RunStore, VersionConflict } from "./run-store.ts";

/** Records of fewer bytes than this are never worth a snapshot, however small that would be. */
const LEAST_JOURNAL_BYTES = 512 * 1024;
/** How often it is said that a run's records cannot be kept. Milliseconds. */
const SAID_EVERY_MS = 30_000;

export interface RunWriterOptions {
  readonly store: RunStore;
  readonly id: string;
  /** Records that the run has already. */
  readonly version: number;
  /** Of them those that were read one by one: they are not to be read so again. */
  readonly replayed: number;
  /** The run as it is now, with all that was handed on for writing. */
  readonly snapshot: () => RunSnapshot;
  readonly isOver: () => boolean;
  readonly now: () => number;
  readonly onError: (error: unknown, what: string) => void;
  /** Somebody else wrote the run: what is in memory here is not the run any more. */
  readonly onConflict: () => void;
  /** See `LEAST_JOURNAL_BYTES`. */
  readonly leastJournalBytes?: number;
}

export class RunWriter {
  readonly #options: RunWriterOptions;
  #version: number;
  #journalBytes = 0;
  #snapshotBytes = 0;
  #isDue: boolean;
  #isEndKept = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: RunWriterOptions) {
    this.#options = options;
    this.#version = options.version;
    this.#isDue = options.replayed > 0;
  }

  /** Resolves when this batch survives a crash. @throws Refusal `not_stored`: the same is to be given again */
  async write(batch: readonly RunRecord[]): Promise<void> {
    const { store, id } = this.#options;
    try {
      if (this.#takesSnapshot()) await this.#replace(batch.length);
      else {
        this.#journalBytes += await store.append(id, this.#version, batch);
        this.#version += batch.length;
      }
    } catch (error) {
      this.#sayFailure(error, batch.length);
      // The next request finds the one that is stored.
      if (error instanceof VersionConflict) this.#options.onConflict();
      throw new Refusal("not_stored", "the coordinator cannot keep this at the moment: ask again");
    }
  }

  /** The end is kept as such: nobody works it out again from what led there. */
  #takesSnapshot(): boolean {
    const { isOver, leastJournalBytes = LEAST_JOURNAL_BYTES } = this.#options;
    if (isOver()) return !this.#isEndKept;
    return this.#isDue || this.#journalBytes >= Math.max(leastJournalBytes, this.#snapshotBytes);
  }

  async #replace(more: number): Promise<void> {
    const { store, id, snapshot, isOver } = this.#options;
    const isEnd = isOver();
    const next = this.#version + more;
    this.#snapshotBytes = await store.replace(id, this.#version, next, snapshot());
    this.#version = next;
    this.#journalBytes = 0;
    this.#isDue = false;
    this.#isEndKept = isEnd;
  }

  /** Each request tries again, many times a second. */
  #sayFailure(error: unknown, records: number): void {
    const { id, now, onError } = this.#options;
    const at = now();
    if (at - this.#saidAt < SAID_EVERY_MS) return;
    this.#saidAt = at;
    onError(error, `run ${id}: ${records} records could not be kept`);
  }
}
