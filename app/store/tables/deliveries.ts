/** The inbox's table. */
import { type Kysely, type Selectable, type SelectQueryBuilder, sql, type Transaction } from "kysely";
import { taken } from "../database/dialect.ts";
import { inTransaction } from "../database/transaction.ts";
import type { Delivery, DeliveryStatus, Store } from "../model.ts";
import type { Tables } from "../schema.ts";

/** Rows in one statement: SQLite allows 32,766 parameters. */
const MOST_ROWS = 500;

/** What a place in the queue is made of. */
const PENDING = ["seq", "id", "key", "installation_id as installationId", "next_at as nextAt"] as const;

type Part = Pick<
  Store,
  | "acceptDeliveries"
  | "pendingDeliveries"
  | "pendingInstallations"
  | "delivery"
  | "postponeDelivery"
  | "buryDelivery"
  | "deadDeliveries"
  | "reviveDelivery"
  | "knownDeliveries"
  | "countDeliveries"
  | "pruneDeliveries"
>;

export function deliveryStore(db: Kysely<Tables>): Part {
  return {
    async acceptDeliveries(batch) {
      const insert = async (on: Kysely<Tables>, from: number) => {
        const some = batch.slice(from, from + MOST_ROWS);
        const accepted = await on
          .insertInto("deliveries")
          .values(
            some.map((delivery) => ({
              id: delivery.id,
              event: delivery.event,
              key: delivery.key,
              status: "pending",
              tries: 0,
              next_at: delivery.receivedAt,
              error: null,
              received_at: delivery.receivedAt,
              done_at: null,
              installation_id: delivery.installationId ?? null,
            })),
          )
          .onConflict((conflict) => conflict.column("id").doNothing())
          .returning(PENDING)
          .execute();
        const payloads = new Map(some.toReversed().map(({ id, payload }) => [id, payload]));
        if (accepted.length > 0) {
          const values = accepted.map(({ seq, id }) => ({ seq, payload: payloads.get(id) ?? "" }));
          await on.insertInto("delivery_payloads").values(values).execute();
        }
        return accepted;
      };
      if (batch.length === 0) {
        return [];
      }
      return await inTransaction(db, async (transaction) => {
        const accepted = [];
        for (let from = 0; from < batch.length; from += MOST_ROWS) {
          accepted.push(...(await insert(transaction, from)));
        }
        return accepted.sort((a, b) => a.seq - b.seq);
      });
    },

    async pendingDeliveries(afterSeq, limit, of) {
      return await db
        .selectFrom("deliveries")
        .select(PENDING)
        .where("status", "=", "pending")
        // Said again in the words of the index, which leaves out what is done.
        .where("status", "!=", "done")
        .where("seq", ">", afterSeq)
        .$if(of !== undefined, (query) => query.where("installation_id", of === null ? "is" : "=", of ?? null))
        .orderBy("seq")
        .limit(limit)
        .execute();
    },

    async pendingInstallations() {
      const rows = await db
        .selectFrom("deliveries")
        .select("installation_id")
        .distinct()
        .where("status", "=", "pending")
        .where(sql.ref("status"), "!=", sql.lit("done"))
        .orderBy("installation_id")
        .execute();
      return rows.map((row) => row.installation_id);
    },

    async delivery(seq) {
      const row = await whole(db).where("deliveries.seq", "=", seq).executeTakeFirst();
      return row === undefined ? null : delivery(row);
    },

    async postponeDelivery(seq, nextAt, error) {
      await db
        .updateTable("deliveries")
        .set((eb) => ({ tries: eb("tries", "+", 1), next_at: nextAt, error }))
        .where("seq", "=", seq)
        .where("status", "=", "pending")
        .execute();
    },

    async buryDelivery(seq, error) {
      await db
        .updateTable("deliveries")
        .set((eb) => ({ status: "dead", tries: eb("tries", "+", 1), error }))
        .where("seq", "=", seq)
        .where("status", "=", "pending")
        .execute();
    },

    async deadDeliveries(limit, before) {
      const rows = await whole(db)
        .where("status", "=", "dead")
        .where("status", "!=", "done")
        .$if(before !== undefined, (query) => query.where("deliveries.seq", "<", before ?? 0))
        .orderBy("deliveries.seq", "desc")
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(delivery);
      return { items, next: rows.length > limit ? (items.at(-1)?.seq ?? null) : null };
    },

    async reviveDelivery(id, now) {
      const row = await db
        .updateTable("deliveries")
        .set({ status: "pending", tries: 0, next_at: now })
        .where("id", "=", id)
        .where("status", "=", "dead")
        .returning(PENDING)
        .executeTakeFirst();
      return row ?? null;
    },

    async knownDeliveries(ids) {
      const known = new Set<string>();
      for (let from = 0; from < ids.length; from += MOST_ROWS) {
        const rows = await db
          .selectFrom("deliveries")
          .select("id")
          .where("id", "in", ids.slice(from, from + MOST_ROWS))
          .execute();
        for (const row of rows) {
          known.add(row.id);
        }
      }
      return known;
    },

    async countDeliveries() {
      const rows = await db
        .selectFrom("deliveries")
        .select((eb) => ["status", eb.fn.countAll<number>().as("count")])
        .groupBy("status")
        .execute();
      const of = (status: DeliveryStatus) => Number(rows.find((row) => row.status === status)?.count ?? 0);
      return { pending: of("pending"), done: of("done"), dead: of("dead") };
    },

    async pruneDeliveries(doneBefore, limit = MOST_ROWS) {
      return await forgetDeliveries(db, (query) =>
        query.where("status", "=", sql.lit("done")).where("done_at", "<", doneBefore).orderBy("done_at").limit(limit),
      );
    },
  };
}

