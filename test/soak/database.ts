/** The database of a soak: what the app is told to use, and what happens to it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startPostgres } from "../postgres/postgres.ts";

export interface SoakDatabase {
  readonly url: string;
  /** What a restart is called in the log. */
  readonly restartSaid: string;
  /** It goes away for a while, and comes back. */
  restart(): Promise<void>;
  /** MiB on disk. */
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Longer than a statement waits for it. */
const LOCKED_MS = 5_000;
/** Longer than anybody keeps it, frozen or not. */
const TURN_MS = 60_000;
const TURN_PAUSE_MS = 5;
const MIB = 1024 * 1024;
/** As long as a server takes to come back after its machine was started anew. */
const DOWN_MS = 3_000;

export const SOAK_DATABASES = ["sqlite", "postgres"] as const;
export type SoakDatabaseKind = (typeof SOAK_DATABASES)[number];

export async function openSoakDatabase(kind: SoakDatabaseKind, directory: string): Promise<SoakDatabase> {
  return kind === "sqlite" ? sqliteDatabase(directory) : await postgresDatabase();
}

/** A file has no server that could be restarted: instead somebody else keeps it for himself for a while. */
function sqliteDatabase(directory: string): SoakDatabase {
  const file = join(directory, "app.db");
  return {
    url: `sqlite:${file}`,
    restartSaid: `somebody else writes to the database for ${LOCKED_MS / 1_000} s`,
    restart: async () => {
      const other = new DatabaseSync(file);
      try {
        await begin(other);
        await sleep(LOCKED_MS);
        other.exec("ROLLBACK;");
      } finally {
        other.close();
      }
    },
    size: async () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) / MIB,
    close: async () => undefined,
  };
}

/** Asks again and again: a wait within SQLite would hold up GitHub's stand-in, and a frozen process may have the lock. */
async function begin(database: DatabaseSync): Promise<void> {
  const deadline = Date.now() + TURN_MS;
  for (;;) {
    try {
      database.exec("BEGIN IMMEDIATE;");
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(TURN_PAUSE_MS);
    }
  }
}

/** A server that syncs what it commits; restarted in order and by a crash, in turns. */
async function postgresDatabase(): Promise<SoakDatabase> {
  const postgres = await startPostgres({ durable: true });
  const url = await postgres.blank();
  let restarts = 0;
  return {
    url,
    restartSaid: `the database server goes away for ${DOWN_MS / 1_000} s`,
    restart: async () => {
      restarts += 1;
      await (restarts % 2 === 1 ? postgres.kill() : postgres.stop());
      await sleep(DOWN_MS);
      await postgres.start();
    },
    size: async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        const { rows } = await client.query<{ size: string }>("select pg_database_size(current_database()) as size");
        return Number(rows[0]?.size ?? 0) / MIB;
      } finally {
        await client.end();
      }
    },
    close: () => postgres.close(),
  };
}
