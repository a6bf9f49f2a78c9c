/** The database of a soak: what the app is told to use, and what happens to it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

export interface SoakDatabase {
  readonly url: string;
  /** What a restart is called in the log. */
  readonly restartSaid: string;
  /** It goes away for a while, and comes back. */
  restart(): Promise<void>;
  /** MiB on disk; null: not known. */
  size(): number | null;
  close(): Promise<void>;
}

/** Longer than a statement waits for it. */
const LOCKED_MS = 5_000;
const MIB = 1024 * 1024;

/** A file has no server that could be restarted: instead somebody else keeps it for himself for a while. */
export function sqliteDatabase(directory: string): SoakDatabase {
  const file = join(directory, "app.db");
  return {
    url: `sqlite:${file}`,
    restartSaid: `somebody else writes to the database for ${LOCKED_MS / 1_000} s`,
    restart: async () => {
      const other = new DatabaseSync(file, { timeout: LOCKED_MS });
      try {
        other.exec("BEGIN IMMEDIATE;");
        await sleep(LOCKED_MS);
        other.exec("ROLLBACK;");
      } finally {
        other.close();
      }
    },
    size: () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) / MIB,
    close: async () => undefined,
  };
}
