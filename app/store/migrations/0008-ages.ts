/** When pull requests are overdue and since when they are closed: what is counted and forgotten by them. */
import { type Kysely, type Migration, sql } from "kysely";
import { isNullIn, numberIn } from "../database/dialect.ts";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable("pulls").addColumn("due_at", "bigint").execute();
    await db.schema.alterTable("pulls").addColumn("closed_at", "bigint").execute();
    await sql`update pulls set closed_at = ${numberIn(db, "facts_json", "updatedAt")} where open = 0`.execute(db);
    await sql`update pulls set due_at = ${numberIn(db, "evaluation_json", "dueAt")}
      where open = 1 and ${isNullIn(db, "evaluation_json", "held")}`.execute(db);
    await db.schema
      .createIndex("pulls_due")
      .on("pulls")
      .columns(["due_at", "repository_id", "number"])
      .where(sql.ref("due_at"), "is not", sql.lit(null))
      .execute();
    await db.schema
      .createIndex("pulls_closed")
      .on("pulls")
      .column("closed_at")
      .where(sql.ref("closed_at"), "is not", sql.lit(null))
      .execute();
    // Holds all that counting by stage reads: the rows themselves are large.
    await db.schema
      .createIndex("pulls_stages")
      .on("pulls")
      .columns(["repository_id", "stage"])
      .where(sql.ref("open"), "=", sql.lit(1))
      .execute();
    await db.schema
      .createIndex("pulls_blocked")
      .on("pulls")
      .column("repository_id")
      .where(sql.ref("blocked_json"), "is not", sql.lit(null))
      .execute();
  },
};
