/** SQLite through Node's own module, as Kysely wants it. */
import { resolve } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import {
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from "kysely";
import { LRUCache } from "lru-cache";
import { keepPrivate } from "./private-files.ts";

/** Preparing costs more than running most statements; the app has fewer than this. */
const MOST_STATEMENTS = 200;
/** How long a statement waits for another process (a backup) to let go of the file: nothing is answered meanwhile. */
export const BUSY_MS = 2_000;

/**
 * Opens (and creates) the file; `:memory:` keeps everything in memory. With WAL and full synchronisation a commit that
 * has returned survives a crash of the process and of the machine. One in memory may begin as a copy of another.
 */
export function sqliteDialect(file: string, copied?: Uint8Array): Dialect {
  return new FileDialect(async () => adapt(open(file, copied)));
}

class FileDialect extends SqliteDialect {
  readonly #database: () => Promise<SqliteDatabase>;

  constructor(database: () => Promise<SqliteDatabase>) {
    super({ database });
    this.#database = database;
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }

  override createDriver(): SqliteDriver {
    return new FirstErrorDriver({ database: this.#database });
  }
}

/** After some errors (a full disk) SQLite has undone everything by itself: what is told is that error. */
class FirstErrorDriver extends SqliteDriver {
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("no transaction is active"))) {
        throw error;
      }
    }
  }
}

/** SQLite's tables are changed within transactions, too: a start that is cut off leaves no half of a migration. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function open(file: string, copied: Uint8Array | undefined): DatabaseSync {
  if (file !== ":memory:") {
    keepPrivate(resolve(file));
  }
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  if (copied !== undefined) {
    database.deserialize(copied);
  }
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  return database;
}

function adapt(database: DatabaseSync): SqliteDatabase {
  const statements = new LRUCache<string, SqliteStatement>({ max: MOST_STATEMENTS });
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const known = statements.get(sql);
      if (known !== undefined) {
        return known;
      }
      const statement = adaptStatement(database.prepare(sql));
      statements.set(sql, statement);
      return statement;
    },
  };
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(input)),
    run: (parameters) => statement.run(...parameters.map(input)),
    iterate: (parameters) => statement.iterate(...parameters.map(input)),
  };
}

function input(value: unknown): SQLInputValue {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value;
    case "boolean":
      return value ? 1 : 0;
    default:
      if (value === null || value instanceof Uint8Array) {
        return value;
      }
      throw new TypeError(`SQLite cannot store a value of type ${typeof value}.`);
  }
}
