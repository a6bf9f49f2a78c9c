/** Pull requests: a narrow row each, which is looked for and changed often, and documents, written when they change. */
import { setImmediate } from "node:timers/promises";
import {
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type Selectable,
  type SqlBool,
  sql,
  type Transaction,
} from "kysely";
import { pullKey } from "../change-pull.ts";
import { RowConflict } from "../conflict.ts";
import { documentText, readDocument } from "../document-cache.ts";
import { readOrNull, writtenOrNull } from "../documents.ts";
import type { Pull, PullFilter, PullId, Store } from "../model.ts";
import { PULL_DOCUMENTS, type PullDocument, type Tables } from "../schema.ts";

type Part = Pick<Store, "pull" | "pulls" | "pullIds" | "requestReevaluation">;
type Where = (eb: ExpressionBuilder<Tables, "pulls">) => Expression<SqlBool>;

/** Rows of one statement that changes many: a millisecond or two. */
const PAGE = 500;

export function pullStore(db: Kysely<Tables>): Part {
  return {
    async pull(id) {
      const row = await pullRows(db)
        .where("pulls.repository_id", "=", id.repositoryId)
        .where("pulls.number", "=", id.number)
        .executeTakeFirst();
      return row === undefined ? null : pullOfRow(row);
    },

    async pulls(filter, limit, after) {
      const rows = await pullRows(db)
        .where(matching(filter))
        .where(beyond(after))
        .orderBy("pulls.repository_id")
        .orderBy("pulls.number")
        .limit(limit)
        .execute();
      return rows.map(pullOfRow);
    },

    async pullIds(filter) {
      return await ids(db, filter).execute();
    },

    async requestReevaluation(filter, at) {
      let count = 0;
      for (let after: PullId | undefined; ; ) {
        const page = await ids(db, filter).where(beyond(after)).limit(PAGE).execute();
        after = page.at(-1);
        if (after === undefined) {
          return count;
        }
        count += await requestPage(db, page, at);
        // Whatever else waits for the database comes between two pages.
        await setImmediate();
      }
    },
  };
}

async function requestPage(db: Kysely<Tables>, page: readonly PullId[], at: number): Promise<number> {
  let count = 0;
  for (const [repositoryId, numbers] of Map.groupBy(page, (id) => id.repositoryId)) {
    // One that is due may be looked at this very moment, without what this is about: its version changes, too.
    const result = await db
      .updateTable("pulls")
      .set((eb) => ({
        reevaluate_at: eb.case().when("reevaluate_at", "<", at).then(eb.ref("reevaluate_at")).else(at).end(),
        reevaluation_tries: 0,
        version: eb("version", "+", 1),
      }))
      .where("repository_id", "=", repositoryId)
      .where(
        "number",
        "in",
        numbers.map((id) => id.number),
      )
      .executeTakeFirst();
    count += Number(result.numUpdatedRows);
  }
  return count;
}

/** @throws RowConflict when it has not the version any more that was read */
export async function writePull(db: Transaction<Tables>, each: Pull): Promise<void> {
  const id = { repository_id: each.repositoryId, number: each.number };
  const values = {
    installation_id: each.installationId,
    version: each.version + 1,
    open: each.facts.state === "open" ? 1 : 0,
    head_sha: each.facts.head.sha,
    stage: each.confirmed?.stage ?? null,
    reevaluate_at: each.reevaluateAt,
    reevaluation_tries: each.reevaluationTries,
    intent_json: writtenOrNull("intent", each.intent),
    intent_at: each.intentAt,
    blocked_json: writtenOrNull("blocked", each.blocked),
    people: each.evaluation === null ? null : each.evaluation.people ? 1 : 0,
    ...agesOf(each),
  };
  if (each.version === 0) {
    const inserted = await db
      .insertInto("pulls")
      .values({ ...id, ...values })
      .onConflict((conflict) => conflict.columns(["repository_id", "number"]).doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) !== 1) {
      throw new RowConflict("pull", each);
    }
  } else {
    const updated = await db
      .updateTable("pulls")
      .set(values)
      .where("repository_id", "=", each.repositoryId)
      .where("number", "=", each.number)
      .where("version", "=", each.version)
      .executeTakeFirst();
    if (Number(updated.numUpdatedRows) !== 1) {
      throw new RowConflict("pull", each);
    }
  }
  for (const kind of PULL_DOCUMENTS) {
    const document = each[kind];
    await writeDocument(db, id, kind, document === null ? null : documentText(kind, pullKey(each), document));
  }
}

