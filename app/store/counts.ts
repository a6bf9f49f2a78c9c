/** Counting over all tables, for the page of metrics, and which pull requests are overdue. */
import { type Kysely, sql } from "kysely";
import { readOrNull } from "./documents.ts";
import type { CountStore } from "./model.ts";
import type { PullDocument, Tables } from "./schema.ts";

export function countStore(db: Kysely<Tables>): CountStore {
  const one = async (query: { executeTakeFirst(): Promise<{ count: number | bigint } | undefined> }) =>
    Number((await query.executeTakeFirst())?.count ?? 0);
  const installed = () =>
    db
      .selectFrom("pulls")
      .innerJoin("repositories", "repositories.id", "pulls.repository_id")
      .where("repositories.installation_id", "is not", null);
  return {
    async all(now) {
      const stages = await installed()
        .select((eb) => ["pulls.stage", eb.fn.countAll<number>().as("count")])
        .where(sql.ref("pulls.open"), "=", sql.lit(1))
        .groupBy("pulls.stage")
        .orderBy("count", "desc")
        .orderBy("pulls.stage", (order) => order.asc().nullsFirst())
        .execute();
      const count = sql<number>`count(*)`.as("count");
      const overdue = await one(
        installed().select(count).where("pulls.overdue_at", "is not", null).where("pulls.overdue_at", "<=", now),
      );
      const blocked = await one(installed().select(count).where("pulls.blocked_json", "is not", null));
      const moving = await one(db.selectFrom("pulls").select(count).where("intent_at", "is not", null));
      const deliveries = await db
        .selectFrom("deliveries")
        .select((eb) => ["status", eb.fn.countAll<number>().as("count"), eb.fn.min("seq").as("first")])
        // In the words of the index, which leaves out what is done.
        .where(sql.ref("status"), "!=", sql.lit("done"))
        .groupBy("status")
        .execute();
      const pending = deliveries.find(({ status }) => status === "pending");
      const oldest = await db
        .selectFrom("deliveries")
        .select("received_at")
        .where("seq", "=", Number(pending?.first ?? 0))
        .executeTakeFirst();
      const waiting = await db
        .selectFrom("effects")
        .select([count, sql<number>`count(*) filter (where next_at <= ${now})`.as("due")])
        .where("status", "=", "pending")
        .executeTakeFirst();
      const starts = await db
        .selectFrom("started_runs")
        .select((eb) => ["state", eb.fn.countAll<number>().as("count")])
        .where(sql.ref("state"), "!=", sql.lit("done"))
        .groupBy("state")
        .orderBy("state")
        .execute();
      return {
        stages: stages.map((each) => ({ stage: each.stage, count: Number(each.count) })),
        overdue,
        blocked,
        moving,
        deliveries: {
          pending: Number(pending?.count ?? 0),
          dead: Number(deliveries.find(({ status }) => status === "dead")?.count ?? 0),
          oldestPendingAt: oldest?.received_at ?? null,
        },
        effects: {
          due: Number(waiting?.due ?? 0),
          parked: Number(waiting?.count ?? 0) - Number(waiting?.due ?? 0),
          dead: await one(db.selectFrom("effects").select(count).where("status", "=", "dead")),
        },
        starts: starts.map((each) => ({ state: each.state, count: Number(each.count) })),
        gates: await one(db.selectFrom("waiting_gates").select(count).where(sql.ref("state"), "=", sql.lit("waiting"))),
      };
    },

    async overdue(now, limit, after) {
      const rows = await installed()
        .select([
          "pulls.repository_id",
          "pulls.number",
          "pulls.overdue_at",
          document("evaluation").as("evaluation"),
          "repositories.owner",
          "repositories.name",
          document("facts").as("facts"),
        ])
        .where("pulls.overdue_at", "is not", null)
        .where("pulls.overdue_at", "<=", now)
        .$if(after !== undefined, (query) =>
          query.where(
            sql<boolean>`(pulls.overdue_at, pulls.repository_id, pulls.number) > (${after?.dueAt ?? 0}, ${after?.repositoryId ?? 0}, ${after?.number ?? 0})`,
          ),
        )
        .orderBy("pulls.overdue_at")
        .orderBy("pulls.repository_id")
        .orderBy("pulls.number")
        .limit(limit)
        .execute();
      return rows.map((row) => {
        const evaluation = readOrNull("evaluation", row.evaluation);
        return {
          repositoryId: row.repository_id,
          number: row.number,
          owner: row.owner,
          name: row.name,
          title: readOrNull("facts", row.facts)?.title ?? "",
          stage: evaluation?.stage ?? null,
          since: evaluation?.since ?? null,
          dueAt: row.overdue_at ?? 0,
        };
      });
    },
  };
}

function document(kind: PullDocument) {
  return sql<string | null>`(select document_json from pull_documents
    where repository_id = pulls.repository_id and number = pulls.number and kind = ${kind})`;
}
