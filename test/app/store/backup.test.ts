/** Copies of the database: made while the app runs, put back while it does not, and read through each time. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { backUpDatabase, checkDatabase, restoreDatabase } from "../../../app/store/database/backup.ts";
import { holdDatabase } from "../../../app/store/database/process-lock.ts";
import { openStore } from "../../../app/store/open.ts";
import { addLabelsByName, asUser, commitFiles, labelsOn, openPull } from "../../../src/sandbox/world/index.ts";
import { openBeside } from "../../beside.ts";
import { program } from "../../programs.ts";
import { registerApp, told } from "../registered-app.ts";
import { endAll } from "../server-process.ts";

let directory: string;
let file: string;
let url: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-backup-"));
  file = join(directory, "app.db");
  url = `sqlite:${file}`;
});
afterEach(endAll);
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const db = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program("app/backup/db.ts"), ...words], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  });
  return { status, stdout, stderr };
};
const change = (sql: string): void => {
  const database = openBeside(file);
  database.exec(sql);
  database.close();
};

describe("a copy", () => {
  it("is of one moment while the app writes, whole, and for its user alone", async () => {
    const store = await openStore(url);
    await store.setMeta("before", "1");
    const lock = holdDatabase(url, 0);
    const copy = join(directory, "copy.db");
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written += 1) await store.setMeta(`during ${written}`, "1");
    })();
    const found = await backUpDatabase(url, copy);
    await writing;
    expect(found).toMatchObject({ path: copy, problems: [] });
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).filter((name) => name.startsWith("copy.db"))).toEqual(["copy.db"]);
    await expect(backUpDatabase(url, copy)).rejects.toThrow("is there already");
    await expect(restoreDatabase(url, copy, 0)).rejects.toThrow("in use by another process");
    await store.setMeta("after", "1");
    await store.close();
    lock.release();

    const { before } = await restoreDatabase(url, copy, 0);
    const restored = await openStore(url);
    expect([await restored.meta("before"), await restored.meta("after")]).toEqual(["1", null]);
    await restored.close();
    const kept = await openStore(`sqlite:${before}`);
    expect(await kept.meta("after")).toBe("1");
    await kept.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("of what cannot be gone on with is neither made nor put back, and what is there stays", async () => {
    await (await openStore(url)).close();
    const copy = join(directory, "copy.db");
    await backUpDatabase(url, copy);
    const whole = readFileSync(copy);
    writeFileSync(copy, whole.subarray(0, whole.length / 2));
    await expect(restoreDatabase(url, copy, 0)).rejects.toThrow(/malformed|no database to go on with/);
    writeFileSync(copy, "x".repeat(5_000));
    await expect(restoreDatabase(url, copy, 0)).rejects.toThrow(/not a database/);
    await expect(restoreDatabase(url, file, 0)).rejects.toThrow("is the database itself");
    await expect(restoreDatabase(url, join(directory, "absent.db"), 0)).rejects.toThrow("There is no database");
    expect(checkDatabase(file).problems).toEqual([]);
    expect(existsSync(`${file}.restoring`)).toBe(false);
  });
});

describe("a check", () => {
  beforeEach(async () => {
    await (await openStore(url)).close();
  });

  it.each([
    [
      "lacks rows that others belong to",
      "PRAGMA foreign_keys = OFF; INSERT INTO later VALUES (7)",
      /belongs to one of meta that is not there/,
    ],
    [
      "was changed by a newer version",
      "INSERT INTO kysely_migration VALUES ('9999-x-breaking', '')",
      /9999-x-breaking/,
    ],
    [
      "holds documents of a newer version",
      `INSERT INTO effects (key, repository_id, number, installation_id, kind, payload_json, status, version, tries, next_at)
       VALUES ('k', 1, 1, 1, 'comment', '{"v":99}', 'done', 1, 0, 0)`,
      /1 documents \(effect\) are of version 99/,
    ],
    ["is another program's", "DROP TABLE kysely_migration", /no database of this app/],
  ])("says that it %s", (_, sql, problem) => {
    change("CREATE TABLE later (key TEXT REFERENCES meta (key))");
    change(sql);
    expect(checkDatabase(file).problems.join("\n")).toMatch(problem);
  });
});

describe("a database that a newer version has brought up to date", () => {
  it("is gone on with, unless that version says that it cannot be", async () => {
    await (await openStore(url)).close();
    change("INSERT INTO kysely_migration VALUES ('9998-later', '2030'); ALTER TABLE meta ADD COLUMN later TEXT");
    const store = await openStore(url);
    await store.setMeta("key", "value");
    expect(await store.meta("key")).toBe("value");
    await store.close();
    change("INSERT INTO kysely_migration VALUES ('9999-later-breaking', '2030')");
    await expect(openStore(url)).rejects.toThrow(/newer version of the app .*9999-later-breaking.* restore a backup/);
  });
});

describe("stagewright db", () => {
  it.runIf(process.getuid?.() === 0)("is not put by root where the app's user could not open it", async () => {
    const copy = join(directory, "copy.db");
    await (await openStore(url)).close();
    await backUpDatabase(url, copy);
    chownSync(file, 65_534, 65_534);
    await expect(restoreDatabase(url, copy, 0)).rejects.toThrow("run this as that user (sudo -u '#65534' …)");
    rmSync(file);
    chownSync(directory, 65_534, 65_534);
    await expect(restoreDatabase(url, copy, 0)).rejects.toThrow("run this as that user");
    expect(existsSync(file)).toBe(false);
    chownSync(directory, 0, 0);
    expect((await restoreDatabase(url, copy, 0)).before).toBeNull();
  });

  it("ends with what became of it, and says for PostgreSQL what to do", async () => {
    await (await openStore(url)).close();
    const copy = join(directory, "copy.db");
    expect(db("backup", copy)).toMatchObject({ status: 0, stdout: expect.stringContaining("copy.db: written;") });
    expect(db("backup", copy)).toMatchObject({ status: 1, stderr: expect.stringContaining("is there already") });
    expect(db("check")).toMatchObject({ status: 0, stdout: expect.stringContaining("app.db: whole;") });
    expect(db("restore", copy)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("what was there before is"),
    });
    expect(db("destroy")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("expected backup, restore or check"),
    });
    url = "postgres://me:hunter2@db/app";
    const postgres = db("backup", copy);
    expect(postgres).toMatchObject({ status: 2, stderr: expect.stringContaining("pg_dump --format=custom") });
    expect(postgres.stderr).not.toContain("hunter2");
  });
});

it("put back, is reconciled with GitHub when the app starts: what moved since shows its right stage", async () => {
  const registered = await registerApp();
  const { sandbox, repository, rex, port } = registered;
  const { world } = sandbox;
  url = registered.env.DATABASE_URL ?? "";
  const row = z.object({ stage: z.string().nullable() });
  const stage = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/pulls/acme/widget/${pull.number}`).catch(() => null);
    return answer?.ok === true ? `${row.parse(await answer.json()).stage}` : "";
  };
  const first = registered.start();
  await told(first, /^200/, registered.readiness);
  commitFiles(world, asUser(rex), repository, { branch: "gadget", message: "Add", files: { "g.txt": "1\n" } });
  const pull = openPull(world, asUser(rex), repository, { title: "Gadget", head: "gadget", base: "main" });
  await told(first, /^pr-created$/, stage);
  const copy = join(directory, "copy.db");
  expect(db("backup", copy).status).toBe(0);
  addLabelsByName(world, asUser(rex), pull, ["ready-for-qa"]);
  await told(first, /^ready-for-qa$/, stage);
  expect(db("restore", copy)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("in use by another process"),
  });
  first.child.kill("SIGTERM");
  await once(first.child, "exit");
  expect(db("restore", copy).status).toBe(0);
  const restored = await openStore(url);
  expect((await restored.pull({ repositoryId: repository.id, number: pull.number }))?.confirmed?.stage).toBe(
    "pr-created",
  );
  await restored.close();
  // What events have told in the last minute is believed against GitHub's answers: the copy is older than that.
  const later = "const now = Date.now; Date.now = () => now() + 75_000";
  const second = registered.start({
    PRIVATE_KEY: registered.privateKey,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(later)}`,
  });
  await told(second, /^ready-for-qa$/, stage);
  expect(labelsOn(world, pull).map((label) => label.name)).toEqual(expect.arrayContaining(["stage/ready-for-qa"]));
  await endAll();
  await registered.close();
}, 240_000);
