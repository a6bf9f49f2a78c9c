/**
 * Writes a run's records behind its host, in order and in batches: everything that arrives while one write is on its
 * way goes out with the next. Heartbeats are written only ahead of the next record that counts, and of those that say
 * the same only the newest: then a replay meets every decision with the silences it was made with.
 */
import type { RunRecord } from "./run-store.ts";

/** Heartbeats wait at most so long: a state that is read again is not older than that. */
const HEARTBEATS_MS = 5_000;
/** After a failed write; meanwhile whoever waits gets the error and asks again. */
const RETRY_MS = 1_000;

export class Journal {
  readonly #append: (records: readonly RunRecord[]) => Promise<void>;
  readonly #heartbeats = new Map<string, RunRecord>();
  /** Agent -> status and stage of its newest sync. */
  readonly #lastStatus = new Map<string, string>();
  #waiting: RunRecord[] = [];
  #writing: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #flushing: NodeJS.Timeout | null = null;
  #closed = false;
  #failing = false;

  constructor(append: (records: readonly RunRecord[]) => Promise<void>) {
    this.#append = append;
  }

  /** Whether the last write failed. */
  get failing(): boolean {
    return this.#failing;
  }

  /** To be written, soon. */
  keep(record: RunRecord): void {
    const { event } = record;
    if (event.type === "synced") this.#lastStatus.set(event.agent, `${event.status} ${event.stage}`);
    if (this.#heartbeats.size > 0) {
      this.#waiting.push(...this.#heartbeats.values());
      this.#heartbeats.clear();
    }
    this.#waiting.push(record);
    this.#begin();
  }

  /** What changed nothing that must be kept. */
  noteHeartbeat(record: RunRecord): void {
    const { event } = record;
    if (event.type === "heard") {
      this.#note(`heard ${event.agent}`, record);
      return;
    }
    if (event.type !== "synced") return;
    const lastStatus = `${event.status} ${event.stage}`;
    if (this.#lastStatus.get(event.agent) !== lastStatus) {
      // An agent's way from status to status is kept whole: a replay must not see it jump.
      this.keep(record);
      return;
    }
    this.#note(`synced ${event.agent}`, record);
  }

  #note(key: string, record: RunRecord): void {
    // Newest last: they are written in the order in which they came.
    this.#heartbeats.delete(key);
    this.#heartbeats.set(key, record);
    this.#flushing ??= setTimeout(() => this.#flush(), HEARTBEATS_MS);
  }

  #flush(): void {
    this.#flushing = null;
    if (this.#heartbeats.size === 0 || this.#closed) return;
    this.#waiting.push(...this.#heartbeats.values());
    this.#heartbeats.clear();
    void this.#begin();
  }

  /** Resolves when everything given to `keep` so far is written. @throws what the write says */
  saved(): Promise<void> {
    if (this.#waiting.length > 0) return this.#begin();
    return this.#writing ?? Promise.resolve();
  }

  /** No further tries after a failed write. What is waiting is still written. */
  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#flushing !== null) clearTimeout(this.#flushing);
  }

  /** The write that will carry all that waits now. */
  #begin(): Promise<void> {
    if (this.#next !== null) return this.#next;
    const turn = this.#writing?.catch(() => undefined) ?? new Promise<void>((resolve) => setImmediate(resolve));
    const write = turn.then(() => {
      this.#next = null;
      this.#writing = write;
      return this.#write();
    });
    this.#next = write;
    // Whoever asks `saved` gets the error; when nobody does, the next try is what it leads to.
    write.then(
      () => {
        if (this.#writing === write) this.#writing = null;
      },
      () => {
        if (this.#writing === write) this.#writing = null;
        if (!this.#closed) this.#retry = setTimeout(() => void this.#begin(), RETRY_MS);
      },
    );
    return write;
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      await this.#append(batch);
      this.#failing = false;
    } catch (error) {
      this.#failing = true;
      this.#waiting = [...batch, ...this.#waiting];
      throw error;
    }
  }
}
