/** A run store that keeps what a database would: JSON. */
import {
  type RunRecord,
  type RunSnapshot,
  type RunStore,
  type StoredRun,
  VersionConflict,
} from "../../../src/coordinator/hosting/run-store.ts";

interface Kept {
  version: number;
  snapshot: string | null;
  records: string[];
  isOver: boolean;
}

export class MemoryRunStore implements RunStore {
  readonly runs = new Map<string, Kept>();
  /** Of all that was written. */
  readonly written = { records: 0, snapshots: 0, bytes: 0 };

  async append(run: string, version: number, records: readonly RunRecord[]): Promise<number> {
    const kept = this.#at(run, version);
    const texts = records.map((record) => JSON.stringify(record));
    kept.records.push(...texts);
    kept.version += texts.length;
    this.written.records += texts.length;
    return this.#count(texts.reduce((sum, text) => sum + text.length, 0));
  }

  async replace(run: string, version: number, next: number, snapshot: RunSnapshot): Promise<number> {
    const kept = this.#at(run, version);
    kept.snapshot = JSON.stringify(snapshot);
    kept.records = [];
    kept.version = next;
    this.written.snapshots += 1;
    return this.#count(kept.snapshot.length);
  }

  async has(run: string): Promise<boolean> {
    return this.runs.has(run);
  }

  async load(run: string): Promise<StoredRun | null> {
    const kept = this.runs.get(run);
    if (kept === undefined) return null;
    const { version, snapshot, records } = kept;
    return {
      version,
      snapshot: snapshot === null ? null : JSON.parse(snapshot),
      records: records.map((text) => JSON.parse(text)),
    };
  }

  async close(run: string): Promise<void> {
    const kept = this.runs.get(run);
    if (kept !== undefined) kept.isOver = true;
  }

  async unfinished(): Promise<readonly string[]> {
    return [...this.runs].flatMap(([id, { isOver }]) => (isOver ? [] : [id]));
  }

  #count(bytes: number): number {
    this.written.bytes += bytes;
    return bytes;
  }

  #at(run: string, version: number): Kept {
    const kept = this.runs.get(run) ?? { version: 0, snapshot: null, records: [], isOver: false };
    if (kept.version !== version) throw new VersionConflict(`run ${run} does not have ${version} records`);
    this.runs.set(run, kept);
    return kept;
  }
}
