/** Forgetting rows that are of no use any more: some at a time, so that nothing waits for long meanwhile. */
import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";

/** Rows that one statement deletes: a few milliseconds. */
const BATCH = 500;

/** Each forgets at most `limit` rows (default 500), the oldest first, and resolves with how many it has forgotten. */
export interface RetentionStore {
  /** Closed pull requests to which nothing has happened since, with their history, unless something is still to be done. */
  pulls(closedBefore: number, limit?: number): Promise<number>;
  /** Deliveries that could not be handled. */
  deadDeliveries(receivedBefore: number, limit?: number): Promise<number>;
  /** All that is known of a repository: at most `limit` rows of each kind, and with the last ones the repository itself. */
  repository(id: number, limit?: number): Promise<number>;
  /** Repositories on which the app is not installed. */
  uninstalled(): Promise<readonly number[]>;
}

export function retentionStore(db: Kysely<Tables>): RetentionStore {
  return {
    async pulls(closedBefore, limit = BATCH) {
      return await db.transaction().execute(async (transaction) => {
        const old = await transaction
          .selectFrom("pulls")
          .select(["repository_id", "number"])
          .where("closed_at", "is not", null)
          .where("closed_at", "<", closedBefore)
          .where("look_at", "is", null)
          .where("intent_at", "is", null)
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom("effects")
                  .select("effects.id")
                  .whereRef("effects.repository_id", "=", "pulls.repository_id")
                  .whereRef("effects.number", "=", "pulls.number")
                  .where("effects.status", "=", "pending"),
              ),
            ),
          )
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom("started_runs")
                  .select("started_runs.id")
                  .whereRef("started_runs.repository_id", "=", "pulls.repository_id")
                  .whereRef("started_runs.number", "=", "pulls.number")
                  .where("started_runs.state", "!=", "done"),
              ),
            ),
          )
          .orderBy("closed_at")
          .limit(limit)
          .execute();
        for (const { repository_id, number } of old) {
          for (const table of ["history", "pulls"] as const) {
            await transaction
              .deleteFrom(table)
              .where("repository_id", "=", repository_id)
              .where("number", "=", number)
              .execute();
          }
        }
        return old.length;
      });
    },

    async deadDeliveries(receivedBefore, limit = BATCH) {
      const result = await db
        .deleteFrom("deliveries")
        .where("seq", "in", (eb) =>
          eb
            .selectFrom("deliveries")
            .select("seq")
            .where("status", "=", "dead")
            // Said again in the words of the index, which leaves out what is done.
            .where("status", "!=", "done")
            .where("received_at", "<", receivedBefore)
            .orderBy("seq")
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },

    async repository(id, limit = BATCH) {
      return await db.transaction().execute(async (transaction) => {
        let count = 0n;
        for (const table of ["history", "effects", "started_runs"] as const) {
          const result = await transaction
            .deleteFrom(table)
            .where("id", "in", (eb) =>
              eb.selectFrom(table).select("id").where("repository_id", "=", id).orderBy("id").limit(limit),
            )
            .executeTakeFirst();
          count += result.numDeletedRows;
        }
        const pulls = await transaction
          .deleteFrom("pulls")
          .where("repository_id", "=", id)
          .where("number", "in", (eb) =>
            eb.selectFrom("pulls").select("number").where("repository_id", "=", id).orderBy("number").limit(limit),
          )
          .executeTakeFirst();
        const gates = await transaction
          .deleteFrom("waiting_gates")
          .where("repository_id", "=", id)
          .where("run_id", "in", (eb) =>
            eb
              .selectFrom("waiting_gates")
              .select("run_id")
              .where("repository_id", "=", id)
              .orderBy("run_id")
              .limit(limit),
          )
          .executeTakeFirst();
        count += pulls.numDeletedRows + gates.numDeletedRows;
        if (count === 0n) {
          for (const table of ["policies", "repository_holds"] as const) {
            await transaction.deleteFrom(table).where("repository_id", "=", id).execute();
          }
          const gone = await transaction.deleteFrom("repositories").where("id", "=", id).executeTakeFirst();
          count += gone.numDeletedRows;
        }
        return Number(count);
      });
    },

    async uninstalled() {
      const rows = await db
        .selectFrom("repositories")
        .select("id")
        .where("installation_id", "is", null)
        .orderBy("id")
        .execute();
      return rows.map(({ id }) => id);
    },
  };
}