async function writeDocument(
  db: Transaction<Tables>,
  id: { readonly repository_id: number; readonly number: number },
  kind: PullDocument,
  text: string | null,
): Promise<void> {
  if (text === null) {
    await db
      .deleteFrom("pull_documents")
      .where("repository_id", "=", id.repository_id)
      .where("number", "=", id.number)
      .where("kind", "=", kind)
      .execute();
    return;
  }
  await db
    .insertInto("pull_documents")
    .values({ ...id, kind, document_json: text })
    .onConflict((conflict) =>
      conflict
        .columns(["repository_id", "number", "kind"])
        .doUpdateSet({ document_json: text })
        // Reading costs less than writing, and most of what is written stands there already.
        .where("pull_documents.document_json", "!=", text),
    )
    .execute();
}

/** When it is overdue (nobody is reminded of what is on hold, so it is not overdue either), and since when it is closed. */
function agesOf({ facts, evaluation }: Pull): { overdue_at: number | null; closed_at: number | null } {
  return facts.state === "closed"
    ? { overdue_at: null, closed_at: facts.updatedAt }
    : { overdue_at: evaluation === null || evaluation.held !== null ? null : evaluation.dueAt, closed_at: null };
}

/** Rows with their documents. */
export function pullRows(db: Kysely<Tables>) {
  return db
    .selectFrom("pulls")
    .selectAll("pulls")
    .select((eb) =>
      PULL_DOCUMENTS.map((kind) =>
        eb
          .selectFrom("pull_documents")
          .select("document_json")
          .whereRef("pull_documents.repository_id", "=", "pulls.repository_id")
          .whereRef("pull_documents.number", "=", "pulls.number")
          .where("pull_documents.kind", "=", kind)
          .as(kind),
      ),
    );
}

function ids(db: Kysely<Tables>, filter: PullFilter) {
  return db
    .selectFrom("pulls")
    .where(matching(filter))
    .select(["pulls.repository_id as repositoryId", "pulls.number"])
    .orderBy("pulls.repository_id")
    .orderBy("pulls.number");
}

function matching(filter: PullFilter): Where {
  const { repositoryId, installationId, headSha, open, blocked, closedSince, people } = filter;
  return (eb) =>
    eb.and([
      ...(repositoryId === undefined ? [] : [eb("pulls.repository_id", "=", repositoryId)]),
      ...(installationId === undefined ? [] : [eb("pulls.installation_id", "=", installationId)]),
      ...(headSha === undefined ? [] : [eb("pulls.head_sha", "=", headSha)]),
      // In the words of the index that holds only these.
      ...(open === undefined ? [] : [eb("pulls.open", "=", sql.lit(open ? 1 : 0))]),
      ...(closedSince === undefined ? [] : [eb("pulls.closed_at", ">=", closedSince)]),
      ...(people === true ? [eb.or([eb("pulls.people", "=", 1), eb("pulls.people", "is", null)])] : []),
      ...(blocked === undefined ? [] : [eb("pulls.blocked_json", blocked ? "is not" : "is", null)]),
    ]);
}

function beyond(after: PullId | undefined): Where {
  return (eb) =>
    after === undefined
      ? eb.and([])
      : eb(eb.refTuple("pulls.repository_id", "pulls.number"), ">", eb.tuple(after.repositoryId, after.number));
}

export type PullRow = Selectable<Tables["pulls"]> & Readonly<Record<PullDocument, string | null>>;

export function pullOfRow(row: PullRow): Pull {
  const id = { repositoryId: row.repository_id, number: row.number };
  const of = pullKey(id);
  return {
    ...id,
    installationId: row.installation_id,
    version: row.version,
    facts: readDocument("facts", of, row.facts ?? ""),
    confirmed: row.confirmed === null ? null : readDocument("confirmed", of, row.confirmed),
    evaluation: row.evaluation === null ? null : readDocument("evaluation", of, row.evaluation),
    reevaluateAt: row.reevaluate_at,
    reevaluationTries: row.reevaluation_tries,
    intent: readOrNull("intent", row.intent_json),
    intentAt: row.intent_at,
    blocked: readOrNull("blocked", row.blocked_json),
  };
}
