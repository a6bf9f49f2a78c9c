/** Repositories, the cache and single values. */
import { type Kysely, type Selectable, sql } from "kysely";
import { stored } from "./json.ts";
import type { Repository, Store } from "./model.ts";
import { putRepository } from "./pulls.ts";
import type { Tables } from "./schema.ts";

/** Rows of one statement that forgets. */
const MOST_PRUNED = 500;

type RestPart = Pick<
  Store,
  | "repository"
  | "repositoryByName"
  | "repositories"
  | "installedRepositories"
  | "putRepository"
  | "cached"
  | "cache"
  | "dropCache"
  | "pruneCache"
  | "meta"
  | "setMeta"
  | "firstMeta"
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
    async installedRepositories(limit, after = 0) {
      const rows = await db
        .selectFrom("repositories")
        .selectAll()
        .where("installation_id", "is not", null)
        .where("id", ">", after)
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map(repository);
    },
    async putRepository(each) {
      await db.transaction().execute((transaction) => putRepository(transaction, each));
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
    async pruneCache(before, limit = MOST_PRUNED) {
      const result = await db
        .deleteFrom("cache")
        .where("key", "in", (eb) => eb.selectFrom("cache").select("key").where("at", "<", before).limit(limit))
        .executeTakeFirst();
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
    async firstMeta(key, value) {
      await db
        .insertInto("meta")
        .values({ key, value })
        .onConflict((conflict) => conflict.column("key").doNothing())
        .execute();
      const { value: stored } = await db
        .selectFrom("meta")
        .select("value")
        .where("key", "=", key)
        .executeTakeFirstOrThrow();
      return stored;
    },
    async ping() {
      await sql`select 1`.execute(db);
    },
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
