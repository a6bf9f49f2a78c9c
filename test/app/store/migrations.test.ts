/** Rows that each earlier version wrote become the same on every database, step by step, and go on. */
import { Kysely, Migrator, sql } from "kysely";
import { expect, it } from "vitest";
import { isShared } from "../../../app/store/database/dialect.ts";
import { postgresDialect } from "../../../app/store/database/postgres.ts";
import { sqliteDialect } from "../../../app/store/database/sqlite.ts";
import { MIGRATIONS } from "../../../app/store/migrations/index.ts";
import { isPostgresUrl, openStore, sqliteFile } from "../../../app/store/open.ts";
import { DATABASES } from "./databases.ts";

type Row = Readonly<Record<string, unknown>>;
type Rows = Record<string, Row>;

const NAMES = Object.keys(MIGRATIONS);
/** Of each version, in each table. */
const ROWS = 4;
/** Of keys of tables, which SQLite lets be null. */
const NEVER_NULL: ReadonlySet<string> = new Set(["id", "key", "repository_id", "run", "seq"]);

function open(url: string): Kysely<Rows> {
  const onError = (): void => undefined;
  return new Kysely<Rows>({
    dialect: isPostgresUrl(url) ? postgresDialect(url, { onError, connections: 1 }) : sqliteDialect(sqliteFile(url)),
  });
}

async function migrate(db: Kysely<Rows>, to: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateTo(to);
  expect(error).toBeUndefined();
}

/** Of every table but the migrator's own. */
async function tablesOf(db: Kysely<Rows>) {
  const tables = await db.introspection.getTables();
  return tables.filter(({ name }) => !name.startsWith("kysely")).sort((a, b) => (a.name < b.name ? -1 : 1));
}

const cycle = <T>(values: readonly T[], n: number): T | undefined => values[n % values.length];
const held = { why: "command", at: 1, by: null, reason: "" };

const EFFECTS = ["trouble", "answer", "press", "closing"] as const;

/** What stood in a column of this name, as far as a migration looks at it. */
function value(table: string, column: string, isText: boolean, n: number): unknown {
  const json = (document: unknown): string => JSON.stringify(document);
  const which = n % ROWS;
  switch (`${table}.${column}`) {
    case "meta.key":
      return n === 0 ? "in-hand" : cycle([`cursor-${n}`, `watched since: ${n}`], n);
    case "meta.value":
      return n === 0 ? json({ items: [{ kind: "look", id: "1-1" }], alone: { kind: "start", id: "2" } }) : `${n}`;
    case "effects.kind":
      return cycle(EFFECTS, n);
    case "effects.error":
      return cycle(["the app is not installed there any more", "no", null], n);
    case "effects.key":
      return `1-${n}-${cycle(EFFECTS, n)}`;
    case "effects.payload_json":
      return json({ commentId: 11, given: [{ act: json({ kind: "command", commentId: 12 }) }] });
    case "pulls.facts_json":
      return json({ state: "open", updatedAt: 1_796_074_645_000 + n, acts: [{ reviewId: 19_000_000_000 + n }] });
    case "pulls.evaluation_json":
      return which === 3
        ? null
        : json({ dueAt: which === 0 ? null : 1_796_074_645_000, held: which === 1 ? held : null });
    case "started_runs.detail_json":
      return json({ check: which === 3 ? null : { id: which === 0 ? 0 : 7 } });
  }
  if (column === "status") return cycle(["done", "pending", "dead"], n);
  if (column === "state") return cycle(["done", "queued", "waiting"], n);
  if (column === "open" || column === "held" || column === "private") return n % 2;
  if (column === "payload") return json({ installation: which === 0 ? null : { id: 100 + n } });
  if (column.endsWith("_json")) return json({ v: 0, n });
  return isText ? `${column}-${n}` : column.endsWith("_at") ? 1_796_074_645_000 + n : n + 1;
}

function mayBeNull({ name, isNullable }: { readonly name: string; readonly isNullable: boolean }): boolean {
  return isNullable && !NEVER_NULL.has(name);
}

async function fill(db: Kysely<Rows>, first: number): Promise<void> {
  for (const { name, columns } of await tablesOf(db)) {
    const given = columns.filter((column) => !column.isAutoIncrementing);
    const rows = Array.from({ length: ROWS }, (_, index) => first + index).map((n) =>
      Object.fromEntries(
        given.map((column) => {
          // Every second row has nothing where nothing may be.
          const left = mayBeNull(column) && n % 2 === 1 && !["error", "evaluation_json"].includes(column.name);
          return [column.name, left ? null : value(name, column.name, column.dataType.toLowerCase() === "text", n)];
        }),
      ),
    );
    await db.insertInto(name).values(rows).execute();
  }
}

/** Tables, columns, indexes and all rows, each table's in one order. */
async function stored(db: Kysely<Rows>) {
  const tables = await tablesOf(db);
  const all = await Promise.all(
    tables.map(async ({ name, columns }) => {
      const rows = await db.selectFrom(name).selectAll().execute();
      const inOrder = rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
      const named = columns.map((column) => `${column.name}${mayBeNull(column) ? "?" : ""}`);
      return [name, { columns: named.sort(), rows: inOrder.sort() }] as const;
    }),
  );
  const { rows: indexes } = isShared(db)
    ? await sql<{ name: string }>`select indexname as name from pg_indexes
        where schemaname = 'public' and indexdef not like '%UNIQUE%'`.execute(db)
    : await sql<{ name: string }>`select name from sqlite_master where type = 'index' and sql is not null`.execute(db);
  return { tables: Object.fromEntries(all), indexes: indexes.map(({ name }) => name).sort() };
}

it("makes of each version's rows the same on every database, and numbers go on where they were", async () => {
  const blank = await Promise.all(DATABASES.map((kind) => kind.blank()));
  const databases = blank.map(({ url }) => open(url));
  for (const [index, version] of NAMES.entries()) {
    const [sqlite, postgres] = await Promise.all(
      databases.map(async (db) => {
        await migrate(db, version);
        const before = await stored(db);
        await fill(db, index * ROWS);
        return { before, after: await stored(db) };
      }),
    );
    expect(postgres, version).toEqual(sqlite);
    expect(sqlite?.before.tables, version).toMatchObject({
      pulls: { rows: { length: index * ROWS } },
      effects: { rows: { length: index * ROWS } },
      deliveries: { rows: { length: index * ROWS } },
    });
  }
  await Promise.all(databases.map((db) => db.destroy()));
  const at = { id: "new", event: "ping", payload: "{}", key: "k", receivedAt: 1 };
  const [sqlite, postgres] = await Promise.all(
    blank.map(async ({ url }) => {
      const store = await openStore(url);
      const accepted = await store.acceptDeliveries([at]);
      const counts = await store.counts.all(1_900_000_000_000);
      await store.close();
      return { accepted, counts };
    }),
  );
  expect(postgres).toEqual(sqlite);
  expect(sqlite?.accepted).toMatchObject([{ seq: NAMES.length * ROWS + 1 }]);
  for (const { remove } of blank) remove();
});
