/** Several replicas of the app on one database: who is alive, who owns what, and whose each delivery is. */
import { type Kysely, type Migration, sql } from "kysely";
import { z } from "zod";

interface Before {
  deliveries: { seq: number; status: string; installation_id: number | null };
  delivery_payloads: { seq: number; payload: string };
}

const PAGE = 200;
const payload = z.object({ installation: z.object({ id: z.number() }).nullish() });

export const migration: Migration = {
  up: async (db: Kysely<Before>) => {
    await db.schema
      .createTable("replicas")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("address", "text")
      .addColumn("version", "text", (column) => column.notNull())
      .addColumn("since", "bigint", (column) => column.notNull())
      .addColumn("until", "bigint", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("claims")
      .addColumn("key", "text", (column) => column.primaryKey())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("fence", "bigint", (column) => column.notNull())
      .addColumn("since", "bigint", (column) => column.notNull())
      // Null: its owner has it.
      .addColumn("released_at", "bigint")
      .addColumn("not_before", "bigint", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("claims_owner").on("claims").columns(["owner", "key"]).execute();
    // Null: of none. Those that are done say nothing of theirs any more.
    await db.schema.alterTable("deliveries").addColumn("installation_id", "bigint").execute();
    await db.schema
      .createIndex("deliveries_installation")
      .on("deliveries")
      .columns(["installation_id", "seq"])
      .where(sql.ref("status"), "!=", sql.lit("done"))
      .execute();
    for (let after = 0; ; ) {
      const rows = await db
        .selectFrom("delivery_payloads")
        .select(["seq", "payload"])
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(PAGE)
        .execute();
      for (const row of rows) {
        const id = installationIn(row.payload);
        if (id !== null) {
          await db.updateTable("deliveries").set({ installation_id: id }).where("seq", "=", row.seq).execute();
        }
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) {
        return;
      }
      after = last.seq;
    }
  },
};

function installationIn(text: string): number | null {
  try {
    return payload.safeParse(JSON.parse(text)).data?.installation?.id ?? null;
  } catch {
    return null;
  }
}
