/** What the last process had in progress is called as everything else that handles it. */
import type { Kysely, Migration } from "kysely";
import { z } from "zod";

const KINDS: Readonly<Record<string, string>> = {
  look: "reevaluation",
  move: "transition",
  start: "workflow-run",
  gate: "deployment-gate",
};
const item = z
  .looseObject({ kind: z.string() })
  .transform(({ kind, ...rest }) => ({ ...rest, kind: KINDS[kind] ?? kind }));
const stored = z.object({ items: z.array(item), alone: item.nullable() });

export const migration: Migration = {
  up: async (db: Kysely<{ meta: { key: string; value: string } }>) => {
    const row = await db.selectFrom("meta").select("value").where("key", "=", "in-hand").executeTakeFirst();
    if (row === undefined) return;
    const value = JSON.stringify(stored.parse(JSON.parse(row.value)));
    await db.updateTable("meta").set({ key: "in-progress", value }).where("key", "=", "in-hand").execute();
  },
};
