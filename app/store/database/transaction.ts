/** The one place through which all transactions go. */
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "../schema.ts";
import { retried } from "./retried.ts";

/**
 * Everything that `work` writes, or nothing of it. It may be done more than once (see `retried`): what it keeps outside
 * the database it begins anew each time.
 */
export async function inTransaction<T>(
  db: Kysely<Tables>,
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return await retried(() => db.transaction().execute(work));
}
