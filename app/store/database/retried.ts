/** Tries again what the database undid because others were in its way: a deadlock, or a failure to serialise. */
import { setTimeout as sleep } from "node:timers/promises";
import { databaseErrorCode } from "./postgres-errors.ts";

/** SQLSTATE: deadlock_detected, serialization_failure. Whoever gets one has changed nothing. */
const UNDONE: ReadonlySet<string> = new Set(["40P01", "40001"]);
const MOST_TRIES = 6;
const FIRST_PAUSE_MS = 10;

/** `work` is done whole each time: it must leave nothing behind outside the database. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === MOST_TRIES || !UNDONE.has(databaseErrorCode(error) ?? "")) {
        throw error;
      }
      // By chance, so that those who met do not meet again.
      await sleep(FIRST_PAUSE_MS * 2 ** tries * Math.random());
    }
  }
}
