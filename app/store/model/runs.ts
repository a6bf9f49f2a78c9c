/** Runs of groups, as the app asks for them. */
import type { RunStore } from "../../../src/coordinator/hosting/run-store.ts";

/** A hosted run is claimed by this and its id. */
export const RUN_CLAIMS = "run:";

export interface RunRow {
  readonly id: string;
  readonly createdAt: number;
  readonly overAt: number | null;
}

/** What the app asks of runs beyond what a coordinator does. */
export interface AppRunStore extends RunStore {
  /** Runs that are not over and that no replica has whose lease lasts, the oldest first. */
  orphans(limit: number): Promise<readonly string[]>;
  /** What `setNote` kept; null: nothing. */
  note(run: string): Promise<unknown>;
  setNote(run: string, note: object): Promise<void>;
  /** Those that are not over, oldest first, with what `setNote` kept of each. */
  open(): Promise<readonly { readonly id: string; readonly note: unknown }[]>;
  /** Newest first; `before`: a `next` of an earlier page. */
  list(limit: number, before?: number): Promise<{ readonly items: readonly RunRow[]; readonly next: number | null }>;
  /** Forgets runs that were over before a time, at most `limit` (default 20: each has many records). Returns how many. */
  prune(overBefore: number, limit?: number): Promise<number>;
}
