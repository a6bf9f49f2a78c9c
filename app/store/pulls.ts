/** Pull requests, their history and the commit that changes them. */
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import type { UsedLabel } from "../../src/lifecycle/evaluation/used-labels.ts";
import { agesOf } from "./columns.ts";
import { addEffects, settleEffects } from "./effects.ts";
import { saveGate } from "./gates.ts";
import { stored, storedOrNull, textOrNull } from "./json.ts";
import {
  type Commit,
  type Committed,
  HISTORY_KINDS,
  type History,
  type HistoryKind,
  type NewHistory,
  type Pull,
  type PullFilter,
  type PullId,
  type Store,
} from "./model.ts";
import type { Tables } from "./schema.ts";
import { saveStart } from "./started-runs.ts";

type Part = Pick<
  Store,
  | "commit"
  | "pull"
  | "pulls"
  | "pullIds"
  | "dueReevaluations"
  | "nextReevaluationAt"
  | "requestReevaluation"
  | "dueIntents"
  | "intentInstallations"
  | "history"
>;

/** Thrown inside a transaction so that all of it is undone. */
class Conflict extends Error {
  readonly id: PullId;
  constructor(id: PullId) {
    super(`Pull request ${id.repositoryId}#${id.number} was changed meanwhile.`);
    this.id = id;
  }
}

export function pullStore(db: Kysely<Tables>): Part {
  return {
    async commit(commit): Promise<Committed> {
      try {
        await db.transaction().execute((transaction) => write(transaction, commit));
        return { committed: true };
      } catch (error) {
        if (error instanceof Conflict) {
          return { committed: false, conflict: error.id };
        }
        throw error;
      }
    },

    async pull(id) {
      const row = await db
        .selectFrom("pulls")
        .selectAll()
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .executeTakeFirst();
      return row === undefined ? null : pull(row);
    },

    async pulls(filter, limit, after) {
      const rows = await filtered(db, filter)
        .selectAll()
        .$if(after !== undefined, (query) =>
          query.where((eb) =>
            eb.or([
              eb("repository_id", ">", after?.repositoryId ?? 0),
              eb.and([eb("repository_id", "=", after?.repositoryId ?? 0), eb("number", ">", after?.number ?? 0)]),
            ]),
          ),
        )
        .orderBy("repository_id")
        .orderBy("number")
        .limit(limit)
        .execute();
      return rows.map(pull);
    },

    async pullIds(filter) {
      return await filtered(db, filter)
        .select(["repository_id as repositoryId", "number"])
        .orderBy("repository_id")
        .orderBy("number")
        .execute();
    },

    async dueReevaluations(until, limit) {
      const rows = await db
        .selectFrom((from) =>
          from
            .selectFrom("pulls")
            .select([
              "repository_id as repositoryId",
              "number",
              "installation_id as installationId",
              "look_at as reevaluateAt",
            ])
            .select(sql<number>`row_number() over (partition by installation_id order by look_at)`.as("turn"))
            .where("look_at", "is not", null)
            .where("look_at", "<=", until)
            .as("due"),
        )
        .select(["repositoryId", "number", "installationId", "reevaluateAt"])
        .orderBy("turn")
        .orderBy("reevaluateAt")
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...row, reevaluateAt: row.reevaluateAt ?? 0 }));
    },

    async nextReevaluationAt() {
      const row = await db
        .selectFrom("pulls")
        .select("look_at")
        .where("look_at", "is not", null)
        .orderBy("look_at")
        .limit(1)
        .executeTakeFirst();
      return row?.look_at ?? null;
    },

    async requestReevaluation(filter, at) {
      const ids = filtered(db, filter).select(["repository_id", "number"]);
      // One that is due may be looked at this very moment, without what this is about: its version changes, too.
      const result = await db
        .updateTable("pulls")
        .set((eb) => ({
          look_at: eb.case().when("look_at", "<", at).then(eb.ref("look_at")).else(at).end(),
          look_tries: 0,
          version: eb("version", "+", 1),
        }))
        .where((eb) => eb(eb.refTuple("repository_id", "number"), "in", ids.$asTuple("repository_id", "number")))
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },

    async dueIntents(installationId, until, limit) {
      const rows = await db
        .selectFrom("pulls")
        .selectAll()
        .where("installation_id", "=", installationId)
        .where("intent_at", "is not", null)
        .where("intent_at", "<=", until)
        .orderBy("intent_at")
        .limit(limit)
        .execute();
      return rows.map(pull);
    },

    async intentInstallations() {
      const rows = await db
        .selectFrom("pulls")
        .select((eb) => ["installation_id as installationId", eb.fn.min("intent_at").as("at")])
        .where("intent_at", "is not", null)
        .where("installation_id", "is not", null)
        .groupBy("installation_id")
        .execute();
      return rows.map((row) => ({ installationId: row.installationId ?? 0, at: Number(row.at) }));
    },

    async history(id, limit, after) {
      const rows = await db
        .selectFrom("history")
        .selectAll()
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .$if(after !== undefined, (query) => query.where("id", ">", after ?? 0))
        .orderBy("id")
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map(line);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  };
}

