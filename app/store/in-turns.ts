/** A page of what is due, in turns by what it belongs to: one with many does not keep the others waiting. */
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Tables } from "./schema.ts";

export interface TurnsQuery {
  readonly table: "effects";
  /** The column that tells whose turn it is; there is an index that begins with `within`, this and `at`. */
  readonly by: "repository_id";
  readonly at: "next_at";
  /** In the words of that index, which holds only what waits. */
  readonly waits: RawBuilder<unknown>;
  readonly until: number;
  readonly limit: number;
}

/**
 * At most `limit` of what is due, first one of each, the longest due first, then the second of each, and so on.
 * `page` reads the first of one of them. Costs what it returns and one step in the index for each that has something
 * waiting, however much that is.
 */
export async function dueInTurns<T>(
  db: Kysely<Tables>,
  turns: TurnsQuery,
  page: (of: number, limit: number) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const { table, by, at, waits, until, limit } = turns;
  const [from, key, due] = [sql.table(table), sql.ref(by), sql.ref(at)];
  const { rows: waiting } = await sql<{ key: number }>`
    with recursive waiting(key) as (
      select min(${key}) from ${from} where ${waits}
      union all
      select (select min(${key}) from ${from} where ${waits} and ${key} > waiting.key) from waiting
      where waiting.key is not null
    ), first(key, due) as (
      select key, (select min(${due}) from ${from} where ${waits} and ${key} = waiting.key) from waiting
      where key is not null
    )
    select key from first where due <= ${until} order by due limit ${limit}`.execute(db);
  const share = Math.ceil(limit / Math.max(1, waiting.length));
  let pages = await Promise.all(waiting.map(({ key: of }) => page(of, share)));
  if (pages.reduce((sum, { length }) => sum + length, 0) < limit) {
    pages = await Promise.all(
      pages.map(async (read, index) => (read.length < share ? read : await page(waiting[index]?.key ?? 0, limit))),
    );
  }
  const longest = Math.max(0, ...pages.map(({ length }) => length));
  const inOrder: T[] = [];
  for (let turn = 0; turn < longest && inOrder.length < limit; turn += 1) {
    inOrder.push(...pages.flatMap((read) => read.slice(turn, turn + 1)));
  }
  return inOrder.slice(0, limit);
}
