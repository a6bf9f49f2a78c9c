/** Copies of a SQLite database, made while the app runs, and put back while it does not. */
import { closeSync, existsSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { NEWEST_DOCUMENTS } from "../documents.ts";
import { MIGRATIONS } from "../migrations/index.ts";
import { sqliteFile } from "../open.ts";
import { unknownMigrations } from "./newer-migrations.ts";
import { keepPrivate } from "./private-files.ts";
import { holdDatabase } from "./process-lock.ts";
import { BUSY_MS } from "./sqlite.ts";

/** It could not be done, or what was found is no database to go on with. The message says what to do. */
export class BackupFailed extends Error {
  override readonly name = "BackupFailed";
}

/** All in one step: nobody writes in between, and it does not begin again each time that the app does. */
const ALL_PAGES = 2 ** 31 - 1;
/** What one file may be told to be wrong with. */
const MOST_FINDINGS = 20;
const BESIDE = ["", "-wal", "-shm"] as const;
/** Where each kind of document is: its table, and the column that holds it. */
const PLACES = [
  ["facts", "pull_documents", "document_json", "kind = 'facts'"],
  ["confirmed", "pull_documents", "document_json", "kind = 'confirmed'"],
  ["evaluation", "pull_documents", "document_json", "kind = 'evaluation'"],
  ["intent", "pulls", "intent_json", "1"],
  ["blocked", "pulls", "blocked_json", "1"],
  ["actor", "history", "actor_json", "1"],
  ["actor", "repository_holds", "by_json", "1"],
  ["effect", "effects", "payload_json", "1"],
  ["result", "effects", "result_json", "1"],
  ["started_run", "started_runs", "detail_json", "1"],
  ["gate", "waiting_gates", "detail_json", "1"],
  ["policy", "policies", "state_json", "1"],
  ["run_record", "run_records", "record_json", "1"],
  ["run_note", "runs", "note_json", "1"],
] as const;

export interface CheckedDatabase {
  readonly path: string;
  /** The newest migration that it has had; null: none. */
  readonly migration: string | null;
  /** Each in one line; empty: it is whole, and this version of the app can go on with it. */
  readonly problems: readonly string[];
}

/**
 * Writes a copy that is of one moment to `target`, for this user alone, and reads it through. The app may run.
 * @throws BackupFailed, and what the file system throws
 */
export async function backUpDatabase(url: string, target: string): Promise<CheckedDatabase> {
  const source = existing(sqliteFile(url));
  const path = resolve(target);
  if (existsSync(path)) {
    throw new BackupFailed(`${path} is there already: name a file that is not.`);
  }
  return await copied(source, path);
}

/**
 * Puts a copy in the place of the database. What was there before is kept beside it.
 * @param at names what is kept; milliseconds
 * @returns what was put back, and where that which was there before is now; null: there was none
 * @throws DatabaseInUse while the app runs; BackupFailed when the copy is none to go on with
 */
export async function restoreDatabase(
  url: string,
  from: string,
  at: number,
): Promise<{ readonly found: CheckedDatabase; readonly before: string | null }> {
  const source = existing(from);
  const target = resolve(sqliteFile(url));
  const was = existsSync(target);
  if (was && realpathSync(target) === realpathSync(source)) {
    throw new BackupFailed(`${source} is the database itself.`);
  }
  refuseForOthers(target);
  const held = holdDatabase(url, at);
  try {
    // Two names of one file are one database.
    const path = realpathSync(target);
    const fresh = `${path}.restoring`;
    rmSync(fresh, { force: true });
    const found = await copied(source, fresh);
    const before = `${path}.before-${new Date(at).toISOString().replaceAll(/[:.]/gu, "-")}`;
    const files = was ? BESIDE.filter((end) => existsSync(`${path}${end}`)) : [];
    for (const end of files) {
      renameSync(`${path}${end}`, `${before}${end}`);
    }
    renameSync(fresh, path);
    synchronize(dirname(path));
    return { found, before: was ? before : null };
  } finally {
    held.release();
  }
}

/** What root puts there would be root's own: the app could not open it, and its user could have root write elsewhere. */
function refuseForOthers(target: string): void {
  const known = statSync(target, { throwIfNoEntry: false }) ?? statSync(dirname(target), { throwIfNoEntry: false });
  if (process.getuid?.() === 0 && known !== undefined && known.uid !== 0) {
    throw new BackupFailed(
      `The app could not open what root puts at ${target}, which is user ${known.uid}'s: run this as that user (sudo -u '#${known.uid}' …), who has to be able to read the copy.`,
    );
  }
}

/** Reads all of a database: whether it is whole, and whether this version of the app can go on with it. */
export function checkDatabase(file: string): CheckedDatabase {
  const path = existing(file);
  const problems: string[] = [];
  let migration: string | null = null;
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    try {
      problems.push(...integrity(database));
      const applied = migrationsOf(database);
      migration = applied.at(-1) ?? null;
      problems.push(...versionProblems(database, applied));
    } finally {
      database.close();
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return { path, migration, problems: problems.slice(0, MOST_FINDINGS) };
}

async function copied(source: string, target: string): Promise<CheckedDatabase> {
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  // Made by us first: SQLite would make it for whoever the umask says.
  keepPrivate(partial);
  try {
    const database = new DatabaseSync(source, { readOnly: true, timeout: BUSY_MS });
    try {
      await backup(database, partial, { rate: ALL_PAGES });
    } finally {
      database.close();
    }
    const found = checkDatabase(partial);
    if (found.problems.length > 0) {
      throw new BackupFailed(`${source} is no database to go on with: ${found.problems.join("; ")}.`);
    }
    synchronize(partial);
    renameSync(partial, target);
    synchronize(dirname(target));
    return { ...found, path: target };
  } finally {
    for (const end of BESIDE) {
      rmSync(`${partial}${end}`, { force: true });
    }
  }
}

function* integrity(database: DatabaseSync): Generator<string> {
  for (const row of database.prepare(`PRAGMA integrity_check(${MOST_FINDINGS})`).all()) {
    if (row.integrity_check !== "ok") {
      yield `${row.integrity_check}`;
    }
  }
  for (const row of database.prepare("PRAGMA foreign_key_check").all().slice(0, MOST_FINDINGS)) {
    yield `a row of ${row.table} (${row.rowid}) belongs to one of ${row.parent} that is not there`;
  }
}

/** Those that it has had, in their order. */
function migrationsOf(database: DatabaseSync): string[] {
  const has = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'kysely_migration'").get();
  return has === undefined
    ? []
    : database
        .prepare("SELECT name FROM kysely_migration ORDER BY name")
        .all()
        .map((row) => `${row.name}`);
}

function* versionProblems(database: DatabaseSync, applied: readonly string[]): Generator<string> {
  if (applied.length === 0) {
    yield "it is no database of this app: it has had no migration";
    return;
  }
  const { breaking } = unknownMigrations(applied);
  if (breaking !== null) {
    yield `a newer version of the app has changed it in a way that this one cannot go on with (${breaking})`;
  }
  // One of an earlier version is brought up to date when the app starts.
  if (Object.keys(MIGRATIONS).some((name) => !applied.includes(name))) {
    return;
  }
  for (const [kind, table, column, where] of PLACES) {
    const newest = database
      .prepare(
        `SELECT count(*) AS count, max(json_extract(${column}, '$.v')) AS newest FROM ${table}
         WHERE ${where} AND ${column} IS NOT NULL AND json_extract(${column}, '$.v') > ?`,
      )
      .get(NEWEST_DOCUMENTS[kind]);
    if (Number(newest?.count ?? 0) > 0) {
      yield `${newest?.count} documents (${kind}) are of version ${newest?.newest}, and this version of the app reads up to ${NEWEST_DOCUMENTS[kind]}`;
    }
  }
}

/** @throws BackupFailed */
function existing(file: string): string {
  const path = resolve(file);
  if (file === ":memory:" || !existsSync(path)) {
    throw new BackupFailed(
      `There is no database ${file === ":memory:" ? file : path}. DATABASE_URL says which is meant: set it as it is for the app.`,
    );
  }
  return path;
}

/** What was written survives the loss of power. */
function synchronize(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