async function write(db: Transaction<Tables>, commit: Commit): Promise<void> {
  for (const each of commit.pulls ?? []) {
    await writePull(db, each);
  }
  const history = commit.history ?? [];
  if (history.length > 0) {
    await db.insertInto("history").values(history.map(historyRow)).execute();
  }
  await addEffects(db, commit.effects ?? []);
  await settleEffects(db, commit.settled ?? [], commit.now);
  for (const each of commit.starts ?? []) {
    await saveStart(db, each);
  }
  for (const each of commit.gates ?? []) {
    await saveGate(db, each);
  }
  for (const each of commit.repositories ?? []) {
    await putRepository(db, each);
  }
  const done = commit.done ?? [];
  if (done.length > 0) {
    // The payload has had its effect; the id is kept, so that a redelivery is known.
    await db
      .updateTable("deliveries")
      .set({ status: "done", payload: "", error: null, done_at: commit.now })
      .where("seq", "in", done)
      .execute();
  }
}

async function writePull(db: Transaction<Tables>, each: Pull): Promise<void> {
  const values = {
    installation_id: each.installationId,
    version: each.version + 1,
    facts_json: JSON.stringify(each.facts),
    open: each.facts.state === "open" ? 1 : 0,
    head_sha: each.facts.head.sha,
    stage: each.confirmed?.stage ?? null,
    shown_json: textOrNull(each.confirmed),
    evaluation_json: textOrNull(each.evaluation),
    look_at: each.reevaluateAt,
    look_tries: each.reevaluationTries,
    intent_json: textOrNull(each.intent),
    intent_at: each.intentAt,
    blocked_json: textOrNull(each.blocked),
    people: each.evaluation === null ? null : each.evaluation.people ? 1 : 0,
    ...agesOf(each),
  };
  if (each.version === 0) {
    const inserted = await db
      .insertInto("pulls")
      .values({ repository_id: each.repositoryId, number: each.number, ...values })
      .onConflict((conflict) => conflict.columns(["repository_id", "number"]).doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) !== 1) {
      throw new Conflict(each);
    }
    return;
  }
  const updated = await db
    .updateTable("pulls")
    .set(values)
    .where("repository_id", "=", each.repositoryId)
    .where("number", "=", each.number)
    .where("version", "=", each.version)
    .executeTakeFirst();
  if (Number(updated.numUpdatedRows) !== 1) {
    throw new Conflict(each);
  }
}

export async function putRepository(
  db: Kysely<Tables>,
  repository: Parameters<Store["putRepository"]>[0],
): Promise<void> {
  const values = {
    node_id: repository.nodeId,
    installation_id: repository.installationId,
    owner: repository.owner,
    name: repository.name,
    full_name: `${repository.owner}/${repository.name}`.toLowerCase(),
    default_branch: repository.defaultBranch,
    private: repository.private ? 1 : 0,
  };
  await db
    .insertInto("repositories")
    .values({ id: repository.id, ...values })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(values))
    .execute();
  if (repository.installationId !== null) {
    await takeAlong(db, repository.id, repository.installationId);
  }
}

