/** Which evaluations rest on who may do what. */
import type { Kysely, Migration } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema.alterTable("pulls").addColumn("people", "integer").execute();
  },
};
