/**
 * Migrations that a newer version of the app has made. They only add columns and tables, so this version goes on beside
 * them; one that does more says so at the end of its name.
 */
import type { Migration } from "kysely";
import { MIGRATIONS } from "../migrations/index.ts";

/** At the end of its name: versions that do not know it must not use the database. */
const BREAKING = /-breaking$/u;

/** `applied`: names. `breaking`: the first of them that this version cannot go on with; null: none. */
export function unknownMigrations(applied: readonly string[]): {
  readonly known: Readonly<Record<string, Migration>>;
  readonly breaking: string | null;
} {
  const unknown = applied.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  return {
    // Kysely takes a database for damaged where a migration is applied that it is not given.
    known: { ...MIGRATIONS, ...Object.fromEntries(unknown.map((name) => [name, NOTHING])) },
    breaking: unknown.find((name) => BREAKING.test(name)) ?? null,
  };
}

const NOTHING: Migration = { up: async () => undefined };
