/** Which repositories are on hold: the newest word on each, by the date of the comment that said it. */
import { type Kysely, sql } from "kysely";
import { read, written } from "../documents.ts";
import type { HoldStore } from "../model.ts";
import type { Tables } from "../schema.ts";

export function holdStore(db: Kysely<Tables>): HoldStore {
  return {
    async of(repositoryId) {
      const row = await db
        .selectFrom("repository_holds")
        .selectAll()
        .where("repository_id", "=", repositoryId)
        .where("held", "=", 1)
        .executeTakeFirst();
      return row === undefined
        ? null
        : { why: "repository", at: row.at, by: read("actor", row.by_json), reason: row.reason };
    },
    async put({ repositoryId, held, at, by, reason }) {
      const values = { held: held ? 1 : 0, at, by_json: written("actor", by), reason };
      const result = await db
        .insertInto("repository_holds")
        .values({ repository_id: repositoryId, ...values })
        .onConflict((conflict) =>
          conflict
            .column("repository_id")
            .doUpdateSet(values)
            .where((eb) =>
              eb.or([
                eb("repository_holds.at", "<", sql.lit(at)),
                eb.and([
                  eb("repository_holds.at", "=", sql.lit(at)),
                  eb.or([
                    eb("repository_holds.held", "<", values.held),
                    eb.and([
                      eb("repository_holds.held", "=", values.held),
                      eb.or([
                        eb("repository_holds.reason", "<", reason),
                        eb.and([
                          eb("repository_holds.reason", "=", reason),
                          eb("repository_holds.by_json", "<=", values.by_json),
                        ]),
                      ]),
                    ]),
                  ]),
                ]),
              ]),
            ),
        )
        .executeTakeFirst();
      return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
    },
  };
}
