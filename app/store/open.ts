/** Opens the store that `DATABASE_URL` names and brings its tables up to date. */
import { resolve } from "node:path";
import { DEFAULT_MIGRATION_TABLE, type Dialect, Kysely, Migrator, sql } from "kysely";
import { commitStore } from "./commit.ts";
import { countStore } from "./counts.ts";
import { fenced } from "./database/fence.ts";
import { StoreHealth, withHealth } from "./database/health.ts";
import { unknownMigrations } from "./database/newer-migrations.ts";
import { type PostgresOptions, postgresDialect } from "./database/postgres.ts";
import { postgresPlace, postgresRemedy } from "./database/postgres-errors.ts";
import { sqliteDialect } from "./database/sqlite.ts";
import { dueStore } from "./due.ts";
import type { Store } from "./model.ts";
import { retentionStore } from "./retention.ts";
import type { Tables } from "./schema.ts";
import { cacheStore } from "./tables/cache.ts";
import { claimStore, replicaStore } from "./tables/claims.ts";
import { deadEffectStore } from "./tables/dead-effects.ts";
import { deliveryStore } from "./tables/deliveries.ts";
import { effectStore } from "./tables/effects.ts";
import { gateStore } from "./tables/gates.ts";
import { historyStore } from "./tables/history.ts";
import { holdStore } from "./tables/holds.ts";
import { metaStore } from "./tables/meta.ts";
import { policyStore } from "./tables/policies.ts";
import { pullStore } from "./tables/pulls.ts";
import { repositoryStore } from "./tables/repositories.ts";
import { runStore } from "./tables/runs.ts";
import { startStore } from "./tables/started-runs.ts";
import { sweepStore } from "./tables/sweeps.ts";

export const DEFAULT_DATABASE_URL = "sqlite:data/stagewright.db";

/** The setting itself is wrong: nothing was opened. The message says what to write instead. */
export class DatabaseUrlError extends Error {
  override readonly name = "DatabaseUrlError";
}

/** The database is there or should be, and cannot be used. The message names it and says why. */
export class DatabaseUnusable extends Error {
  override readonly name = "DatabaseUnusable";
}

/** What the file system, SQLite or PostgreSQL threw, as one that says where. */
export function unusable(url: string, error: unknown): DatabaseUnusable {
  if (error instanceof DatabaseUnusable) {
    return error;
  }
  if (isPostgresUrl(url)) {
    return new DatabaseUnusable(`The database ${postgresPlace(url)} cannot be used: ${postgresRemedy(error)}.`, {
      cause: error,
    });
  }
  const file = sqliteFile(url);
  const path = file === ":memory:" ? file : resolve(file);
  const why = error instanceof Error ? error.message : String(error);
  return new DatabaseUnusable(
    `The database ${path} cannot be used: ${why}. It must be a database of this app, or not there yet, in a folder that the app's user may write to; DATABASE_URL names another one.`,
    { cause: error },
  );
}

export interface OpenOptions {
  /** Told of what no caller is told: a connection was lost while nobody used it. */
  readonly onError?: (error: Error) => void;
  /** The clock of leases, where the database has none of its own, and of when a failed write is tried again. */
  readonly now?: () => number;
  /** For a database in memory: the bytes of the one that it begins as a copy of. */
  readonly copied?: Uint8Array;
}

/**
 * `sqlite:<file>` (relative to the working directory, or absolute; `sqlite::memory:` for tests), or `postgres://…`.
 * Throws a DatabaseUrlError for any other address, and DatabaseUnusable when it cannot be opened.
 */
export async function openStore(
  url: string = DEFAULT_DATABASE_URL,
  { onError = () => undefined, now = Date.now, copied }: OpenOptions = {},
): Promise<Store> {
  const health = new StoreHealth(now);
  const db = new Kysely<Tables>({ dialect: fenced(withHealth(dialectOf(url, { onError }, copied), health)) });
  try {
    await (isPostgresUrl(url) ? migrateAlone(url, onError) : migrate(db));
  } catch (error) {
    await db.destroy();
    throw unusable(url, error);
  }
  const effects = effectStore(db);
  return {
    ...deliveryStore(db),
    ...pullStore(db),
    ...effects,
    ...deadEffectStore(db),
    ...repositoryStore(db),
    ...historyStore(db),
    ...commitStore(db),
    ...cacheStore(db),
    ...metaStore(db, health),
    replicas: replicaStore(db, now),
    claims: claimStore(db, now),
    runs: runStore(db, now),
    starts: startStore(db),
    gates: gateStore(db),
    due: dueStore(db, effects),
    policies: policyStore(db),
    holds: holdStore(db),
    sweeps: sweepStore(db),
    counts: countStore(db),
    forget: retentionStore(db),
    close: () => db.destroy(),
  };
}

/** In its own words, without a password, for the log. */
export function databaseName(url: string): string {
  return isPostgresUrl(url) ? `PostgreSQL, ${postgresPlace(url)}` : `SQLite, ${sqliteFile(url)}`;
}

export function isPostgresUrl(url: string): boolean {
  return /^postgres(?:ql)?:/iu.test(url);
}

/** The file that a URL names, or `:memory:`. Throws as `openStore` does. */
export function sqliteFile(url: string): string {
  const file = /^sqlite:(?:\/\/(?=\/))?(?<file>.+)$/iu.exec(url)?.groups?.file;
  if (file === undefined) {
    throw new DatabaseUrlError(
      `DATABASE_URL is “${withoutPassword(url)}”; expected sqlite:<file>, such as ${DEFAULT_DATABASE_URL}, or postgres://<user>:<password>@<host>:5432/<database>.`,
    );
  }
  return file;
}

function dialectOf(url: string, options: PostgresOptions, copied?: Uint8Array): Dialect {
  if (!isPostgresUrl(url)) {
    return sqliteDialect(sqliteFile(url), copied);
  }
  try {
    postgresPlace(url);
  } catch (error) {
    // Not as its cause: what cannot be parsed stands in it with its password.
    const why = error instanceof Error && !("input" in error) ? error.message : "it cannot be parsed";
    throw new DatabaseUrlError(
      `DATABASE_URL is “${withoutPassword(url)}”: ${withoutPassword(why)}; expected postgres://<user>:<password>@<host>:5432/<database>, with what is special in the password as %-codes.`,
    );
  }
  return postgresDialect(url, options);
}

/** On a connection of its own, which may wait for another process that is at it, and take its time. */
async function migrateAlone(url: string, onError: (error: Error) => void): Promise<void> {
  const db = new Kysely<Tables>({ dialect: dialectOf(url, { onError, connections: 1, patient: true }) });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const { known, breaking } = unknownMigrations(await appliedMigrations(db));
  if (breaking !== null) {
    throw new Error(
      `a newer version of the app has changed it in a way that this one cannot go on with (${breaking}); start that version, or restore a backup from before it`,
    );
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...known }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    throw error;
  }
}

/** Names, in their order. */
async function appliedMigrations(db: Kysely<Tables>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) {
    return [];
  }
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/]*@/u, "//***@").replaceAll(/(?<=[?&]password=)[^&]*/giu, "***");
}
