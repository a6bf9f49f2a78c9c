/** Forgetting rows that are of no use any more: some at a time, so that nothing waits for long meanwhile. */
import { type Kysely, sql } from "kysely";
import { held, taken } from "./database/dialect.ts";
import { inTransaction } from "./database/transaction.ts";
import type { RetentionStore } from "./model.ts";
import type { Tables } from "./schema.ts";
import { forgetDeliveries } from "./tables/deliveries.ts";

/** Rows that one statement deletes: a few milliseconds. */
const BATCH = 500;
/** Effects that are kept of each open pull request, however old: what is still asked for is known by them. */
const KEPT_OF_A_PULL = 200;

export function retentionStore(db: Kysely<Tables>): RetentionStore {
  return {
    async pulls(closedBefore, limit = BATCH) {
      return await inTransaction(db, async (transaction) => {
        const old = await transaction
          .selectFrom("pulls")
          .select(["repository_id", "number"])
          .where("closed_at", "is not", null)
          .where("closed_at", "<", closedBefore)
          .where("reevaluate_at", "is", null)
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
          // One that is reopened meanwhile is not among them.
          .$call(taken(transaction))
          .execute();
        for (const { repository_id, number } of old) {
          for (const table of ["history", "pull_documents", "pulls"] as const) {
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
      return await forgetDeliveries(db, (query) =>
        query
          .where("status", "=", "dead")
          // Said again in the words of the index, which leaves out what is done.
          .where("status", "!=", "done")
          .where("received_at", "<", receivedBefore)
          .orderBy("seq")
          .limit(limit),
      );
    },

    async openEffects(doneBefore, limit = BATCH) {
      const deleted = await db
        .deleteFrom("effects")
        .where("id", "in", (from) =>
          from
            .selectFrom("effects as old")
            .select("old.id")
            .where("old.status", "in", ["done", "dead"])
            // Said again in the words of the index, which leaves out what waits.
            .where(sql.ref("old.status"), "!=", sql.lit("pending"))
            .where("old.done_at", "<", doneBefore)
            .where("old.id", "<", (eb) =>
              eb
                .selectFrom("effects as newer")
                .select("newer.id")
                .whereRef("newer.repository_id", "=", "old.repository_id")
                .whereRef("newer.number", "=", "old.number")
                .orderBy("newer.id", "desc")
                .limit(1)
                .offset(KEPT_OF_A_PULL - 1),
            )
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },

    async history(before, limit = BATCH) {
      // Ids grow as time does: some of the oldest rows are old enough, or none is, and no others are looked at.
      const deleted = await db
        .deleteFrom("history")
        .where("id", "in", (from) =>
          from
            .selectFrom((oldest) =>
              oldest.selectFrom("history").select(["id", "at"]).orderBy("id").limit(limit).as("oldest"),
            )
            .select("oldest.id")
            .where("oldest.at", "<", before),
        )
        .executeTakeFirst();
      return Number(deleted.numDeletedRows);
    },

    async repository(id, limit = BATCH) {
      return await inTransaction(db, async (transaction) => {
        const known = await transaction
          .selectFrom("repositories")
          .select("installation_id")
          .where("id", "=", id)
          .$call(held(transaction))
          .executeTakeFirst();
        if (known !== undefined && known.installation_id !== null) {
          // The app has come back meanwhile.
          return 0;
        }
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
        const numbers = transaction
          .selectFrom("pulls")
          .select("number")
          .where("repository_id", "=", id)
          .orderBy("number")
          .limit(limit);
        await transaction
          .deleteFrom("pull_documents")
          .where("repository_id", "=", id)
          .where("number", "in", numbers)
          .execute();
        const pulls = await transaction
          .deleteFrom("pulls")
          .where("repository_id", "=", id)
          .where("number", "in", numbers)
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
