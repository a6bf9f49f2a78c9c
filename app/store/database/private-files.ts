/**
 * Who may read the database's files: this user alone. It holds what private repositories' webhooks say and the secret
 * that sessions are signed with.
 */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

const OTHERS = 0o077;
/** What SQLite keeps beside a database; made anew, they get the database's own mode. */
const BESIDE = ["-wal", "-shm", "-journal"];

/** Others can read a file and it could not be kept from them: nothing was opened. The message says what to do. */
export class OpenToOthers extends Error {
  override readonly name = "OpenToOthers";
}

/**
 * Makes the file, and the folders on its way that are missing, for this user alone; takes others' rights from a file
 * that is there. Folders that are there stay as they are: they may be shared.
 * @param path absolute
 * @throws OpenToOthers, and what the file system throws
 */
export function keepPrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") {
      throw error;
    }
  }
  for (const each of [path, ...BESIDE.map((end) => `${path}${end}`)]) {
    closeToOthers(each);
  }
}

/** By name and never by a handle: closing any handle of a file ends all locks that this process has on it. */
function closeToOthers(path: string): void {
  let failure = "its file system keeps no permissions";
  const before = modeOf(path);
  // Windows has no such modes.
  if (before === null || (before & OTHERS) === 0 || process.platform === "win32") {
    return;
  }
  try {
    chmodSync(path, before & ~OTHERS & 0o777);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const now = modeOf(path);
  if (now !== null && (now & OTHERS) !== 0) {
    throw new OpenToOthers(
      `The database ${path} is open to other users of this machine (mode ${(now & 0o777).toString(8)}), and that could not be changed: ${failure}. Give the file to the user that the app runs as (chown), or set DATABASE_URL to a place that keeps permissions.`,
    );
  }
}

/** Null: there is no such file. */
function modeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? null;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