/** What waits for the repository's pull requests goes out through the installation that it has now. */
async function takeAlong(db: Kysely<Tables>, repositoryId: number, installationId: number): Promise<void> {
  await db
    .updateTable("pulls")
    .set((eb) => ({ installation_id: installationId, version: eb("version", "+", 1) }))
    .where("repository_id", "=", repositoryId)
    .where("installation_id", "!=", installationId)
    .execute();
  await db
    .updateTable("effects")
    .set({ installation_id: installationId })
    .where("repository_id", "=", repositoryId)
    .where("status", "=", "pending")
    .where("installation_id", "!=", installationId)
    .execute();
}

function filtered(db: Kysely<Tables>, filter: PullFilter) {
  const { repositoryId, installationId, headSha, open, blocked, closedSince, people } = filter;
  return db
    .selectFrom("pulls")
    .$if(repositoryId !== undefined, (query) => query.where("repository_id", "=", repositoryId ?? 0))
    .$if(installationId !== undefined, (query) => query.where("installation_id", "=", installationId ?? 0))
    .$if(headSha !== undefined, (query) => query.where("head_sha", "=", headSha ?? ""))
    .$if(open !== undefined, (query) => query.where("open", "=", open ? 1 : 0))
    .$if(closedSince !== undefined, (query) => query.where("closed_at", ">=", closedSince ?? 0))
    .$if(people === true, (query) => query.where((eb) => eb.or([eb("people", "=", 1), eb("people", "is", null)])))
    .$if(blocked !== undefined, (query) => query.where("blocked_json", blocked ? "is not" : "is", null));
}

function pull(row: Selectable<Tables["pulls"]>): Pull {
  return {
    repositoryId: row.repository_id,
    number: row.number,
    installationId: row.installation_id,
    version: row.version,
    facts: stored(row.facts_json),
    confirmed: storedOrNull(row.shown_json),
    evaluation: evaluation(row.evaluation_json),
    reevaluateAt: row.look_at,
    reevaluationTries: row.look_tries,
    intent: storedOrNull(row.intent_json),
    intentAt: row.intent_at,
    blocked: storedOrNull(row.blocked_json),
  };
}

/** Those of before lack what is told since; all open pull requests were looked at when that was added. */
function evaluation(text: string | null): Pull["evaluation"] {
  const read = storedOrNull<NonNullable<Pull["evaluation"]> & { readonly spent?: readonly UsedLabel[] }>(text);
  return read === null
    ? null
    : {
        ...read,
        notApplying: read.notApplying ?? [],
        // Versions before called them `spent`.
        usedLabels: read.usedLabels ?? read.spent ?? [],
        people: read.people ?? true,
        unclear: read.unclear ?? [],
      };
}

function historyRow(line: NewHistory) {
  return {
    repository_id: line.repositoryId,
    number: line.number,
    at: line.at,
    kind: line.kind,
    from_stage: line.from,
    to_stage: line.to,
    actor_json: textOrNull(line.actor),
    reason: line.reason,
    evidence_json: JSON.stringify(line.evidence),
  };
}

function line(row: Selectable<Tables["history"]>): History {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    number: row.number,
    at: row.at,
    kind: historyKind(row.kind),
    from: row.from_stage,
    to: row.to_stage,
    actor: storedOrNull(row.actor_json),
    reason: row.reason,
    evidence: stored(row.evidence_json),
  };
}

function historyKind(text: string): HistoryKind {
  const kind = HISTORY_KINDS.find((each) => each === text);
  if (kind === undefined) {
    throw new Error(`The database holds a line of history of the unknown kind “${text}”.`);
  }
  return kind;
}
