/** A database of the time before there were columns for when a pull request is due, since when it is closed, or for codes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely, Migrator } from "kysely";
import { afterEach, expect, it } from "vitest";
import { sqliteDialect } from "../../../app/store/database/sqlite.ts";
import { MIGRATIONS } from "../../../app/store/migrations/index.ts";
import { openStore } from "../../../app/store/open.ts";

const directory = mkdtempSync(join(tmpdir(), "stagewright-ages-"));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("learns from what is stored which are overdue and which are closed, and since when", async () => {
  const file = join(directory, "app.db");
  const before = new Kysely<Record<"repositories" | "pulls" | "effects", Record<string, string | number | null>>>({
    dialect: sqliteDialect(file),
  });
  const { "0008-ages": _, ...earlier } = MIGRATIONS;
  const { error } = await new Migrator({
    db: before,
    provider: { getMigrations: async () => earlier },
  }).migrateTo("0007-holds");
  expect(error).toBeUndefined();
  await before
    .insertInto("repositories")
    .values({
      id: 1,
      node_id: "R_1",
      installation_id: 5,
      owner: "acme",
      name: "widget",
      full_name: "acme/widget",
      default_branch: "main",
      private: 0,
    })
    .execute();
  const held = { why: "command", at: 1, by: null, reason: "" };
  const spent = [{ label: "ready-for-qa", stage: "qa" }];
  const rows = [
    { number: 1, state: "open", evaluation: { dueAt: 500, held: null, stage: "qa", since: 400 } },
    { number: 2, state: "open", evaluation: { dueAt: 500, held } },
    { number: 3, state: "open", evaluation: { dueAt: null, held: null, spent } },
    { number: 4, state: "open", evaluation: null },
    { number: 5, state: "closed", evaluation: { dueAt: 500, held: null } },
    { number: 6, state: "closed", evaluation: null },
  ];
  await before
    .insertInto("pulls")
    .values(
      rows.map(({ number, state, evaluation }) => ({
        repository_id: 1,
        number,
        installation_id: 5,
        version: 1,
        facts_json: JSON.stringify({ title: `No. ${number}`, state, updatedAt: number * 1_000 }),
        open: state === "open" ? 1 : 0,
        head_sha: "a",
        stage: null,
        shown_json: null,
        evaluation_json: evaluation === null ? null : JSON.stringify(evaluation),
        look_at: null,
        look_tries: 0,
        intent_json: null,
        intent_at: null,
        blocked_json: null,
      })),
    )
    .execute();
  const effect = {
    repository_id: 1,
    installation_id: 5,
    kind: "comment",
    payload_json: "{}",
    status: "dead",
    tries: 1,
  };
  const given = { ...effect, next_at: 1, result_json: null, done_at: 2 };
  const [absent, other] = ["the app is not installed there any more", "Not Found"];
  await before
    .insertInto("effects")
    .values([absent, other].map((error, index) => ({ ...given, key: `${index}`, number: 1, error })))
    .execute();
  await before.destroy();

  const store = await openStore(`sqlite:${file}`);
  expect(await store.counts.overdue(1_000, 10)).toEqual([
    { repositoryId: 1, number: 1, owner: "acme", name: "widget", title: "No. 1", stage: "qa", since: 400, dueAt: 500 },
  ]);
  expect(await store.effectsOf({ repositoryId: 1, number: 1 })).toMatchObject([
    { error: absent, errorCode: "not_installed" },
    { error: other, errorCode: null },
  ]);
  expect(await store.counts.overdue(499, 10)).toEqual([]);
  const third = await store.pull({ repositoryId: 1, number: 3 });
  expect(third?.evaluation).toMatchObject({ usedLabels: spent, notApplying: [], people: true });
  expect(await store.counts.all(1_000)).toMatchObject({ stages: [{ stage: null, count: 4 }], overdue: 1 });
  expect(await store.forget.pulls(5_000)).toBe(0);
  expect(await store.forget.pulls(6_001, 1)).toBe(1);
  expect(await store.pull({ repositoryId: 1, number: 5 })).toBeNull();
  expect(await store.forget.pulls(6_001)).toBe(1);
  expect(await store.forget.pulls(Number.MAX_SAFE_INTEGER)).toBe(0);
  await store.close();
});
