/** What the app and the sandbox leave on a disk can be read by their own user alone. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OpenToOthers } from "../../app/store/database/private-files.ts";
import { holdDatabase } from "../../app/store/database/process-lock.ts";
import { openStore } from "../../app/store/open.ts";
import { writePrivateFile } from "../../src/private-file.ts";

const denied = vi.hoisted(() => new Set<string>());
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  // As it is for who does not own the file; tests run as root, who may do anything.
  const chmod: typeof fs.chmodSync = (path, mode) => {
    if (denied.has(String(path))) throw new Error(`EPERM: operation not permitted, chmod '${path}'`);
    fs.chmodSync(path, mode);
  };
  return { ...fs, chmodSync: chmod };
});

let directory: string;
let umask: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stagewright-rest-"));
  umask = process.umask(0o022);
});
afterEach(() => {
  process.umask(umask);
  denied.clear();
  rmSync(directory, { recursive: true, force: true });
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
/** Name and mode of all that is in a folder. */
const modes = (folder: string) => readdirSync(folder).map((name) => `${modeOf(join(folder, name))} ${name}`);

describe("the database", () => {
  it("is made for its user alone, with its folders, its lock and what SQLite keeps beside it", async () => {
    const url = `sqlite:${join(directory, "new/data/app.db")}`;
    const sole = holdDatabase(url, 1);
    const store = await openStore(url);
    expect(modes(join(directory, "new/data"))).toEqual([
      "600 app.db",
      "600 app.db-shm",
      "600 app.db-wal",
      "600 app.db.lock",
    ]);
    expect([modeOf(join(directory, "new")), modeOf(join(directory, "new/data"))]).toEqual(["700", "700"]);
    await store.close();
    sole.release();
  });

  it("that an earlier version left readable is closed to others; a shared folder stays as it is", async () => {
    const folder = join(directory, "shared");
    mkdirSync(folder);
    const before = new DatabaseSync(join(folder, "app.db"));
    before.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1);");
    new DatabaseSync(join(folder, "app.db.lock")).exec("CREATE TABLE t (x);");
    // By another name, too.
    symlinkSync(join(folder, "app.db"), join(directory, "link.db"));
    expect(modes(folder)).toContain("644 app.db-wal");
    const url = `sqlite:${join(directory, "link.db")}`;
    const sole = holdDatabase(url, 1);
    const store = await openStore(url);
    expect(modes(folder).filter((each) => !each.startsWith("600 "))).toEqual([]);
    expect(modeOf(folder)).toBe("755");
    await store.close();
    sole.release();
    before.close();
  });

  it("is refused where it cannot be closed to others, with what to do about it", async () => {
    const file = join(directory, "app.db");
    writeFileSync(file, "");
    denied.add(file);
    expect(() => holdDatabase(`sqlite:${file}`, 1)).toThrow(OpenToOthers);
    expect(() => holdDatabase(`sqlite:${file}`, 1)).toThrow(
      /app\.db is open to other users of this machine \(mode 644\).*EPERM.*DATABASE_URL/u,
    );
    expect(readdirSync(directory)).toEqual(["app.db"]);
  });
});

describe("a file with secrets", () => {
  it("is closed to others, also where it was there before", () => {
    const [fresh, known] = [join(directory, "new.env"), join(directory, "old.env")];
    writeFileSync(known, "LONGER_THAN_BEFORE=1\n");
    chmodSync(known, 0o666);
    for (const file of [fresh, known]) {
      writePrivateFile(file, "A=1\n");
      expect(`${modeOf(file)} ${statSync(file).size}`).toBe("600 4");
    }
  });
});
