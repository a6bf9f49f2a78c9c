/** The databases on which the store's contract holds: suites run over each of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptiedPostgres } from "../../postgres/postgres.ts";

export interface EmptyDatabase {
  /** As `openStore` takes it; it may be opened several times. */
  readonly url: string;
  /** To be called when all stores over it are closed. */
  remove(): void;
}

export const DATABASES: readonly { readonly name: string; empty(): Promise<EmptyDatabase> }[] = [
  {
    name: "SQLite",
    empty: async () => {
      const directory = mkdtempSync(join(tmpdir(), "stagewright-store-"));
      const remove = (): void => rmSync(directory, { recursive: true, force: true });
      return { url: `sqlite:${join(directory, "test.db")}`, remove };
    },
  },
  { name: "PostgreSQL", empty: async () => ({ url: await emptiedPostgres(), remove: () => undefined }) },
];
