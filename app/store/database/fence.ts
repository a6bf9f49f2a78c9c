/**
 * The fence: while a claim is in force, whatever is written through a connection checks it first, in the transaction of
 * the write itself. It stands between Kysely and the database, so that no write can go past it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import { type Claim, ClaimLost } from "../model/claims.ts";
import type { Tables } from "../schema.ts";
import { isShared } from "./dialect.ts";
import { changesNothing } from "./reads.ts";
import { retried } from "./retried.ts";

const inForce = new AsyncLocalStorage<Claim | null>();

const STANDS = "select 1 from claims where released_at is null and";

/** Runs work whose writes check the claim; null: no claim. */
export function withClaim<T>(claim: Claim | null, work: () => T): T {
  return inForce.run(claim, work);
}

/** The claim that writes check here; null: none. */
export function claimInForce(): Claim | null {
  return inForce.getStore() ?? null;
}

/** The same dialect, behind the fence. */
export function fenced(dialect: Dialect): Dialect {
  // Where there are several connections nobody can take the claim while the transaction lasts.
  const text =
    dialect.createAdapter() instanceof PostgresAdapter
      ? `${STANDS} key = $1 and owner = $2 and fence = $3 for share`
      : `${STANDS} key = ? and owner = ? and fence = ?`;
  const check = async (connection: DatabaseConnection, claim: Claim): Promise<void> => {
    const query = CompiledQuery.raw(text, [claim.key, claim.owner, claim.fence]);
    if ((await connection.executeQuery(query)).rows.length === 0) {
      throw new ClaimLost(claim);
    }
  };
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new FencedDriver(dialect.createDriver(), check),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

/** For what writes under several claims in one transaction: whether this one stands, as long as that lasts. */
export async function claimStands(db: Kysely<Tables>, claim: Claim): Promise<boolean> {
  const found = await db
    .selectFrom("claims")
    .select("key")
    .where("key", "=", claim.key)
    .where("owner", "=", claim.owner)
    .where("fence", "=", claim.fence)
    .where("released_at", "is", null)
    .$if(isShared(db), (query) => query.forShare())
    .executeTakeFirst();
  return found !== undefined;
}

type Check = (connection: DatabaseConnection, claim: Claim) => Promise<void>;

class FencedDriver implements Driver {
  readonly #driver: Driver;
  readonly #check: Check;

  constructor(driver: Driver, check: Check) {
    this.#driver = driver;
    this.#check = check;
  }

  init(): Promise<void> {
    return this.#driver.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new FencedConnection(await this.#driver.acquireConnection(), this.#driver, this.#check);
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await own(connection).begin(settings);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#driver.commitTransaction(own(connection).end());
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#driver.rollbackTransaction(own(connection).end());
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await this.#driver.releaseConnection(own(connection).inner);
  }

  destroy(): Promise<void> {
    return this.#driver.destroy();
  }
}

class FencedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  readonly #driver: Driver;
  readonly #check: Check;
  #inTransaction = false;

  constructor(inner: DatabaseConnection, driver: Driver, check: Check) {
    this.inner = inner;
    this.#driver = driver;
    this.#check = check;
  }

  /** @throws ClaimLost, and then nothing is begun */
  async begin(settings: TransactionSettings): Promise<void> {
    const claim = claimInForce();
    await this.#driver.beginTransaction(this.inner, settings);
    if (claim !== null) {
      try {
        await this.#check(this.inner, claim);
      } catch (error) {
        await this.#driver.rollbackTransaction(this.inner);
        throw error;
      }
    }
    this.#inTransaction = true;
  }

  /** The connection itself, for what ends the transaction. */
  end(): DatabaseConnection {
    this.#inTransaction = false;
    return this.inner;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#inTransaction || claimInForce() === null || changesNothing(query.sql)) {
      return await this.inner.executeQuery<R>(query);
    }
    // A statement by itself: the check has to be in its transaction.
    return await retried(() => this.#alone<R>(query));
  }

  async #alone<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    await this.begin({});
    try {
      const result = await this.inner.executeQuery<R>(query);
      await this.#driver.commitTransaction(this.end());
      return result;
    } catch (error) {
      if (this.#inTransaction) {
        await this.#driver.rollbackTransaction(this.end());
      }
      throw error;
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery<R>(query, chunkSize);
  }
}

function own(connection: DatabaseConnection): FencedConnection {
  if (connection instanceof FencedConnection) {
    return connection;
  }
  throw new Error("A connection has gone past the fence.");
}
