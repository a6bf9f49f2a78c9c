/** Runs of groups: their records, appended in order. One commit holds what all runs wrote in one turn. */
import type { Generated, Kysely, Migration } from "kysely";
import { type RunRecord, type RunStore, VersionConflict } from "../../src/coordinator/hosting/run-store.ts";
import { stored } from "./json.ts";
import type { Tables } from "./schema.ts";

export interface RunTables {
  run_records: {
    run: string;
    /** Counts from 0 within its run. */
    version: number;
    record_json: string;
  };
  runs: {
    id: string;
    /** Records that it has. */
    version: number;
    created_at: number;
    over_at: number | null;
    /** What the app itself remembers of the run: its check run on GitHub. */
    note_json: string | null;
    seq: Generated<number>;
  };
}

export const runsMigration: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable("runs")
      .addColumn("seq", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("over_at", "bigint")
      .addColumn("note_json", "text")
      .execute();
    await db.schema.createIndex("runs_over").on("runs").columns(["over_at", "seq"]).execute();
    await db.schema
      .createTable("run_records")
      .addColumn("run", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("record_json", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("run_records_key", ["run", "version"])
      .execute();
  },
};

export interface RunRow {
  readonly id: string;
  readonly createdAt: number;
  readonly overAt: number | null;
}

/** What the app asks of runs beyond what a coordinator does. */
export interface AppRunStore extends RunStore {
  /** What `setNote` kept; null: nothing. */
  note(run: string): Promise<unknown>;
  setNote(run: string, note: unknown): Promise<void>;
  /** Newest first; `before`: a `next` of an earlier page. */
  list(limit: number, before?: number): Promise<{ readonly items: readonly RunRow[]; readonly next: number | null }>;
  /** Forgets runs that were over before a time, at most `limit` (default 20: each has many records). Returns how many. */
  prune(overBefore: number, limit?: number): Promise<number>;
}

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
      return rows.map(({ record_json }) => stored<RunRecord>(record_json));
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
      return row?.note_json === null || row === undefined ? null : stored<unknown>(row.note_json);
    },
    async setNote(run, note) {
      await db
        .updateTable("runs")
        .set({ note_json: JSON.stringify(note) })
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
      record_json: JSON.stringify(record),
    }));
    await db.insertInto("run_records").values(rows).execute();
  }
  return null;
}
