/** Stores in memory for tests: the tables are made once for all of a process, which takes longer than most tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Store } from "../../../app/store/model.ts";
import { type OpenOptions, openStore } from "../../../app/store/open.ts";

let empty: Promise<Uint8Array> | null = null;

export async function openMemoryStore(options: Omit<OpenOptions, "copied"> = {}): Promise<Store> {
  empty ??= migrated();
  return openStore("sqlite::memory:", { ...options, copied: await empty });
}

/** An empty database with all its tables. */
async function migrated(): Promise<Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-empty-"));
  try {
    const file = join(directory, "empty.db");
    await (await openStore(`sqlite:${file}`)).close();
    const database = new DatabaseSync(file);
    // A database in memory cannot be one with a log beside it.
    database.exec("PRAGMA journal_mode = DELETE;");
    const bytes = database.serialize();
    database.close();
    return bytes;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
