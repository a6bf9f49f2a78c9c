/** One way to ask for what is due, whatever it is. */
import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { DuePolicy, DueRows, DueStore, DueSweep, Effect, InstallationId, Repository, Store } from "./model.ts";
import type { Tables } from "./schema.ts";
import { effectOf } from "./tables/effects.ts";
import { gateOf } from "./tables/gates.ts";
import { pullOfRow, pullRows } from "./tables/pulls.ts";
import { repositoryOf } from "./tables/repositories.ts";
import { startedOf } from "./tables/started-runs.ts";
import { dueSweepOf } from "./tables/sweeps.ts";

const ONLY = {
  pending: sql`and due.status = 'pending'`,
  installed: sql`and due.installation_id is not null`,
} as const;

/** The names of a table and its columns. */
interface Place {
  readonly table: "pulls" | "effects" | "started_runs" | "waiting_gates" | "policies" | "repositories";
  /** When a row is due. */
  readonly at: string;
  /** Default: by when it is due. */
  readonly order?: RawBuilder<unknown>;
  /** Default: that of the row's repository. */
  readonly ownInstallation?: true;
  /** Rows that it is about; default: all. */
  readonly only?: keyof typeof ONLY;
}

/** A run that has ended makes room for those that wait, of which only the place in the line may have to be told. */
const STARTS_ORDER = sql`due.state = 'queued', due.id`;

const INSTALLED = { table: "repositories", ownInstallation: true, only: "installed" } as const;

export function dueStore(db: Kysely<Tables>, { effectsDue }: Pick<Store, "effectsDue">): DueStore {
  const effects = rowsOf<Selectable<Tables["effects"]>, Effect>(
    db,
    { table: "effects", at: "next_at", ownInstallation: true, only: "pending" },
    effectOf,
  );
  return {
    pulls: pullsDue(db, "reevaluate_at"),
    transitions: pullsDue(db, "intent_at"),
    effects: {
      ...effects,
      of: async (installationId, until, limit) =>
        installationId === null ? [] : await effectsDue(installationId, until, limit),
    },
    starts: rowsOf(db, { table: "started_runs", at: "next_at", order: STARTS_ORDER }, startedOf),
    gates: rowsOf(db, { table: "waiting_gates", at: "next_at" }, gateOf),
    policies: rowsOf<Selectable<Tables["policies"]>, DuePolicy>(
      db,
      { table: "policies", at: "due_at" },
      ({ repository_id }) => ({ repositoryId: repository_id }),
    ),
    sweeps: rowsOf<Selectable<Tables["repositories"]>, DueSweep>(db, { ...INSTALLED, at: "sweep_at" }, dueSweepOf),
    people: rowsOf<Selectable<Tables["repositories"]>, Repository>(db, { ...INSTALLED, at: "people_at" }, repositoryOf),
  };
}

/** With their documents, which are rows of their own. */
function pullsDue(db: Kysely<Tables>, at: "reevaluate_at" | "intent_at"): DueStore["pulls"] {
  return {
    outlook: rowsOf(db, { table: "pulls", at, ownInstallation: true }, () => null).outlook,
    of: async (installationId, until, limit) => {
      const rows = await pullRows(db)
        .where("pulls.installation_id", installationId === null ? "is" : "=", installationId)
        .where(`pulls.${at}`, "is not", null)
        .where(`pulls.${at}`, "<=", until)
        .orderBy(`pulls.${at}`)
        .limit(limit)
        .execute();
      return rows.map(pullOfRow);
    },
  };
}

function rowsOf<Row, T>(db: Kysely<Tables>, place: Place, read: (row: Row) => T): DueRows<T> {
  const { table, ownInstallation = false, only } = place;
  const at = sql.ref(`due.${place.at}`);
  const order = place.order ?? at;
  const installation = sql.ref(ownInstallation ? "due.installation_id" : "repositories.installation_id");
  const owner = ownInstallation ? sql`` : sql`left join repositories on repositories.id = due.repository_id`;
  const which = only === undefined ? sql`` : ONLY[only];
  return {
    outlook: async (until) => {
      const found = await sql<{ id: InstallationId }>`
        select ${installation} as id, min(${at}) as first from ${sql.table(table)} as due ${owner}
        where ${at} <= ${until} ${which} group by ${installation} order by first, id nulls first`.execute(db);
      const later = await sql<{ at: number | null }>`
        select min(${at}) as at from ${sql.table(table)} as due where ${at} > ${until} ${which}`.execute(db);
      return { installations: found.rows.map(({ id }) => id), nextAt: later.rows[0]?.at ?? null };
    },
    of: async (installationId, until, limit) => {
      const of = installationId === null ? sql`is null` : sql`= ${installationId}`;
      const { rows } = await sql<Row>`
        select due.* from ${sql.table(table)} as due ${owner}
        where ${installation} ${of} and ${at} <= ${until} ${which}
        order by ${order} limit ${limit}`.execute(db);
      return rows.map(read);
    },
  };
}
