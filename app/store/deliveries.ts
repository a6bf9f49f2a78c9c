/** The inbox's table. */
import type { Kysely, Selectable } from "kysely";
import type { Delivery, DeliveryStatus, Store } from "./model.ts";
import type { Tables } from "./schema.ts";

/** Rows in one statement: SQLite allows 32,766 parameters. */
const MOST_ROWS = 500;

type Part = Pick<
  Store,
  | "acceptDeliveries"
  | "pendingDeliveries"
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
      const insert = async (on: Kysely<Tables>, from: number) =>
        on
          .insertInto("deliveries")
          .values(
            batch.slice(from, from + MOST_ROWS).map((delivery) => ({
              id: delivery.id,
              event: delivery.event,
              key: delivery.key,
              payload: delivery.payload,
              status: "pending",
              tries: 0,
              next_at: delivery.receivedAt,
              error: null,
              received_at: delivery.receivedAt,
              done_at: null,
            })),
          )
          .onConflict((conflict) => conflict.column("id").doNothing())
          .returning(["seq", "id", "key", "next_at as nextAt"])
          .execute();
      if (batch.length === 0) {
        return [];
      }
      if (batch.length <= MOST_ROWS) {
        return (await insert(db, 0)).sort((a, b) => a.seq - b.seq);
      }
      return await db.transaction().execute(async (transaction) => {
        const accepted = [];
        for (let from = 0; from < batch.length; from += MOST_ROWS) {
          accepted.push(...(await insert(transaction, from)));
        }
        return accepted.sort((a, b) => a.seq - b.seq);
      });
    },

    async pendingDeliveries(afterSeq, limit) {
      return await db
        .selectFrom("deliveries")
        .select(["seq", "id", "key", "next_at as nextAt"])
        .where("status", "=", "pending")
        // Said again in the words of the index, which leaves out what is done.
        .where("status", "!=", "done")
        .where("seq", ">", afterSeq)
        .orderBy("seq")
        .limit(limit)
        .execute();
    },

    async delivery(seq) {
      const row = await db.selectFrom("deliveries").selectAll().where("seq", "=", seq).executeTakeFirst();
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
      const rows = await db
        .selectFrom("deliveries")
        .selectAll()
        .where("status", "=", "dead")
        .where("status", "!=", "done")
        .$if(before !== undefined, (query) => query.where("seq", "<", before ?? 0))
        .orderBy("seq", "desc")
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
        .returning(["seq", "id", "key", "next_at as nextAt"])
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
      const result = await db
        .deleteFrom("deliveries")
        .where("seq", "in", (eb) =>
          eb
            .selectFrom("deliveries")
            .select("seq")
            .where("status", "=", "done")
            .where("done_at", "<", doneBefore)
            // The oldest come first, and there is no index on what is done: only the last, small batch reads all.
            .orderBy("seq")
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function delivery(row: Selectable<Tables["deliveries"]>): Delivery {
  return {
    seq: row.seq,
    id: row.id,
    event: row.event,
    key: row.key,
    payload: row.payload,
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
