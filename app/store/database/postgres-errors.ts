/** Why PostgreSQL could not be used, and what to do about it, in words. Nothing of it tells a password. */
import pg from "pg";

/** What the system or the server calls it: `ECONNREFUSED`, an SQLSTATE; null: it has no code. */
export function databaseErrorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** Where a URL leads, without its password: `stagewright at db.example:5432`. Throws what `pg` throws for one that is none. */
export function postgresPlace(url: string): string {
  const { host, port, database } = new pg.Client({ connectionString: url });
  const at = host.startsWith("/") ? host : `${host}:${port}`;
  return `${database ?? "postgres"} at ${at}`;
}

const UNREACHABLE = "nothing answers there; start the server, or set the host and port in DATABASE_URL";
const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  ENOENT: UNREACHABLE,
  ENOTFOUND: "there is no host of that name; set the right one in DATABASE_URL",
  EAI_AGAIN: "the name of the host could not be looked up; set the right one in DATABASE_URL",
  "28P01": "the server refused the user or the password; set both in DATABASE_URL",
  "3D000": "there is no such database; make it (createdb) for this user, or name another one in DATABASE_URL",
  "42501": "the user may not make or use tables there; make it the database's owner, or grant it CREATE on the schema",
  "53300": "the server has no connection left; raise max_connections, or stop what else uses it",
  "57P03": "the server is starting or stopping; start the app again when it is up",
  "25006": "it is read-only, as a standby is; name the primary server in DATABASE_URL",
};
const TLS =
  "the connection could not be encrypted as asked; set sslmode (disable, require, verify-full) and sslrootcert in DATABASE_URL as the server has it";
const TLS_ERRORS = /^ERR_(?:TLS|SSL)_|_CERT(?:IFICATE)?(?:_|$)|^CERT_|^EPROTO$|^UNABLE_TO_VERIFY/u;

/** A reason and a remedy for what `pg` threw. */
export function postgresRemedy(error: unknown): string {
  const code = databaseErrorCode(error) ?? "";
  const message = messageOf(error);
  const known = BY_CODE[code];
  if (known !== undefined) {
    return `${known}${message === "" ? "" : ` (${message})`}`;
  }
  // The server's host list may ask for TLS, or refuse it: the message says which.
  if (code === "28000") {
    const remedy = /encryption|SSL/u.test(message)
      ? TLS
      : "the server lets nobody in from here as this user (pg_hba.conf)";
    return `${remedy} (${message})`;
  }
  if (TLS_ERRORS.test(code) || /does not support SSL/u.test(message)) {
    return `${TLS} (${message})`;
  }
  if (/password must be a string/u.test(message)) {
    return "the server asks for a password, and DATABASE_URL has none";
  }
  if (/timeout/iu.test(message)) {
    return `it did not answer in time; see whether it is up and can be reached from here (${message})`;
  }
  return message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
