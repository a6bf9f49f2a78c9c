/** Who is alive, and who owns what. */
import type { Kysely, Transaction } from "kysely";
import { sql } from "kysely";
import { isShared } from "../database/dialect.ts";
import { claimInForce, withClaim } from "../database/fence.ts";
import { inTransaction } from "../database/transaction.ts";
import type { Beat, Claim, ClaimRequest, ClaimStore, KeptPace, ReplicaStore, TakenClaim } from "../model.ts";
import type { Tables } from "../schema.ts";

/** Where the database has no clock of its own. */
export type LeaseClock = () => number;

const FENCE = "fence";
/** Rows of one statement that forgets. */
const MOST_PRUNED = 500;

export function replicaStore(db: Kysely<Tables>, clock: LeaseClock): ReplicaStore {
  return {
    beat: (replica, leaseMs) =>
      unclaimed(db, async (on): Promise<Beat> => {
        const { id, address, version } = replica;
        const before = await on
          .selectFrom("replicas")
          .select("until")
          .where("id", "=", id)
          .$if(isShared(db), (query) => query.forUpdate())
          .executeTakeFirst();
        // After the wait for whoever was taking over just now.
        const at = await storeTime(on, clock);
        const row = { address, version, until: at + leaseMs };
        await on
          .insertInto("replicas")
          .values({ id, ...row, since: at })
          .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
          .execute();
        const live = await on
          .selectFrom("replicas")
          .select(["id", "address", "version", "until"])
          .where("until", ">", at)
          .orderBy("id")
          .execute();
        return {
          unbroken: before !== undefined && before.until > at,
          live,
        };
      }),
    leave: (id) =>
      unclaimed(db, async (on) => {
        const at = await storeTime(on, clock);
        await on.updateTable("replicas").set({ until: at }).where("id", "=", id).where("until", ">", at).execute();
      }),
  };
}

export function claimStore(db: Kysely<Tables>, clock: LeaseClock): ClaimStore {
  return {
    claim: async (request) => (request.keys.length === 0 ? [] : await unclaimed(db, (on) => take(on, request, clock))),
    release: (claims) =>
      unclaimed(db, async (on) => {
        const at = await storeTime(on, clock);
        for (const { key, owner, fence } of claims.toSorted(byKey)) {
          await on
            .updateTable("claims")
            .set({ released_at: at })
            .where("key", "=", key)
            .where("owner", "=", owner)
            .where("fence", "=", fence)
            .where("released_at", "is", null)
            .execute();
        }
      }),
    async heldBy(owner) {
      return await db
        .selectFrom("claims")
        .select(["key", "owner", "fence"])
        .where("owner", "=", owner)
        .where("released_at", "is", null)
        .orderBy("key")
        .execute();
    },
    async ownerOf(key) {
      const at = await storeTime(db, clock);
      const row = await db
        .selectFrom("claims")
        .innerJoin("replicas", "replicas.id", "claims.owner")
        .select(["claims.owner", "replicas.address"])
        .where("claims.key", "=", key)
        .where("claims.released_at", "is", null)
        .where("replicas.until", ">", at)
        .executeTakeFirst();
      return row ?? null;
    },
    within: (claim, work) => withClaim(claim, work),
    inForce: () => claimInForce(),
    outside: (work) => withClaim(null, work),
    keepPace: (pace) => unclaimed(db, (on) => keepPace(on, pace, clock)),
    async paces(key) {
      const at = await storeTime(db, clock);
      const rows = await db
        .selectFrom("claims")
        .select(["key", "held_until", "next_write_at"])
        .where((eb) => eb.or([eb("held_until", ">", at), eb("next_write_at", ">", at)]))
        .$if(key !== undefined, (query) => query.where("key", "=", key ?? ""))
        .orderBy("key")
        .execute();
      return rows.map((row) => ({
        key: row.key,
        heldMs: Math.max(0, (row.held_until ?? 0) - at),
        nextWriteMs: Math.max(0, (row.next_write_at ?? 0) - at),
      }));
    },
    prune: (before, limit = MOST_PRUNED) =>
      unclaimed(db, async (on) => {
        const claims = await on
          .deleteFrom("claims")
          .where("key", "in", (from) =>
            from
              .selectFrom("claims")
              .select("key")
              .where("released_at", "<", before)
              .where((eb) => eb.or([eb("held_until", "is", null), eb("held_until", "<", before)]))
              .orderBy("key")
              .limit(limit),
          )
          .executeTakeFirst();
        // Those of whom nothing is left: what was not released says by them when its owner's lease ended.
        const replicas = await on
          .deleteFrom("replicas")
          .where("id", "in", (from) =>
            from
              .selectFrom("replicas")
              .select("replicas.id")
              .where("replicas.until", "<", before)
              .where((eb) =>
                eb.not(
                  eb.exists(eb.selectFrom("claims").select("claims.key").whereRef("claims.owner", "=", "replicas.id")),
                ),
              )
              .orderBy("replicas.id")
              .limit(limit),
          )
          .executeTakeFirst();
        return Number(claims.numDeletedRows + replicas.numDeletedRows);
      }),
  };
}

