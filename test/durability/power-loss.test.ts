/**
 * A machine that loses its power. With WAL and `synchronous = FULL` a commit's frames are synced before it returns, and
 * the database's own file is written after the log was: so what is cut off beyond the last answered commit holds nothing
 * that was answered, and what a checkpoint wrote and the disk did not keep still stands in the log. The process that
 * writes is stopped at random moments, and its files are copied as they are then.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openStore } from "../../app/store/open.ts";
import { Random } from "../simulation/random.ts";

const COPIES = 6;
const SEED = 5;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;
/** In the shared memory: the salt of the log as it goes on, and how many of its frames may stand in the database's own file. */
const SALT_AT = 32;
const BACKFILLED_AT = 128;

interface Copy {
  readonly database: Buffer;
  readonly log: Buffer;
  /** Where in the log commits end; the last may not be whole. */
  readonly commits: readonly number[];
  /** Up to here the log may be in the database's own file. */
  readonly backfilled: number;
  /** The log's own number: another one when it was begun anew. */
  readonly salt: string;
  readonly answered: readonly string[];
}

let directory = "";
let child: ChildProcess;
const answered: string[] = [];

beforeEach(async () => {
  answered.length = 0;
  directory = mkdtempSync(join(tmpdir(), "stagewright-power-"));
  const words = [join(import.meta.dirname, "accept-and-handle.ts"), `sqlite:${join(directory, "app.db")}`, `${SEED}`];
  child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    answered.push(...lines);
  });
  await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
});
afterEach(async () => {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

it("loses no delivery that was answered, wherever the log ends", async () => {
  const random = new Random(SEED);
  const copies: Copy[] = [];
  for (let nth = 0; nth < COPIES; nth += 1) {
    await sleep(random.between(10, 120));
    copies.push(await copy());
  }
  let within = 0;
  for (const [nth, each] of copies.entries()) {
    expect(await missing(each, each.database, each.log.length), `copy ${nth}`).toEqual([]);
    // From the end of the last answered commit on, in the midst of a frame or not.
    const needed = await lastNeeded(each);
    const cut = random.between(needed, each.log.length);
    within += cut > needed && cut < each.log.length ? 1 : 0;
    expect(await missing(each, each.database, cut), `copy ${nth} cut at ${cut}`).toEqual([]);
    const before = copies[nth - 1];
    if (before?.salt === each.salt) {
      expect(await missing(each, before.database, each.log.length), `copy ${nth} with an older file`).toEqual([]);
    }
  }
  expect(copies.at(-1)?.answered.length).toBeGreaterThan(COPIES);
  expect(within).toBeGreaterThan(0);
});

it("is whole and holds all up to some commit where a disk forgot what it had said to be written", async () => {
  const random = new Random(SEED + 1);
  let shorter = 0;
  for (let nth = 0; nth < COPIES; nth += 1) {
    await sleep(random.between(10, 120));
    const each = await copy();
    const cut = random.between(each.backfilled, each.log.length);
    const left = await missing(each, each.database, cut);
    shorter += left.length > 0 ? 1 : 0;
    // What is missing is what came last.
    expect(left).toEqual(each.answered.slice(each.answered.length - left.length));
  }
  expect(shorter).toBeGreaterThan(0);
});

it("opens where the very first start was cut off", async () => {
  const file = join(directory, "new.db");
  const store = await openStore(`sqlite:${file}`);
  const [database = Buffer.alloc(0), log = Buffer.alloc(0)] = [file, `${file}-wal`].map((each) => readFileSync(each));
  await store.close();
  const { commits } = commitsIn(log);
  expect(commits.length).toBeGreaterThan(1);
  for (const end of [WAL_HEADER, ...commits, ...commits.map((each) => each - 1)]) {
    await missing({ log, answered: [] }, database, end);
  }
});

/** The files as they are at this moment, and what had been answered by then. */
async function copy(): Promise<Copy> {
  child.kill("SIGSTOP");
  while (!/^\d+ \(.*\) T /u.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) await sleep(1);
  // What it has printed is read.
  await sleep(10);
  const at = join(directory, "app.db");
  const [database, log, memory] = [at, `${at}-wal`, `${at}-shm`].map((file) => readFileSync(file));
  const told = [...answered];
  child.kill("SIGCONT");
  if (database === undefined || log === undefined || memory === undefined) throw new Error("three files");
  const { frame, salt, commits } = commitsIn(log);
  // Once all of it is there the log is begun anew: at first in memory alone.
  const whole = !memory.subarray(SALT_AT, SALT_AT + salt.length).equals(salt);
  const backfilled = whole ? log.length : WAL_HEADER + memory.readUInt32LE(BACKFILLED_AT) * frame;
  return { database, log, commits, backfilled, salt: salt.toString("hex"), answered: told };
}

/** Where in a log commits end. */
function commitsIn(log: Buffer) {
  const frame = FRAME_HEADER + log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  const commits: number[] = [];
  for (let start = WAL_HEADER; start + frame <= log.length; start += frame) {
    if (!log.subarray(start + 8, start + 16).equals(salt)) break;
    if (log.readUInt32BE(start + 4) > 0) commits.push(start + frame);
  }
  return { frame, salt, commits };
}

/** Where the log may end without anything that was answered being lost: the first such commit, by halves. */
async function lastNeeded(each: Copy): Promise<number> {
  const ends = each.commits.filter((end) => end >= each.backfilled);
  let [from, to] = [0, ends.length - 1];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const holdsAll = (await missing(each, each.database, ends[middle] ?? 0)).length === 0;
    if (holdsAll) to = middle;
    else from = middle + 1;
  }
  return ends[from] ?? each.log.length;
}

/** What was answered and is not there when the files are opened so, as the app opens them. @throws when they are not whole */
async function missing(
  { log, answered: ids }: Pick<Copy, "log" | "answered">,
  database: Buffer,
  cut: number,
): Promise<string[]> {
  const folder = mkdtempSync(join(directory, "copy-"));
  const file = join(folder, "app.db");
  writeFileSync(file, database);
  writeFileSync(`${file}-wal`, log.subarray(0, cut));
  const store = await openStore(`sqlite:${file}`);
  const known = await store.knownDeliveries(ids);
  await store.close();
  const raw = new DatabaseSync(file);
  const whole = raw.prepare("PRAGMA integrity_check").all();
  raw.close();
  rmSync(folder, { recursive: true });
  expect(whole).toEqual([{ integrity_check: "ok" }]);
  return ids.filter((id) => !known.has(id));
}
