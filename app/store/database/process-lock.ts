/**
 * One process for each SQLite database: nothing that is to be done there is leased, so two would do everything twice. The operating
 * system holds the lock, on a small SQLite file beside the database, and lets it go when the process ends, however it
 * ends: no lock outlives its owner.
 */
import { mkdirSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { isPostgresUrl, sqliteFile } from "../open.ts";
import { keepPrivate } from "./private-files.ts";

/** Another process holds the database; nothing was opened. The message says which. */
export class DatabaseInUse extends Error {
  override readonly name = "DatabaseInUse";
}

export interface ProcessLock {
  /** To be called after the database was closed. */
  release(): void;
}

/** What is not referred to any more would be closed at some time, and with it the lock. */
const HELD = new Set<DatabaseSync>();
/** Codes of SQLite: somebody else has the lock. */
const BUSY = 5;
const LOCKED = 6;
/** Two that begin in the same moment wait for each other for this long. Milliseconds. */
const PATIENCE_MS = 500;

const owner = z.object({ pid: z.number(), host: z.string(), since: z.number() });
const failed = z.object({ errcode: z.number() });

/**
 * Makes this process the only one that uses the database, until it ends or releases it. `url`: as `openStore` takes it;
 * several may share a PostgreSQL database, and one in memory is nobody else's.
 * @throws DatabaseInUse when another process has it, OpenToOthers when others can read it,
 * DatabaseUrlError when `url` is none
 */
export function holdDatabase(url: string, now: number): ProcessLock {
  const file = isPostgresUrl(url) ? ":memory:" : sqliteFile(url);
  if (file === ":memory:") {
    return { release: () => undefined };
  }
  const database = realFile(file);
  const path = `${database}.lock`;
  keepPrivate(database);
  keepPrivate(path);
  const lock = new DatabaseSync(path, { timeout: PATIENCE_MS });
  try {
    // A journal that is no file of its own and no shared memory: readers see who has it while it is held.
    lock.exec("PRAGMA journal_mode = DELETE;");
    lock.exec("CREATE TABLE IF NOT EXISTS owner (pid INTEGER, host TEXT, since INTEGER);");
    const self = { pid: process.pid, host: hostname(), since: now };
    // What is never committed is what is held; what others are to read must be committed before.
    for (lock.exec("BEGIN IMMEDIATE;"); !saysSo(lock, self); lock.exec("BEGIN IMMEDIATE;")) {
      lock.exec("DELETE FROM owner;");
      lock.prepare("INSERT INTO owner (pid, host, since) VALUES (?, ?, ?)").run(self.pid, self.host, self.since);
      lock.exec("COMMIT;");
    }
  } catch (error) {
    const busy = isBusy(error);
    const by = busy ? ownerOf(lock) : "";
    lock.close();
    if (!busy) {
      throw error;
    }
    throw new DatabaseInUse(
      `The database ${file} is in use by another process${by}. One process for each database: stop that one first, or set DATABASE_URL to another file.`,
      { cause: error },
    );
  }
  HELD.add(lock);
  return {
    release: () => {
      if (HELD.delete(lock)) {
        lock.close();
      }
    },
  };
}

function isBusy(error: unknown): boolean {
  const code = failed.safeParse(error).data?.errcode;
  // The lowest byte is the kind, what is above says more.
  return code !== undefined && [BUSY, LOCKED].includes(code & 0xff);
}

function saysSo(lock: DatabaseSync, { pid, host, since }: z.infer<typeof owner>): boolean {
  const row = lock.prepare("SELECT 1 FROM owner WHERE pid = ? AND host = ? AND since = ?").get(pid, host, since);
  return row !== undefined;
}

/** In words; empty: it has not said so yet. */
function ownerOf(lock: DatabaseSync): string {
  try {
    const { pid, host, since } = owner.parse(lock.prepare("SELECT pid, host, since FROM owner").get());
    return ` (process ${pid} on ${host}, since ${new Date(since).toISOString()})`;
  } catch {
    return "";
  }
}

/** Two names of one file have one lock. */
function realFile(file: string): string {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return realpathSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return join(realpathSync(dirname(path)), basename(path));
    }
    throw error;
  }
}
