/** When each repository is swept next, so that neither a restart nor another owner sweeps all of them again. */
import { type Kysely, type Migration, sql } from "kysely";

export const migration: Migration = {
  up: async (db: Kysely<{ meta: { key: string } }>) => {
    const column = (name: string) =>
      db.schema
        .alterTable("repositories")
        .addColumn(name, "bigint", (of) => of.notNull().defaultTo(0))
        .execute();
    // 0: at once, as each was at the start before.
    await column("sweep_at");
    await column("sweep_generation");
    await column("sweep_failures");
    await column("active_at");
    await db.schema.alterTable("repositories").addColumn("people_at", "bigint").execute();
    for (const at of ["sweep_at", "people_at"]) {
      await db.schema
        .createIndex(`repositories_${at}`)
        .on("repositories")
        .column(at)
        .where(sql.ref("installation_id"), "is not", null)
        .execute();
    }
    await db.deleteFrom("meta").where("key", "like", "looked at people:%").execute();
  },
};
