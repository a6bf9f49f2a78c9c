/** The history of pull requests. */
import type { Kysely, Selectable, Transaction } from "kysely";
import { parsed, readOrNull, writtenOrNull } from "../documents.ts";
import { HISTORY_KINDS, type History, type HistoryKind, type NewHistory, type Store } from "../model.ts";
import type { Tables } from "../schema.ts";

export function historyStore(db: Kysely<Tables>): Pick<Store, "history"> {
  return {
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

export async function addHistory(db: Transaction<Tables>, lines: readonly NewHistory[]): Promise<void> {
  if (lines.length > 0) {
    await db.insertInto("history").values(lines.map(historyRow)).execute();
  }
}

function historyRow(line: NewHistory) {
  return {
    repository_id: line.repositoryId,
    number: line.number,
    at: line.at,
    kind: line.kind,
    from_stage: line.from,
    to_stage: line.to,
    actor_json: writtenOrNull("actor", line.actor),
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
    actor: readOrNull("actor", row.actor_json),
    reason: row.reason,
    evidence: parsed(row.evidence_json),
  };
}

function historyKind(text: string): HistoryKind {
  const kind = HISTORY_KINDS.find((each) => each === text);
  if (kind === undefined) {
    throw new Error(`The database holds a line of history of the unknown kind “${text}”.`);
  }
  return kind;
}
