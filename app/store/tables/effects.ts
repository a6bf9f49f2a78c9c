/** What is to be done on GitHub besides labels and checks: stored with the decision, settled with its outcome. */
import { type ExpressionBuilder, type Kysely, type Selectable, sql, type Transaction } from "kysely";
import { z } from "zod";
import { RowConflict } from "../conflict.ts";
import { read, readOrNull, written, writtenOrNull } from "../documents.ts";
import { dueInTurns } from "../in-turns.ts";
import { EFFECT_CODES } from "../model/effects.ts";
import type { Effect, EffectCode, EffectRead, EffectReason, NewEffect, SettledEffect, Store } from "../model.ts";
import type { Tables } from "../schema.ts";

const NOT_INSTALLED: EffectCode = "not_installed";
const codeSchema = z.enum(EFFECT_CODES).nullable();
/** Rows of one statement that forgets. */
const MOST_PRUNED = 500;

type EffectPart = Pick<
  Store,
  | "effectsDue"
  | "effect"
  | "effectsOf"
  | "postponeEffect"
  | "deferEffect"
  | "noteEffect"
  | "hastenEffects"
  | "reviveEffects"
  | "reopenEffects"
  | "pruneEffects"
>;

export function effectStore(db: Kysely<Tables>): EffectPart {
  return {
    async effectsDue(installationId, until, limit) {
      const waits = sql`status = 'pending' and installation_id = ${installationId}`;
      const rows = await dueInTurns(
        db,
        { table: "effects", by: "repository_id", at: "next_at", waits, until, limit },
        (repository, most) =>
          db
            .selectFrom("effects")
            .selectAll()
            .where("installation_id", "=", installationId)
            .where("repository_id", "=", repository)
            // In the words of the index.
            .where("status", "=", sql.lit("pending"))
            .where("next_at", "<=", until)
            .orderBy("next_at")
            .orderBy("id")
            .limit(most)
            .execute(),
      );
      return rows.map(effectOf);
    },
    async effect(id) {
      const row = await db.selectFrom("effects").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : effectOf(row);
    },
    async effectsOf(id) {
      const rows = await db
        .selectFrom("effects")
        .selectAll()
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .orderBy("id")
        .execute();
      return rows.map(effectOf);
    },
    async postponeEffect(effect, nextAt, why, result) {
      await putOff(db, effect, nextAt, why, result)
        .set((eb) => ({ tries: eb("tries", "+", 1) }))
        .execute();
    },
    async deferEffect(effect, nextAt, why, result) {
      await putOff(db, effect, nextAt, why, result).set({ tries: 0 }).execute();
    },
    async noteEffect({ id }, result) {
      await db
        .updateTable("effects")
        .set({ result_json: written("result", result) })
        .where("id", "=", id)
        .where("status", "=", "pending")
        .execute();
    },
    async hastenEffects(id, kind, now) {
      await db
        .updateTable("effects")
        .set((eb) => hastened(eb, now))
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .where("kind", "=", kind)
        .where("status", "=", "pending")
        .where("tries", "=", 0)
        .execute();
    },
    async reviveEffects(id, now) {
      const revived = await db
        .updateTable("effects")
        .set((eb) => ({ status: "pending", version: eb("version", "+", 1), tries: 0, next_at: now, done_at: null }))
        .where("repository_id", "=", id.repositoryId)
        .where("number", "=", id.number)
        .where("status", "=", "dead")
        .executeTakeFirst();
      return Number(revived.numUpdatedRows);
    },
    async reopenEffects(repositoryId, kind, since, now) {
      const reopened = await db
        .updateTable("effects")
        .set((eb) => ({ ...hastened(eb, now), status: "pending", done_at: null }))
        .where("repository_id", "=", repositoryId)
        .where("kind", "=", kind)
        .where((eb) =>
          eb.or([
            eb.and([eb("status", "=", "done"), eb("done_at", ">", since), eb("result_json", "like", '%"open":true%')]),
            eb.and([eb("status", "=", "pending"), eb("tries", "=", 0)]),
          ]),
        )
        .executeTakeFirst();
      return Number(reopened.numUpdatedRows);
    },
    async pruneEffects(doneBefore, limit = MOST_PRUNED) {
      // Of open pull requests their keys are kept: what is done once an entry must not be done again.
      const pruned = await db
        .deleteFrom("effects")
        .where("id", "in", (from) =>
          from
            .selectFrom("effects as old")
            .select("old.id")
            .where("old.status", "in", ["done", "dead"])
            .where("old.done_at", "<", doneBefore)
            .where((eb) =>
              eb.not(
                eb.exists(
                  eb
                    .selectFrom("pulls")
                    .select("pulls.number")
                    .whereRef("pulls.repository_id", "=", "old.repository_id")
                    .whereRef("pulls.number", "=", "old.number")
                    .where("pulls.open", "=", 1),
                ),
              ),
            )
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(pruned.numDeletedRows);
    },
  };
}

/**
 * A key that is known already is left as it is; but what was given up where the app was not installed, or through an
 * installation that is gone since, is to be done after all when it is asked for again.
 */
export async function addEffects(db: Transaction<Tables>, effects: readonly NewEffect[]): Promise<void> {
  // One statement may not write a row twice, and the second would find the first there anyway.
  const keys = new Set<string>();
  const once = effects.filter(({ key }) => !keys.has(key) && keys.add(key));
  if (once.length === 0) {
    return;
  }
  await db
    .insertInto("effects")
    .values(
      once.map((each) => ({
        key: each.key,
        repository_id: each.repositoryId,
        number: each.number,
        installation_id: each.installationId,
        kind: each.kind,
        payload_json: written("effect", each.payload),
        status: "pending",
        version: 1,
        tries: 0,
        next_at: each.nextAt,
        error: null,
        error_code: null,
        result_json: null,
        done_at: null,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .column("key")
        .doUpdateSet((eb) => ({
          status: "pending",
          version: eb("effects.version", "+", 1),
          installation_id: eb.ref("excluded.installation_id"),
          next_at: eb.ref("excluded.next_at"),
          tries: 0,
          error: null,
          error_code: null,
          done_at: null,
        }))
        .where("effects.status", "=", "dead")
        .where((eb) =>
          eb.or([
            eb("effects.error_code", "=", NOT_INSTALLED),
            eb("effects.installation_id", "!=", eb.ref("excluded.installation_id")),
          ]),
        ),
    )
    .execute();
}

/**
 * What waits for a repository's pull requests goes out through the installation that it has now, and with it what was
 * given up because there was none, or because a former one might not.
 */
export async function takeEffectsAlong(
  db: Kysely<Tables>,
  repositoryId: number,
  installationId: number,
): Promise<void> {
  await db
    .updateTable("effects")
    .set({ installation_id: installationId })
    .where("repository_id", "=", repositoryId)
    .where("status", "=", "pending")
    .where("installation_id", "!=", installationId)
    .execute();
  await db
    .updateTable("effects")
    .set((eb) => ({
      status: "pending",
      version: eb("version", "+", 1),
      installation_id: installationId,
      tries: 0,
      error: null,
      error_code: null,
      done_at: null,
    }))
    .where("repository_id", "=", repositoryId)
    .where("status", "=", "dead")
    .where((eb) =>
      eb.or([
        eb("error_code", "=", NOT_INSTALLED),
        eb.and([eb("error_code", "=", "permission"), eb("installation_id", "!=", installationId)]),
      ]),
    )
    .execute();
}

/** @throws RowConflict when something new was asked of one of them since it was read */
export async function settleEffects(
  db: Transaction<Tables>,
  settled: readonly SettledEffect[],
  now: number,
): Promise<void> {
  for (const { repositoryId, number, id, version, status, error, errorCode, result } of settled) {
    const ended = await db
      .updateTable("effects")
      .set((eb) => ({
        status,
        error,
        error_code: errorCode,
        result_json: writtenOrNull("result", result),
        done_at: now,
        tries: eb("tries", "+", status === "dead" ? 1 : 0),
      }))
      .where("id", "=", id)
      .where("version", "=", version)
      .executeTakeFirst();
    if (Number(ended.numUpdatedRows) !== 1) {
      throw new RowConflict("effect", { repositoryId, number });
    }
  }
}

/** Pending, until then; what was asked anew since it was read stays due. */
function putOff(
  db: Kysely<Tables>,
  { id, version }: EffectRead,
  nextAt: number,
  { code, text }: EffectReason,
  result: object | null,
) {
  return db
    .updateTable("effects")
    .set({ error: text, error_code: code, result_json: writtenOrNull("result", result) })
    .set((eb) => ({ next_at: eb.case().when("version", "=", version).then(nextAt).else(eb.ref("next_at")).end() }))
    .where("id", "=", id)
    .where("status", "=", "pending");
}

/** Due now, those that are being carried out, too: they are looked at once more. */
function hastened(eb: ExpressionBuilder<Tables, "effects">, now: number) {
  return {
    version: eb("version", "+", 1),
    next_at: eb.case().when("next_at", "<", now).then(eb.ref("next_at")).else(now).end(),
  };
}

export function effectOf(row: Selectable<Tables["effects"]>): Effect {
  if (row.status !== "pending" && row.status !== "done" && row.status !== "dead") {
    throw new Error(`The database holds an effect with the unknown status “${row.status}”.`);
  }
  return {
    id: row.id,
    version: row.version,
    key: row.key,
    repositoryId: row.repository_id,
    number: row.number,
    installationId: row.installation_id,
    kind: row.kind,
    payload: read("effect", row.payload_json),
    status: row.status,
    tries: row.tries,
    nextAt: row.next_at,
    error: row.error,
    errorCode: codeSchema.parse(row.error_code),
    result: readOrNull("result", row.result_json),
  };
}
