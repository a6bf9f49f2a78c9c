/** What is known of the repositories' policies: one row each, so that the last good one outlives the process. */
import type { Kysely } from "kysely";
import { readOrNull, written } from "../documents.ts";
import type { PolicyStore } from "../model.ts";
import type { Tables } from "../schema.ts";

/** SQLite takes no more than so many values in one statement. */
const MOST_AT_ONCE = 100;

export function policyStore(db: Kysely<Tables>): PolicyStore {
  return {
    async of(repositoryId) {
      const row = await db
        .selectFrom("policies")
        .selectAll()
        .where("repository_id", "=", repositoryId)
        .executeTakeFirst();
      return row === undefined
        ? null
        : {
            repositoryId: row.repository_id,
            version: row.version,
            generation: row.generation,
            observedGeneration: row.observed_generation,
            state: readOrNull("policy", row.state_json),
            bases: row.bases.split(" ").filter((base) => base !== ""),
            tries: row.tries,
            dueAt: row.due_at,
          };
    },

    async mark(repositoryIds, at) {
      // Each once and in one order for all who mark: else two wait for each other.
      const ids = [...new Set(repositoryIds)].sort((a, b) => a - b);
      while (ids.length > 0) {
        const fresh = {
          version: 0,
          generation: 1,
          observed_generation: 0,
          state_json: null,
          bases: "",
          due_at: at,
          tries: 0,
        };
        await db
          .insertInto("policies")
          .values(ids.splice(0, MOST_AT_ONCE).map((id) => ({ repository_id: id, ...fresh })))
          .onConflict((conflict) =>
            conflict
              .column("repository_id")
              .doUpdateSet((eb) => ({ generation: eb("policies.generation", "+", 1), due_at: at, tries: 0 })),
          )
          .execute();
      }
    },

    async save({ repositoryId, version, observedGeneration, dueAt, tries, state, bases }) {
      const result = await db
        .updateTable("policies")
        .set((eb) => ({
          version: version + 1,
          observed_generation: observedGeneration,
          state_json: written("policy", state),
          ...(bases === null ? {} : { bases: bases.map((base) => ` ${base.toLowerCase()} `).join("") }),
          due_at: eb.case().when("generation", ">", observedGeneration).then(eb.ref("due_at")).else(dueAt).end(),
          tries,
        }))
        .where("repository_id", "=", repositoryId)
        .where("version", "=", version)
        .executeTakeFirst();
      return Number(result.numUpdatedRows) > 0;
    },

    async postpone(repositoryId, at) {
      await db
        .updateTable("policies")
        .set((eb) => ({ due_at: at, tries: eb("tries", "+", 1) }))
        .where("repository_id", "=", repositoryId)
        .execute();
    },

    async dependents(base) {
      const rows = await db
        .selectFrom("policies")
        .select(["repository_id", "bases"])
        .where("bases", "!=", "")
        .execute();
      const name = ` ${base.toLowerCase()} `;
      return rows.flatMap((row) => (row.bases.includes(name) ? [row.repository_id] : []));
    },
  };
}