/** They have had their effect: their ids are kept, so that a redelivery is known, and what they said is not. */
export async function finishDeliveries(db: Transaction<Tables>, seqs: readonly number[], now: number): Promise<void> {
  if (seqs.length > 0) {
    const done = { status: "done", error: null, done_at: now };
    await db.updateTable("deliveries").set(done).where("seq", "in", seqs).execute();
    await db.deleteFrom("delivery_payloads").where("seq", "in", seqs).execute();
  }
}

/** Those that `which` picks, with what they said. Resolves with how many. */
export async function forgetDeliveries(
  db: Kysely<Tables>,
  which: (query: SelectQueryBuilder<Tables, "deliveries", { seq: number }>) => typeof query,
): Promise<number> {
  return await inTransaction(db, async (transaction) => {
    // What somebody puts back into the queue meanwhile is not among them.
    const rows = await which(transaction.selectFrom("deliveries").select("seq").$call(taken(transaction))).execute();
    const seqs = rows.map(({ seq }) => seq);
    if (seqs.length > 0) {
      await transaction.deleteFrom("delivery_payloads").where("seq", "in", seqs).execute();
      await transaction.deleteFrom("deliveries").where("seq", "in", seqs).execute();
    }
    return seqs.length;
  });
}

function whole(db: Kysely<Tables>) {
  return db
    .selectFrom("deliveries")
    .leftJoin("delivery_payloads", "delivery_payloads.seq", "deliveries.seq")
    .selectAll("deliveries")
    .select("payload");
}

function delivery(row: Selectable<Tables["deliveries"]> & { readonly payload: string | null }): Delivery {
  return {
    seq: row.seq,
    id: row.id,
    event: row.event,
    key: row.key,
    installationId: row.installation_id,
    payload: row.payload ?? "",
    status: status(row.status),
    tries: row.tries,
    nextAt: row.next_at,
    error: row.error,
    receivedAt: row.received_at,
  };
}

function status(text: string): DeliveryStatus {
  if (text === "pending" || text === "done" || text === "dead") {
    return text;
  }
  throw new Error(`The database holds a delivery with the unknown status “${text}”.`);
}
