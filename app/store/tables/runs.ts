/**
 * Runs of groups: now and then the whole of each, and what happened since in order. One commit holds what all runs wrote
 * in one turn.
 */
import { type Kysely, sql } from "kysely";
import {
  type RunRecord,
  type RunSnapshot,
  type StoredRun,
  UnreadableRun,
  VersionConflict,
} from "../../../src/coordinator/hosting/run-store.ts";
import { claimInForce, claimStands, withClaim } from "../database/fence.ts";
import { inTransaction } from "../database/transaction.ts";
import { read, readOrNull, written } from "../documents.ts";
import { type AppRunStore, type Claim, ClaimLost, RUN_CLAIMS } from "../model.ts";
import type { Tables } from "../schema.ts";
import { type LeaseClock, storeTime } from "./claims.ts";

/** What follows on the records that there are, or stands in their place. */
type Content =
  | { readonly kind: "records"; readonly records: readonly RunRecord[] }
  | { readonly kind: "whole"; readonly next: number; readonly snapshot: RunSnapshot };

interface Write {
  /** Under which it was asked for: one commit holds writes under several. */
  readonly claim: Claim | null;
  readonly run: string;
  readonly version: number;
  readonly content: Content;
  readonly resolve: (bytes: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Rows of one insert: SQLite takes 32,766 values. */
const ROWS_AT_ONCE = 5_000;
/** A run may be written while it is read, by another process: then it is read again. */
const READS = 5;

export function runStore(db: Kysely<Tables>, clock: LeaseClock): AppRunStore {
  let waiting: Write[] = [];
  let writing = false;

  const writeAll = async (): Promise<void> => {
    if (writing) return;
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await withClaim(null, () => commit(db, batch));
    }
    writing = false;
  };

  const write = (run: string, version: number, content: Content): Promise<number> =>
    new Promise((resolve, reject) => {
      waiting.push({ claim: claimInForce(), run, version, content, resolve, reject });
      // One commit, and so one wait for the disk, for all runs that write in one turn of the event loop.
      if (waiting.length === 1) setImmediate(() => void writeAll());
    });

  return {
    append: (run, version, records) => write(run, version, { kind: "records", records }),
    replace: (run, version, next, snapshot) => write(run, version, { kind: "whole", next, snapshot }),
    load: (run) => load(db, run),
    async has(run) {
      return (await db.selectFrom("runs").select("id").where("id", "=", run).executeTakeFirst()) !== undefined;
    },
    async close(run, at) {
      await db.updateTable("runs").set({ over_at: at }).where("id", "=", run).where("over_at", "is", null).execute();
    },
    async unfinished() {
      const rows = await db.selectFrom("runs").select("id").where("over_at", "is", null).orderBy("seq").execute();
      return rows.map(({ id }) => id);
    },
    async orphans(limit) {
      const at = await storeTime(db, clock);
      const rows = await db
        .selectFrom("runs")
        .select("id")
        .where("over_at", "is", null)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom("claims")
                .innerJoin("replicas", "replicas.id", "claims.owner")
                .select("claims.key")
                .where("claims.key", "=", sql<string>`${RUN_CLAIMS} || runs.id`)
                .where("claims.released_at", "is", null)
                .where("replicas.until", ">", at),
            ),
          ),
        )
        .orderBy("seq")
        .limit(limit)
        .execute();
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
    async open() {
      const rows = await db
        .selectFrom("runs")
        .select(["id", "note_json"])
        .where("over_at", "is", null)
        .orderBy("seq")
        .execute();
      return rows.map(({ id, note_json }) => ({ id, note: readOrNull("run_note", note_json) }));
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
      return await inTransaction(db, async (transaction) => {
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
          await transaction.deleteFrom("run_snapshots").where("run", "in", old).execute();
          await transaction.deleteFrom("runs").where("id", "in", old).execute();
        }
        return old.length;
      });
    },
  };
}

async function load(db: Kysely<Tables>, run: string): Promise<StoredRun | null> {
  let missing = 0;
  for (let reads = 0; reads < READS; reads += 1) {
    const known = await db.selectFrom("runs").select("version").where("id", "=", run).executeTakeFirst();
    if (known === undefined) return null;
    const whole = await db.selectFrom("run_snapshots").selectAll().where("run", "=", run).executeTakeFirst();
    const from = whole?.version ?? 0;
    const rows = await db
      .selectFrom("run_records")
      .select("record_json")
      .where("run", "=", run)
      .where("version", ">=", from)
      .where("version", "<", known.version)
      .orderBy("version")
      .execute();
    missing = known.version - from - rows.length;
    if (missing === 0) return { version: known.version, ...understood(whole?.snapshot_json ?? null, rows) };
  }
  throw new UnreadableRun(`${missing} of its records are missing`);
}

/** @throws UnreadableRun */
function understood(
  snapshot: string | null,
  rows: readonly { readonly record_json: string }[],
): Pick<StoredRun, "snapshot" | "records"> {
  try {
    return {
      snapshot: readOrNull("run_snapshot", snapshot),
      records: rows.map(({ record_json }) => read("run_record", record_json)),
    };
  } catch (error) {
    throw new UnreadableRun(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Writes what waits in one commit; a run that somebody else wrote meanwhile is left out of it, and told so. */
async function commit(db: Kysely<Tables>, batch: readonly Write[]): Promise<void> {
  const outcomes: (() => void)[] = [];
  try {
    await inTransaction(db, async (transaction) => {
      outcomes.length = 0;
      for (const write of batch) {
        const written = await writeOne(transaction, write);
        outcomes.push(typeof written === "number" ? () => write.resolve(written) : () => write.reject(written));
      }
    });
  } catch (error) {
    for (const { reject } of batch) reject(error);
    return;
  }
  for (const outcome of outcomes) outcome();
}

/** @returns the bytes that it takes */
async function writeOne(
  db: Kysely<Tables>,
  { claim, run, version, content }: Write,
): Promise<number | VersionConflict | ClaimLost> {
  if (claim !== null && !(await claimStands(db, claim))) return new ClaimLost(claim);
  const next = content.kind === "records" ? version + content.records.length : content.next;
  if (version === 0) {
    const at = content.kind === "records" ? (content.records[0]?.event.at ?? 0) : content.snapshot.state.createdAt;
    const made = await db
      .insertInto("runs")
      .values({ id: run, version: next, created_at: at, over_at: null, note_json: null })
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
  return content.kind === "records"
    ? await insertRecords(db, run, version, content.records)
    : await replaceRecords(db, run, next, content.snapshot);
}

async function insertRecords(
  db: Kysely<Tables>,
  run: string,
  version: number,
  records: readonly RunRecord[],
): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < records.length; at += ROWS_AT_ONCE) {
    const rows = records.slice(at, at + ROWS_AT_ONCE).map((record, offset) => ({
      run,
      version: version + at + offset,
      record_json: written("run_record", record),
    }));
    for (const { record_json } of rows) bytes += record_json.length;
    await db.insertInto("run_records").values(rows).execute();
  }
  return bytes;
}

async function replaceRecords(
  db: Kysely<Tables>,
  run: string,
  version: number,
  snapshot: RunSnapshot,
): Promise<number> {
  const snapshot_json = written("run_snapshot", snapshot);
  await db.deleteFrom("run_records").where("run", "=", run).execute();
  await db
    .insertInto("run_snapshots")
    .values({ run, version, snapshot_json })
    .onConflict((conflict) => conflict.column("run").doUpdateSet({ version, snapshot_json }))
    .execute();
  return snapshot_json.length;
}
