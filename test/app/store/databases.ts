/** The databases on which the store's contract holds: suites run over each of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBeside } from "../../beside.ts";
import { emptiedPostgres, sharedPostgres, withPostgres } from "../../postgres/postgres.ts";

export interface EmptyDatabase {
  /** As `openStore` takes it; it may be opened several times. */
  readonly url: string;
  /** Past the store. */
  execute(sql: string): Promise<void>;
  /** To be called when all stores over it are closed. */
  remove(): void;
}

export interface DatabaseKind {
  readonly name: "SQLite" | "PostgreSQL";
  /** With all tables, or as `openStore` makes them, and nothing in them. */
  empty(): Promise<EmptyDatabase>;
  /** Without any tables. */
  blank(): Promise<EmptyDatabase>;
}

export const DATABASES: readonly DatabaseKind[] = [
  { name: "SQLite", empty: async () => sqliteFile(), blank: async () => sqliteFile() },
  {
    name: "PostgreSQL",
    empty: async () => of(await emptiedPostgres()),
    blank: async () => of(await (await sharedPostgres()).blank()),
  },
];

function sqliteFile(): EmptyDatabase {
  const directory = mkdtempSync(join(tmpdir(), "stagewright-store-"));
  const file = join(directory, "test.db");
  return {
    url: `sqlite:${file}`,
    execute: async (sql) => {
      const database = openBeside(file);
      database.exec(sql);
      database.close();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** They go with the server. */
function of(url: string): EmptyDatabase {
  const execute = (sql: string): Promise<void> => withPostgres(url, async (client) => void (await client.query(sql)));
  return { url, execute, remove: () => undefined };
}
