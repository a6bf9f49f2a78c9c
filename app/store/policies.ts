/** What is known of the repositories' policies: one row each, so that the last good one outlives the process. */
import type { Kysely, Migration } from "kysely";
import { sql } from "kysely";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import type { Problem } from "../../src/plan/plan.ts";
import { storedOrNull } from "./json.ts";
import type { Tables } from "./schema.ts";

/** A reading of the policy file, and what holds since. */
export interface PolicyState {
  /** The last one without errors; null: none was readable so far, so nothing is moved. */
  readonly inForce: Policy | null;
  /** Changes when what was read does: the file's hash, and those that it extends. Null: there is no file. */
  readonly source: string | null;
  readonly problems: readonly Problem[];
  readonly readAt: number;
  /** The commit that was read; null: the repository has none. */
  readonly head: string | null;
  readonly branch: string;
  readonly private: boolean;
  readonly reviewsRequired: number | null;
  /** What the check run last said; null: there was none. */
  readonly shown: { readonly digest: string; readonly good: boolean } | null;
  /** Whether it may have to say something else now. */
  readonly toShow: boolean;
}

export interface StoredPolicy {
  readonly repositoryId: number;
  /** Grows with each write of the state. */
  readonly version: number;
  /** Counts how often it was heard that the policy may be another. */
  readonly news: number;
  /** How much of the news the state knows. */
  readonly newsRead: number;
  /** Null: never read. */
  readonly state: PolicyState | null;
  /** Repositories (`owner/name`, lower case) whose policies it extends. */
  readonly bases: readonly string[];
  /** How often in a row reading or showing it failed. */
  readonly tries: number;
  readonly dueAt: number | null;
}

export interface PolicyStore {
  of(repositoryId: number): Promise<StoredPolicy | null>;
  /** They may be others now: they are due then. Those of which nothing is known yet are taken in. */
  mark(repositoryIds: readonly number[], at: number): Promise<void>;
  /**
   * Writes the state if nobody else has since `version`; resolves with whether it did. `bases`: the repositories whose
   * policies it extends; null: as before. If something was heard since `newsRead`, it stays due.
   */
  save(
    row: Pick<StoredPolicy, "repositoryId" | "version" | "newsRead" | "dueAt" | "tries"> & {
      readonly state: PolicyState;
      readonly bases: readonly string[] | null;
    },
  ): Promise<boolean>;
  /** It could not be read or shown: again then; null: when it is marked anew. */
  postpone(repositoryId: number, at: number | null): Promise<void>;
  /** In turns by installation, so that one with many does not keep the others waiting. */
  due(until: number, limit: number): Promise<readonly number[]>;
  nextAt(): Promise<number | null>;
  /** Repositories whose policy extends that of this one (`owner/name`). */
  dependents(base: string): Promise<readonly number[]>;
}

export interface PolicyTables {
  policies: {
    repository_id: number;
    version: number;
    news: number;
    news_read: number;
    state_json: string | null;
    /** `owner/name` in lower case, each between spaces. */
    bases: string;
    due_at: number | null;
    tries: number;
  };
}

export const policiesMigration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("policies")
      .addColumn("repository_id", "bigint", (column) => column.primaryKey())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("news", "integer", (column) => column.notNull())
      .addColumn("news_read", "integer", (column) => column.notNull())
      .addColumn("state_json", "text")
      .addColumn("bases", "text", (column) => column.notNull())
      .addColumn("due_at", "bigint")
      .addColumn("tries", "integer", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("policies_due")
      .on("policies")
      .column("due_at")
      .where(sql.ref("due_at"), "is not", sql.lit(null))
      .execute();
  },
};

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
            news: row.news,
            newsRead: row.news_read,
            state: storedOrNull<PolicyState>(row.state_json),
            bases: row.bases.split(" ").filter((base) => base !== ""),
            tries: row.tries,
            dueAt: row.due_at,
          };
    },

    async mark(repositoryIds, at) {
      const ids = [...repositoryIds];
      while (ids.length > 0) {
        const fresh = { version: 0, news: 1, news_read: 0, state_json: null, bases: "", due_at: at, tries: 0 };
        await db
          .insertInto("policies")
          .values(ids.splice(0, MOST_AT_ONCE).map((id) => ({ repository_id: id, ...fresh })))
          .onConflict((conflict) =>
            conflict
              .column("repository_id")
              .doUpdateSet((eb) => ({ news: eb("policies.news", "+", 1), due_at: at, tries: 0 })),
          )
          .execute();
      }
    },

    async save({ repositoryId, version, newsRead, dueAt, tries, state, bases }) {
      const result = await db
        .updateTable("policies")
        .set((eb) => ({
          version: version + 1,
          news_read: newsRead,
          state_json: JSON.stringify(state),
          ...(bases === null ? {} : { bases: bases.map((base) => ` ${base.toLowerCase()} `).join("") }),
          due_at: eb.case().when("news", ">", newsRead).then(eb.ref("due_at")).else(dueAt).end(),
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

    async due(until, limit) {
      const rows = await db
        .selectFrom((from) =>
          from
            .selectFrom("policies")
            .leftJoin("repositories", "repositories.id", "policies.repository_id")
            .select(["repository_id", "due_at"])
            .select(sql<number>`row_number() over (partition by installation_id order by due_at)`.as("turn"))
            .where("due_at", "is not", null)
            .where("due_at", "<=", until)
            .as("due"),
        )
        .select("repository_id")
        .orderBy("turn")
        .orderBy("due_at")
        .limit(limit)
        .execute();
      return rows.map((row) => row.repository_id);
    },

    async nextAt() {
      const row = await db
        .selectFrom("policies")
        .select("due_at")
        .where("due_at", "is not", null)
        .orderBy("due_at")
        .limit(1)
        .executeTakeFirst();
      return row?.due_at ?? null;
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
