/** Effects, repositories, the cache and single values. */
import { type Kysely, type Selectable, sql } from "kysely";
import { stored, storedOrNull, textOrNull } from "./json.ts";
import { putRepository } from "./pulls.ts";
import type { Effect, Repository, Store } from "./store.ts";
import type { Tables } from "./tables.ts";

type EffectPart = Pick<
  Store,
  "effectsDue" | "effectsOf" | "nextEffectAt" | "finishEffect" | "postponeEffect" | "deferEffect" | "buryEffect"
>;

export function effectStore(db: Kysely<Tables>): EffectPart {
  return {
    async effectsDue(until, limit) {
      const rows = await db
        .selectFrom("effects")
        .selectAll()
        .where("status", "=", "pending")
        .where("next_at", "<=", until)
        .orderBy("next_at")
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(effect);
    },
    async effectsOf(id) {
      const rows = await db
        .selectFrom("effects")
        .selectAll()
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .orderBy("id")
        .execute();
      return rows.map(effect);
    },
    async nextEffectAt() {
      const row = await db
        .selectFrom("effects")
        .select("next_at")
        .where("status", "=", "pending")
        .orderBy("next_at")
        .limit(1)
        .executeTakeFirst();
      return row?.next_at ?? null;
    },
    async finishEffect(id, result) {
      await db
        .updateTable("effects")
        .set({ status: "done", error: null, result_json: textOrNull(result) })
        .where("id", "=", id)
        .execute();
    },
    async postponeEffect(id, nextAt, error, result) {
      await db
        .updateTable("effects")
        .set((eb) => ({ tries: eb("tries", "+", 1), next_at: nextAt, error, result_json: textOrNull(result) }))
        .where("id", "=", id)
        .execute();
    },
    async deferEffect(id, nextAt, reason, result) {
      await db
        .updateTable("effects")
        .set({ tries: 0, next_at: nextAt, error: reason, result_json: textOrNull(result) })
        .where("id", "=", id)
        .execute();
    },
    async buryEffect(id, error) {
      await db
        .updateTable("effects")
        .set((eb) => ({ status: "dead", tries: eb("tries", "+", 1), error }))
        .where("id", "=", id)
        .execute();
    },
  };
}

type RestPart = Pick<
  Store,
  | "repository"
  | "repositoryByName"
  | "repositories"
  | "putRepository"
  | "cached"
  | "cache"
  | "dropCache"
  | "pruneCache"
  | "meta"
  | "setMeta"
  | "ping"
>;

export function restStore(db: Kysely<Tables>): RestPart {
  return {
    async repository(id) {
      const row = await db.selectFrom("repositories").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : repository(row);
    },
    async repositoryByName(owner, name) {
      const row = await db
        .selectFrom("repositories")
        .selectAll()
        .where("full_name", "=", `${owner}/${name}`.toLowerCase())
        .executeTakeFirst();
      return row === undefined ? null : repository(row);
    },
    async repositories(installationId) {
      const rows = await db
        .selectFrom("repositories")
        .selectAll()
        .where("installation_id", "=", installationId)
        .orderBy("id")
        .execute();
      return rows.map(repository);
    },
    async putRepository(each) {
      await putRepository(db, each);
    },

    async cached(key, notBefore) {
      const row = await db
        .selectFrom("cache")
        .select("value_json")
        .where("key", "=", key)
        .where("at", ">=", notBefore)
        .executeTakeFirst();
      return row === undefined ? undefined : stored<unknown>(row.value_json);
    },
    async cache(entries, now) {
      if (entries.length === 0) {
        return;
      }
      await db
        .insertInto("cache")
        .values(
          entries.map((entry) => ({
            key: entry.key,
            scope: entry.scope,
            value_json: JSON.stringify(entry.value ?? null),
            at: now,
          })),
        )
        .onConflict((conflict) =>
          conflict.column("key").doUpdateSet((eb) => ({
            scope: eb.ref("excluded.scope"),
            value_json: eb.ref("excluded.value_json"),
            at: eb.ref("excluded.at"),
          })),
        )
        .execute();
    },
    async dropCache(scope) {
      await db.deleteFrom("cache").where("scope", "=", scope).execute();
    },
    async pruneCache(before) {
      const result = await db.deleteFrom("cache").where("at", "<", before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },

    async meta(key) {
      const row = await db.selectFrom("meta").select("value").where("key", "=", key).executeTakeFirst();
      return row?.value ?? null;
    },
    async setMeta(key, value) {
      await db
        .insertInto("meta")
        .values({ key, value })
        .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
        .execute();
    },
    async ping() {
      await sql`select 1`.execute(db);
    },
  };
}

function effect(row: Selectable<Tables["effects"]>): Effect {
  if (row.status !== "pending" && row.status !== "done" && row.status !== "dead") {
    throw new Error(`The database holds an effect with the unknown status “${row.status}”.`);
  }
  return {
    id: row.id,
    key: row.key,
    repositoryId: row.repository_id,
    number: row.number,
    installationId: row.installation_id,
    kind: row.kind,
    payload: stored(row.payload_json),
    status: row.status,
    tries: row.tries,
    nextAt: row.next_at,
    error: row.error,
    result: storedOrNull(row.result_json),
  };
}

function repository(row: Selectable<Tables["repositories"]>): Repository {
  return {
    id: row.id,
    nodeId: row.node_id,
    installationId: row.installation_id,
    owner: row.owner,
    name: row.name,
    defaultBranch: row.default_branch,
    private: row.private === 1,
  };
}
