/** Runs of groups: their records, appended in order. One commit holds what all runs wrote in one turn. */
import type { Kysely } from "kysely";
import { type RunRecord, VersionConflict } from "../../../src/coordinator/hosting/run-store.ts";
import { read, readOrNull, written } from "../documents.ts";
import type { AppRunStore } from "../model.ts";
import type { Tables } from "../schema.ts";

interface Write {
  readonly run: string;
  readonly version: number;
  readonly records: readonly RunRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Rows of one insert: SQLite takes 32,766 values. */
const ROWS_AT_ONCE = 5_000;

export function runStore(db: Kysely<Tables>): AppRunStore {
  let waiting: Write[] = [];
  let writing = false;

  const writeAll = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await commit(db, batch);
    }
    writing = false;
  };

  return {
    append: (run, version, records) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ run, version, records, resolve, reject });
        // One commit, and so one wait for the disk, for all runs that write in one turn of the event loop.
        if (waiting.length === 1) setImmediate(() => void writeAll());
      }),
    async load(run) {
      const rows = await db
        .selectFrom("run_records")
        .select("record_json")
        .where("run", "=", run)
        .orderBy("version")
        .execute();
      return rows.map(({ record_json }) => read("run_record", record_json));
    },
    async close(run, at) {
      await db.updateTable("runs").set({ over_at: at }).where("id", "=", run).where("over_at", "is", null).execute();
    },
    async unfinished() {
      const rows = await db.selectFrom("runs").select("id").where("over_at", "is", null).orderBy("seq").execute();
      return rows.map(({ id }) => id);
    },
    async note(run) {
      const row = await db.selectFrom("runs").select("note_json").where("id", "=", run).executeTakeFirst();
      return readOrNull("run_note", row?.note_json ?? null);
    },
    async setNote(run, note) {
      await db
        .updateTable("runs")
        .set({ note_json: written("run_note", note) })
        .where("id", "=", run)
        .execute();
    },
    async list(limit, before) {
      const rows = await db
        .selectFrom("runs")
        .select(["seq", "id", "created_at", "over_at"])
        .$if(before !== undefined, (query) => query.where("seq", "<", before ?? 0))
        .orderBy("seq", "desc")
        .limit(limit + 1)
        .execute();
      const items = rows.slice(0, limit).map((row) => ({ id: row.id, createdAt: row.created_at, overAt: row.over_at }));
      return { items, next: rows.length > limit ? (rows[limit - 1]?.seq ?? null) : null };
    },
    async prune(overBefore, limit = 20) {
      return await db.transaction().execute(async (transaction) => {
        const rows = await transaction
          .selectFrom("runs")
          .select("id")
          .where("over_at", "<", overBefore)
          .orderBy("over_at")
          .limit(limit)
          .execute();
        const old = rows.map(({ id }) => id);
        if (old.length > 0) {
          await transaction.deleteFrom("run_records").where("run", "in", old).execute();
          await transaction.deleteFrom("runs").where("id", "in", old).execute();
        }
        return old.length;
      });
    },
  };
}

/** Writes what waits in one commit; a run that somebody else wrote meanwhile is left out of it, and told so. */
async function commit(db: Kysely<Tables>, batch: readonly Write[]): Promise<void> {
  const outcomes: (() => void)[] = [];
  try {
    await db.transaction().execute(async (transaction) => {
      outcomes.length = 0;
      for (const write of batch) {
        const conflict = await appendOne(transaction, write);
        outcomes.push(conflict === null ? write.resolve : () => write.reject(conflict));
      }
    });
  } catch (error) {
    for (const { reject } of batch) reject(error);
    return;
  }
  for (const outcome of outcomes) outcome();
}

async function appendOne(db: Kysely<Tables>, write: Write): Promise<VersionConflict | null> {
  const { run, version, records } = write;
  const next = version + records.length;
  if (version === 0) {
    const made = await db
      .insertInto("runs")
      .values({ id: run, version: next, created_at: records[0]?.event.at ?? 0, over_at: null, note_json: null })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .executeTakeFirst();
    if (Number(made.numInsertedOrUpdatedRows ?? 0n) === 0) return new VersionConflict(`run ${run} exists already`);
  } else {
    const moved = await db
      .updateTable("runs")
      .set({ version: next })
      .where("id", "=", run)
      .where("version", "=", version)
      .executeTakeFirst();
    if (moved.numUpdatedRows === 0n) return new VersionConflict(`run ${run} does not have ${version} records`);
  }
  for (let at = 0; at < records.length; at += ROWS_AT_ONCE) {
    const rows = records.slice(at, at + ROWS_AT_ONCE).map((record, offset) => ({
      run,
      version: version + at + offset,
      record_json: written("run_record", record),
    }));
    await db.insertInto("run_records").values(rows).execute();
  }
  return null;
}
