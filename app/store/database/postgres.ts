/** PostgreSQL through `pg`, as Kysely wants it. */
import {
  type Dialect,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from "kysely";
import pg from "pg";
import { retried } from "./retried.ts";

/** Of each process. A server allows a hundred unless it is told otherwise. */
const CONNECTIONS = 10;
/** What makes a connection, and what waits for one that is free, gives up after this. */
const CONNECT_MS = 10_000;
/** The server ends a statement after this, and a transaction in which nothing happens. */
const STATEMENT_MS = 15_000;
/** A server that does not answer at all is given up after this; longer, so that what it says itself comes first. */
const ANSWER_MS = STATEMENT_MS + 5_000;
/** Of PostgreSQL's catalogue: int8, which all columns of ours are that are not small. */
const INT8 = 20;

export interface PostgresOptions {
  /** Told of connections that were lost while nobody used them. */
  readonly onError: (error: Error) => void;
  /** Default: 10. */
  readonly connections?: number;
  /** What is done may take as long as it does: migrations. Default: false. */
  readonly patient?: boolean;
}

/**
 * How to reach the server, for a pool or a connection of its own. `sslmode` and the like are read from the URL as `pg`
 * does. Throws what `pg` throws for a URL that is none.
 */
export function postgresConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: "stagewright",
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  };
}

/** A pool of connections; each statement and each wait has its deadline. */
export function postgresDialect(url: string, { onError, connections, patient = false }: PostgresOptions): Dialect {
  const limits = patient
    ? {}
    : {
        statement_timeout: STATEMENT_MS,
        idle_in_transaction_session_timeout: STATEMENT_MS,
        query_timeout: ANSWER_MS,
      };
  const pool = new pg.Pool({ ...postgresConfig(url), ...limits, max: connections ?? CONNECTIONS });
  pool.on("error", onError);
  // Whoever uses a connection that is lost is told by its statement; without this the process would end of it.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return new PostgresDialect({
    pool: { connect: async () => adapt(await pool.connect().catch(inOne)), end: () => pool.end() },
  });
}

/** A name with several addresses fails as often, and says nothing by itself. */
function inOne(error: unknown): never {
  if (error instanceof AggregateError && error.message === "") {
    const [first] = error.errors;
    throw first instanceof Error ? first : error;
  }
  throw error;
}

/** A connection that may have been lost is not used again; its end undoes what it was about. */
function adapt(client: pg.PoolClient): PostgresPoolClient {
  let lost: Error | null = null;
  let inTransaction = false;
  const once = async (text: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
    try {
      return await client.query(text, values.map(input));
    } catch (error) {
      // After what the server itself refuses it goes on; after all else nobody knows what it still does.
      if (!(error instanceof pg.DatabaseError) || error.severity === "FATAL") {
        lost = error instanceof Error ? error : new Error(String(error));
      }
      throw error;
    }
  };
  function query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  function query(text: unknown, values: readonly unknown[] = []): unknown {
    if (typeof text !== "string") {
      throw new TypeError("Rows are read whole, not through cursors.");
    }
    if (text === "rollback" && lost !== null) {
      return Promise.resolve({ command: "ROLLBACK", rowCount: 0, rows: [] });
    }
    if (lost !== null) {
      return Promise.reject(lost);
    }
    if (text === "begin" || text === "commit" || text === "rollback") {
      inTransaction = text === "begin";
    }
    // Within a transaction it is tried again as a whole, by whoever began it.
    return inTransaction ? once(text, values) : retried(() => once(text, values));
  }
  return { query, release: () => client.release(lost ?? undefined) };
}

/** Text may hold anything that people write, and PostgreSQL's no zero; times that were computed are rounded up. */
function input(value: unknown): unknown {
  switch (typeof value) {
    case "string":
      return value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value;
    case "number":
      return Math.ceil(value);
    case "boolean":
      return value ? 1 : 0;
    default:
      return value;
  }
}

/** `pg` gives int8 as text, for not all fit a number: ours do. */
const parserOf: pg.CustomTypesConfig["getTypeParser"] = (id, format) =>
  id === INT8 ? wholeNumber : pg.types.getTypeParser(id, format);

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) {
    throw new RangeError(`The database holds the number ${text}, which is beyond what can be counted exactly.`);
  }
  return number;
}
