/** Which repositories are on hold: the newest word on each, by the date of the comment that said it. */
import { type Kysely, type Migration, sql } from "kysely";
import type { Hold } from "../../src/lifecycle/evaluation/evaluation.ts";
import type { Actor } from "../../src/lifecycle/facts/facts.ts";
import { stored } from "./json.ts";
import type { Tables } from "./schema.ts";

/** Somebody's word on a repository. */
export interface HoldWord {
  readonly repositoryId: number;
  /** False: it was taken off hold. */
  readonly held: boolean;
  readonly at: number;
  readonly by: Actor;
  readonly reason: string;
}

export interface HoldStore {
  /** Null: it is not on hold. */
  of(repositoryId: number): Promise<Hold | null>;
  /** Resolves with false, and changes nothing, when a newer word is known. Of one second's words a hold counts. */
  put(word: HoldWord): Promise<boolean>;
}

export interface HoldTables {
  repository_holds: {
    repository_id: number;
    held: number;
    at: number;
    by_json: string;
    reason: string;
  };
}

export const holdsMigration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("repository_holds")
      .addColumn("repository_id", "bigint", (column) => column.primaryKey())
      .addColumn("held", "integer", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull())
      .addColumn("by_json", "text", (column) => column.notNull())
      .addColumn("reason", "text", (column) => column.notNull())
      .execute();
  },
};

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
        : { why: "repository", at: row.at, by: stored<Actor>(row.by_json), reason: row.reason };
    },
    async put({ repositoryId, held, at, by, reason }) {
      const values = { held: held ? 1 : 0, at, by_json: JSON.stringify(by), reason };
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
                  eb.or([eb("repository_holds.held", "=", sql.lit(held ? 1 : 0)), sql.lit(held)]),
                ]),
              ]),
            ),
        )
        .executeTakeFirst();
      return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
    },
  };
}
