/** A second connection to a database file that a live app, or a store, has open. */
import { DatabaseSync } from "node:sqlite";

/** Longer than any commit of the app holds the file: what finds it locked for as long has found a fault. */
const WAIT_MS = 20_000;

/** It waits for its turn: without that it would fail whenever the app happens to write just now. */
export function openBeside(file: string): DatabaseSync {
  return new DatabaseSync(file, { timeout: WAIT_MS });
}
