/** When each repository is swept, and when what rests on people there is evaluated again. */
import { type Kysely, type Selectable, sql } from "kysely";
import type { DueSweep, SweepStore } from "../model.ts";
import type { Tables } from "../schema.ts";
import { repositoryOf } from "./repositories.ts";

export function sweepStore(db: Kysely<Tables>): SweepStore {
  const change = (id: number) => db.updateTable("repositories").where("id", "=", id);
  return {
    async of(repositoryId) {
      const row = await db.selectFrom("repositories").selectAll().where("id", "=", repositoryId).executeTakeFirst();
      return row === undefined ? null : dueSweepOf(row);
    },
    async request(repositoryIds, at) {
      for (const id of repositoryIds) {
        await change(id)
          .set((eb) => ({ sweep_at: sooner(at), sweep_generation: eb("sweep_generation", "+", 1), sweep_failures: 0 }))
          .execute();
      }
    },
    async noteActivity(repositoryId, at, due) {
      await change(repositoryId)
        .set({ active_at: at, sweep_at: sooner(due) })
        .execute();
    },
    async settle({ repository, generation }, { failures, activeSince, activeAt, idleAt }) {
      const next = sql<number>`case when active_at >= ${activeSince} then cast(${activeAt} as bigint) else cast(${idleAt} as bigint) end`;
      await change(repository.id)
        .where("sweep_generation", "=", generation)
        .set({ sweep_at: next, sweep_failures: failures })
        .execute();
    },
    async peopleAt(repositoryId) {
      const row = await db
        .selectFrom("repositories")
        .select("people_at")
        .where("id", "=", repositoryId)
        .executeTakeFirst();
      return row?.people_at ?? null;
    },
    async setPeopleAt(repositoryId, at) {
      await change(repositoryId).set({ people_at: at }).execute();
    },
  };
}

export function dueSweepOf(row: Selectable<Tables["repositories"]>): DueSweep {
  return { repository: repositoryOf(row), generation: row.sweep_generation, failures: row.sweep_failures };
}

function sooner(at: number) {
  return sql<number>`case when sweep_at < ${at} then sweep_at else cast(${at} as bigint) end`;
}
