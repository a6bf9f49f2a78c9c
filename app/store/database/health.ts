/**
 * Whether the database takes what is written. A write that fails for the database's sake says at once that it does not,
 * whoever wanted it, and the first that succeeds says that it does.
 */
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from "kysely";
import pg from "pg";
import { databaseErrorCode } from "./postgres-errors.ts";
import { changesNothing } from "./reads.ts";

/** After a failure, until a write is tried for the sake of who asks: one may take seconds to fail. */
const TRY_AGAIN_MS = 1_000;

export class StoreHealth {
  readonly #now: () => number;
  #failure: { readonly at: number; readonly error: unknown } | null = null;

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What the last write failed with; null: it did not. */
  get failure(): { readonly error: unknown; readonly toBeTried: boolean } | null {
    const failure = this.#failure;
    return failure && { error: failure.error, toBeTried: Math.abs(this.#now() - failure.at) >= TRY_AGAIN_MS };
  }

  failed(error: unknown): void {
    if (isTrouble(error)) {
      this.#failure = { at: this.#now(), error };
    }
  }

  wrote(): void {
    this.#failure = null;
  }
}

/** The same dialect; `health` is told how its writes end. */
export function withHealth(dialect: Dialect, health: StoreHealth): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new WatchedDriver(dialect.createDriver(), health),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

/** SQLite's primary codes of what is the statement's own fault: error, too big, constraint, mismatch, range. */
const SQLITE_STATEMENT: ReadonlySet<number> = new Set([1, 18, 19, 20, 25]);
/** SQLSTATE classes of what is the server's trouble: connection, read-only, resources, operator, system, internal. */
const POSTGRES_TROUBLE = /^(?:08|25006|53|57|58|F0|XX)/u;

function isTrouble(error: unknown): boolean {
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") {
    return !SQLITE_STATEMENT.has(error.errcode % 256);
  }
  if (error instanceof pg.DatabaseError) {
    return POSTGRES_TROUBLE.test(databaseErrorCode(error) ?? "");
  }
  // A connection that could not be made, was lost, or gives no answer; not what cannot be written down at all.
  return !(error instanceof TypeError || error instanceof RangeError);
}

class WatchedDriver implements Driver {
  readonly #driver: Driver;
  readonly #health: StoreHealth;

  constructor(driver: Driver, health: StoreHealth) {
    this.#driver = driver;
    this.#health = health;
  }

  init(): Promise<void> {
    return this.#driver.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const inner = await this.#told(() => this.#driver.acquireConnection());
    return new WatchedConnection(inner, this.#health);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const own = ownOf(connection);
    await this.#told(() => this.#driver.beginTransaction(own.inner, settings));
    own.written = false;
    own.inTransaction = true;
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const own = ownOf(connection);
    own.inTransaction = false;
    await this.#told(() => this.#driver.commitTransaction(own.inner));
    if (own.written) {
      this.#health.wrote();
    }
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const own = ownOf(connection);
    own.inTransaction = false;
    await this.#driver.rollbackTransaction(own.inner);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await this.#driver.releaseConnection(ownOf(connection).inner);
  }

  destroy(): Promise<void> {
    return this.#driver.destroy();
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#health.failed(error);
      throw error;
    }
  }
}

class WatchedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  readonly #health: StoreHealth;
  inTransaction = false;
  /** Something, in the transaction that is going on. */
  written = false;

  constructor(inner: DatabaseConnection, health: StoreHealth) {
    this.inner = inner;
    this.#health = health;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const result = await this.inner.executeQuery<R>(query);
      if (this.#health.failure !== null && !changesNothing(query.sql)) {
        this.written = true;
        if (!this.inTransaction) {
          this.#health.wrote();
        }
      }
      return result;
    } catch (error) {
      // A question that takes too long says nothing of what can be written.
      if (!changesNothing(query.sql)) {
        this.#health.failed(error);
      }
      throw error;
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery<R>(query, chunkSize);
  }
}

function ownOf(connection: DatabaseConnection): WatchedConnection {
  if (connection instanceof WatchedConnection) {
    return connection;
  }
  throw new Error("A connection has gone past the watch.");
}
