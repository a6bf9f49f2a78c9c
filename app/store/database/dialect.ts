/** What differs between the databases: all of it is here, and in how each is opened. */
import {
  type ColumnDataType,
  type ColumnDefinitionBuilder,
  type Kysely,
  PostgresAdapter,
  type RawBuilder,
  type SelectQueryBuilder,
  sql,
} from "kysely";

/** Whether others may write at the same time: then rows have to be locked that are read and then written. */
export function isShared<T>(db: Kysely<T>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * Until the end of the transaction nobody else has the lock of this name: what is counted and then written under it
 * stays true. SQLite has one writer at a time anyway.
 */
export async function lock<T>(db: Kysely<T>, name: string): Promise<void> {
  if (isShared(db)) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(db);
  }
}

/** For `$call`: rows that are read stay as they are until the end of the transaction. */
export function held<T>(
  db: Kysely<T>,
): <DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>) => SelectQueryBuilder<DB, TB, O> {
  return (query) => (isShared(db) ? query.forUpdate() : query);
}

/** For `$call`, as `held`: those that somebody else has, who may be changing them, are left out. */
export function taken<T>(
  db: Kysely<T>,
): <DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>) => SelectQueryBuilder<DB, TB, O> {
  return (query) => (isShared(db) ? query.forUpdate().skipLocked() : query);
}

/** A column that numbers the rows as they come: `addColumn("id", ...rowNumber(db))`. */
export function rowNumber<T>(
  db: Kysely<T>,
): [ColumnDataType, (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder] {
  return isShared(db)
    ? ["bigint", (column) => column.generatedByDefaultAsIdentity().primaryKey()]
    : ["integer", (column) => column.primaryKey().autoIncrement()];
}

/** The type of a column that holds such a number. */
export function rowNumberType<T>(db: Kysely<T>): ColumnDataType {
  return isShared(db) ? "bigint" : "integer";
}

/** Rows were given their numbers by hand: the next one goes on after them. SQLite sees to that itself. */
export async function numberOn<T>(db: Kysely<T>, table: string, column: string): Promise<void> {
  if (isShared(db)) {
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}),
      (select coalesce(max(${sql.ref(column)}), 0) + 1 from ${sql.table(table)}), false)`.execute(db);
  }
}

/** A table that is to be replaced gives its constraint's name away, which PostgreSQL has once in a schema. */
export async function freeConstraint<T>(db: Kysely<T>, table: string, constraint: string): Promise<void> {
  if (isShared(db)) {
    await sql`alter table ${sql.table(table)} rename constraint ${sql.ref(constraint)} to ${sql.ref(`old_${constraint}`)}`.execute(
      db,
    );
  }
}

/** A number in a document; null: there is none. */
export function numberIn<T>(db: Kysely<T>, column: string, key: string): RawBuilder<number | null> {
  return isShared(db)
    ? sql`(${sql.ref(column)}::json ->> ${sql.lit(key)})::bigint`
    : sql`json_extract(${sql.ref(column)}, ${sql.lit(`$.${key}`)})`;
}

/** Whether a document has nothing, or null, under this key. */
export function isNullIn<T>(db: Kysely<T>, column: string, key: string): RawBuilder<boolean> {
  return isShared(db)
    ? sql`(${sql.ref(column)}::json ->> ${sql.lit(key)}) is null`
    : sql`json_extract(${sql.ref(column)}, ${sql.lit(`$.${key}`)}) is null`;
}