async function take(
  db: Transaction<Tables>,
  { keys, owner, requestMs }: ClaimRequest,
  clock: LeaseClock,
): Promise<TakenClaim[]> {
  const wanted = [...new Set(keys)].sort();
  // Everybody who claims waits here for the one before: nobody waits for rows of claims while holding others.
  const last = await nextFences(db, wanted.length);
  const at = await storeTime(db, clock);
  const self = await db.selectFrom("replicas").select("until").where("id", "=", owner).executeTakeFirst();
  if (self === undefined || self.until <= at) {
    return [];
  }
  await addFree(db, wanted, at);
  // What somebody is just writing under is not free yet: the next try finds it.
  const rows = await db
    .selectFrom("claims")
    .selectAll()
    .where("key", "in", wanted)
    .orderBy("key")
    .$if(isShared(db), (query) => query.forUpdate().skipLocked())
    .execute();
  const owners = [...new Set(rows.filter((row) => row.released_at === null).map((row) => row.owner))];
  const leases = owners.length === 0 ? [] : await leasesOf(db, owners);
  const taken: TakenClaim[] = [];
  for (const row of rows) {
    const unreleased = row.released_at === null;
    const lease = leases.find(({ id }) => id === row.owner);
    const until = lease?.until ?? 0;
    if (unreleased && row.owner !== owner && lease !== undefined && (until > at || !lease.locked)) {
      continue;
    }
    const wait = unreleased && row.owner !== owner && lease !== undefined ? until + requestMs : 0;
    const not_before = Math.max(row.not_before, wait);
    const claim = { key: row.key, owner, fence: last - taken.length };
    await db
      .updateTable("claims")
      .set({ owner, fence: claim.fence, since: at, released_at: null, not_before })
      .where("key", "=", row.key)
      .execute();
    taken.push({ claim, waitMs: Math.max(0, not_before - at), unreleased });
  }
  return taken;
}

/** Rows of those keys that nobody has had. */
async function addFree(db: Transaction<Tables>, keys: readonly string[], at: number): Promise<void> {
  await db
    .insertInto("claims")
    .values(keys.map((key) => ({ key, owner: "", fence: 0, since: at, released_at: at, not_before: 0 })))
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
}

async function keepPace(
  db: Transaction<Tables>,
  { key, heldMs, nextWriteMs }: KeptPace,
  clock: LeaseClock,
): Promise<void> {
  const at = await storeTime(db, clock);
  await addFree(db, [key], at);
  for (const [column, ms] of [
    ["held_until", heldMs],
    ["next_write_at", nextWriteMs],
  ] as const) {
    if (ms > 0) {
      await db
        .updateTable("claims")
        .set({ [column]: Math.ceil(at + ms) })
        .where("key", "=", key)
        .where((eb) => eb.or([eb(column, "is", null), eb(column, "<", Math.ceil(at + ms))]))
        .execute();
    }
  }
}

interface Lease {
  readonly id: string;
  readonly until: number;
  /** It cannot be renewed before this transaction ends. */
  readonly locked: boolean;
}

async function leasesOf(db: Transaction<Tables>, owners: readonly string[]): Promise<Lease[]> {
  const locked = await db
    .selectFrom("replicas")
    .select(["id", "until"])
    .where("id", "in", owners)
    .orderBy("id")
    .$if(isShared(db), (query) => query.forUpdate().skipLocked())
    .execute();
  const all = isShared(db)
    ? await db.selectFrom("replicas").select(["id", "until"]).where("id", "in", owners).execute()
    : locked;
  const ids = new Set(locked.map(({ id }) => id));
  return all.map(({ id, until }) => ({ id, until, locked: ids.has(id) }));
}

/** Takes so many numbers; resolves with the last of them. */
async function nextFences(db: Transaction<Tables>, count: number): Promise<number> {
  const { value } = await db
    .insertInto("meta")
    .values({ key: FENCE, value: `${count}` })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet({ value: sql`cast(cast(meta.value as bigint) + ${count} as text)` }),
    )
    .returning("value")
    .executeTakeFirstOrThrow();
  return Number(value);
}

/** Claims are taken and given back under no claim. */
function unclaimed<T>(db: Kysely<Tables>, work: (on: Transaction<Tables>) => Promise<T>): Promise<T> {
  return withClaim(null, () => inTransaction(db, work));
}

/** The store's clock: one for all replicas. */
export async function storeTime(db: Kysely<Tables>, clock: LeaseClock): Promise<number> {
  if (!isShared(db)) {
    return clock();
  }
  const { rows } = await sql<{ at: number }>`
    select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as at`.execute(db);
  return rows[0]?.at ?? clock();
}

function byKey(a: Claim, b: Claim): number {
  return a.key < b.key ? -1 : 1;
}
