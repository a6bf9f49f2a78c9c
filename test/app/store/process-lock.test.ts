/** One process for each database, whatever becomes of the one before. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DatabaseInUse, holdDatabase } from "../../../app/store/database/process-lock.ts";
import { DatabaseUrlError } from "../../../app/store/open.ts";
import { endAll, freePort, healthy, PRIVATE_KEY, SECRET, type Started, startServer } from "../server-process.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-sole-"));
});
afterEach(async () => {
  await endAll();
  rmSync(directory, { recursive: true, force: true });
});

interface OnPort extends Started {
  readonly port: number;
}

async function start(database: string): Promise<OnPort> {
  const port = await freePort();
  const env = { APP_ID: "1", PRIVATE_KEY, WEBHOOK_SECRET: SECRET, GHE_HOST: "127.0.0.1:1", GHE_PROTOCOL: "http" };
  return {
    ...startServer(directory, { ...env, HOST: "127.0.0.1", PORT: `${port}`, DATABASE_URL: `sqlite:${database}` }),
    port,
  };
}
const up = (app: OnPort) => healthy(app.port, app);
const exit = async ({ child }: Started): Promise<number | null> =>
  child.exitCode ?? (await once(child, "exit").then(([code]) => code));

describe("a second process on one database", () => {
  it("does not start, and says which process has it; the first goes on", async () => {
    mkdirSync(join(directory, "data"));
    const first = await start("data/app.db");
    await up(first);
    symlinkSync(join(directory, "data"), join(directory, "other"));
    // The same file by another name, too.
    for (const name of ["data/app.db", join(directory, "data", "app.db"), "other/app.db"]) {
      const second = await start(name);
      expect(await exit(second), second.output()).toBe(1);
      expect(second.output()).toMatch(
        new RegExp(
          `is in use by another process \\(process ${first.child.pid} on \\S+, since \\d{4}-.*DATABASE_URL`,
          "u",
        ),
      );
      expect(second.output()).not.toMatch(/\n {4}at /u);
    }
    await up(first);
  }, 60_000);

  it("starts at once after the first was killed, and after it was stopped", async () => {
    const first = await start("app.db");
    await up(first);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = await start("app.db");
    await up(second);
    second.child.kill("SIGTERM");
    expect(await exit(second), second.output()).toBe(0);
    await up(await start("app.db"));
  }, 60_000);

  it("does not start while the first is only asleep: what lives may wake up", async () => {
    const first = await start("app.db");
    await up(first);
    first.child.kill("SIGSTOP");
    const second = await start("app.db");
    expect(await exit(second), second.output()).toBe(1);
    first.child.kill("SIGCONT");
    await up(first);
  }, 60_000);

  it("is one of them, when several begin at once", async () => {
    const apps = await Promise.all(Array.from({ length: 4 }, () => start("app.db")));
    const outcomes = await Promise.all(
      apps.map((app) => Promise.race([up(app).then(() => "up"), exit(app).then((code) => `exit ${code}`)])),
    );
    expect([...outcomes].sort()).toEqual(["exit 1", "exit 1", "exit 1", "up"]);
  }, 120_000);

  it("starts where the database is another one", async () => {
    const [one, other] = [await start("one.db"), await start("other.db")];
    await Promise.all([up(one), up(other)]);
  }, 60_000);
});

describe("the hold on a database", () => {
  it("is one at a time within a process, too, until it is released", () => {
    const url = `sqlite:${join(directory, "deep", "app.db")}`;
    const held = holdDatabase(url, 1_000);
    expect(() => holdDatabase(url, 2_000)).toThrow(DatabaseInUse);
    expect(() => holdDatabase(url, 2_000)).toThrow(`process ${process.pid}`);
    expect(() => holdDatabase(url, 2_000)).toThrow("1970-01-01T00:00:01.000Z");
    held.release();
    held.release();
    const again = holdDatabase(url, 3_000);
    expect(() => holdDatabase(url, 4_000)).toThrow("1970-01-01T00:00:03.000Z");
    again.release();
  });

  it("is nobody's where the database is in memory, and a wrong setting is told as one", () => {
    holdDatabase("sqlite::memory:", 1).release();
    const [one, other] = [holdDatabase("sqlite::memory:", 1), holdDatabase("sqlite::memory:", 1)];
    one.release();
    other.release();
    expect(() => holdDatabase("mysql://x", 1)).toThrow(DatabaseUrlError);
  });
});
