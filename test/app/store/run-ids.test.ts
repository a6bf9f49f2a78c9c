/** A database of the time when ids of runs, reviews, comments and check runs were numbers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely as Database, type Kysely, Migrator, sql } from "kysely";
import { afterEach, expect, it } from "vitest";
import { sqliteDialect } from "../../../app/store/database/sqlite.ts";
import { MIGRATIONS } from "../../../app/store/migrations/index.ts";
import { openStore } from "../../../app/store/open.ts";

const directory = mkdtempSync(join(tmpdir(), "stagewright-run-ids-"));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function insert(db: Kysely<unknown>, table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
  const names = Object.keys(row).map((name) => sql.ref(name));
  const values = Object.values(row).map((value) =>
    sql.value(typeof value === "object" && value !== null ? JSON.stringify(value) : value),
  );
  await sql`insert into ${sql.table(table)} (${sql.join(names)}) values (${sql.join(values)})`.execute(db);
}

it("finds again by their text what it had kept by number", async () => {
  const file = join(directory, "app.db");
  const before = new Database<unknown>({ dialect: sqliteDialect(file) });
  const earlier = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name < "0011"));
  const { error } = await new Migrator({
    db: before,
    provider: { getMigrations: async () => earlier },
  }).migrateToLatest();
  expect(error).toBeUndefined();
  const by = { kind: "user", id: 5, login: "cleo" };
  const common = { at: 1, by };
  const command = { ...common, id: "command:11:hold:", kind: "command", commentId: 11, command: "hold", argument: "" };
  const facts = {
    acts: [
      command,
      { ...common, id: "command:-3:hold:", kind: "command", commentId: -3, command: "hold", argument: "" },
      { ...common, id: "review:12", kind: "review", reviewId: 12, state: "approved", sha: "a" },
      { ...common, id: "plan:r@1", kind: "plan", plan: "p", run: "r", within: { workflow: "q.yml", runId: 13 } },
    ],
    runOrigins: [{ runId: 13, sha: "a", baseRef: null, origin: "started", detail: "" }],
  };
  const pull = {
    repository_id: 1,
    installation_id: 2,
    version: 1,
    facts_json: facts,
    open: 1,
    head_sha: "a",
    look_tries: 0,
  };
  for (let number = 1; number <= 450; number += 1) {
    await insert(before, "pulls", { ...pull, number });
  }
  const detail = (id: number) => ({
    occasion: "o",
    inputs: { id: "x" },
    check: { id, digest: "d", at: 1, completed: false },
  });
  const start = { repository_id: 1, number: 1, workflow: "q.yml", state: "running", queued_at: 1, news: 0 };
  await insert(before, "started_runs", { ...start, key: "a", run_id: 19_000_000_000, detail_json: detail(77) });
  await insert(before, "started_runs", { ...start, key: "b", run_id: null, detail_json: detail(0) });
  const gate = {
    repository_id: 1,
    environment: "qa",
    state: "waiting",
    asked_at: 1,
    news: 0,
    detail_json: { ref: "main" },
  };
  await insert(before, "waiting_gates", { ...gate, run_id: 19_000_000_001, next_at: 5 });
  const effect = { repository_id: 1, number: 1, installation_id: 2, status: "pending", tries: 0, next_at: 9 };
  const given = [{ command: { kind: "unknown" }, act: JSON.stringify(command) }];
  await insert(before, "effects", { ...effect, key: "k", kind: "answer", payload_json: { commentId: 11, given } });
  await before.destroy();

  const store = await openStore(`sqlite:${file}`);
  for (const number of [1, 200, 450]) {
    const read = await store.pull({ repositoryId: 1, number });
    expect(read?.facts.acts).toMatchObject([
      { id: "command:11:hold:", commentId: "11" },
      { commentId: "-3" },
      { reviewId: "12" },
      { within: { runId: "13" } },
    ]);
    expect(read?.facts.runOrigins).toMatchObject([{ runId: "13" }]);
  }
  expect(await store.starts.ofRun(1, "19000000000")).toMatchObject({
    key: "a",
    inputs: { id: "x" },
    check: { id: "77" },
  });
  expect(await store.starts.byKey("b")).toMatchObject({ runId: null, check: { id: null } });
  expect(await store.gates.ofRun(1, "19000000001")).toMatchObject([{ environment: "qa", nextAt: 5, ref: "main" }]);
  const [waiting] = await store.effectsOf({ repositoryId: 1, number: 1 });
  expect(waiting?.payload).toMatchObject({ commentId: "11" });
  expect(JSON.stringify(waiting?.payload)).toContain('\\"commentId\\":\\"11\\"');
  await store.gates.asked({ repositoryId: 1, runId: "9007199254740993", environment: "qa", ref: "", event: "push" }, 2);
  expect(await store.gates.ofRun(1, "9007199254740993")).toHaveLength(1);
  expect(await store.gates.ofRun(1, "9007199254740992")).toEqual([]);
  await store.close();
});
