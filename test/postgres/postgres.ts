/**
 * A real PostgreSQL server for tests, benches and trials, with nothing installed: started when it is first asked for, one
 * for a whole run of the tests, and gone with the process that began it, however that ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openStore } from "../../app/store/open.ts";

const FOLDER = "STAGEWRIGHT_TEST_POSTGRES";
const TEMPLATE = "stagewright_template";
/** Of PostgreSQL: two make the template at the same time. */
const TEMPLATE_LOCK = 1_410_001;

export interface Postgres {
  /** The URL of a new database with all tables, which hold nothing. */
  database(): Promise<string>;
  /** The URL of a new database without any tables. */
  blank(): Promise<string>;
  /** Starts it again where it was, on the same port. */
  start(): Promise<void>;
  /** In order: what goes on is undone, connections are ended. `kill`: as a crash ends it. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Stops it for good and removes what it stored. */
  close(): Promise<void>;
}

/** A server of one's own. `durable`: what was committed is synced to the disk, as a server of somebody's would. */
export async function startPostgres({ durable = false }: { readonly durable?: boolean } = {}): Promise<Postgres> {
  const { folder, keeper } = startKeeper(durable);
  const postgres = of(folder);
  await postgres.start();
  return {
    ...postgres,
    close: async () => {
      await ended(keeper);
    },
  };
}

/** The one that all tests of a run share: not to be stopped. */
export async function sharedPostgres(): Promise<Pick<Postgres, "database" | "blank">> {
  const folder = process.env[FOLDER];
  if (folder === undefined) {
    throw new Error("There is a shared PostgreSQL in tests alone: use startPostgres.");
  }
  const postgres = of(folder);
  await postgres.start();
  return postgres;
}

let own: Promise<string> | null = null;

/** A database of this process, emptied: tests in it take turns. The URL. */
export async function emptiedPostgres(): Promise<string> {
  own ??= sharedPostgres().then((postgres) => postgres.database());
  const url = await own;
  await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%'",
    );
    await client.query(`truncate ${rows.map(({ name }) => name).join(", ")} restart identity`);
  });
  return url;
}

/** Called once for each of vitest's projects, which share one server; it starts when a test asks for it. */
export default function keepPostgres(): () => Promise<void> {
  if (process.env[FOLDER] !== undefined) return async () => undefined;
  const { folder, keeper } = startKeeper(false);
  process.env[FOLDER] = folder;
  return () => ended(keeper);
}

async function ended(keeper: ChildProcess): Promise<void> {
  const closed = once(keeper, "exit");
  keeper.ref();
  keeper.stdin?.end();
  await closed;
}

function startKeeper(durable: boolean): { readonly folder: string; readonly keeper: ChildProcess } {
  const folder = mkdtempSync(join(tmpdir(), "stagewright-postgres-"));
  const words = [join(import.meta.dirname, "keeper.ts"), folder, ...(durable ? ["durable"] : [])];
  // A group of its own: what interrupts the tests in a terminal ends it through its standard input.
  const keeper = spawn(process.execPath, words, { stdio: ["pipe", "ignore", "inherit"], detached: true });
  keeper.unref();
  return { folder, keeper };
}

function of(folder: string): Omit<Postgres, "close"> {
  let url = "";
  const tell = async (command: "start" | "stop" | "kill"): Promise<void> => {
    url = await told(join(folder, "keeper"), command);
  };
  return {
    start: () => tell("start"),
    stop: () => tell("stop"),
    kill: () => tell("kill"),
    database: async () => {
      await makeTemplate(url);
      return await create(url, `template ${TEMPLATE} strategy file_copy`);
    },
    blank: () => create(url, ""),
  };
}

async function told(path: string, command: string): Promise<string> {
  for (;;) {
    const socket = connect(path);
    let answer = "";
    try {
      await once(socket, "connect");
    } catch {
      // It has just been started.
      await sleep(20);
      continue;
    }
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    socket.write(`${command}\n`);
    await once(socket, "close");
    const [outcome, ...rest] = answer.trim().split(" ");
    if (outcome !== "ok") {
      throw new Error(`PostgreSQL could not ${command}: ${rest.join(" ")}`);
    }
    return rest.join(" ");
  }
}

async function create(url: string, like: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await withPostgres(`${url}/postgres`, (client) => client.query(`create database ${name} ${like}`));
  return `${url}/${name}`;
}

/** All tables are made once, and copied for each database. */
async function makeTemplate(url: string): Promise<void> {
  await withPostgres(`${url}/postgres`, async (client) => {
    await client.query(`select pg_advisory_lock(${TEMPLATE_LOCK})`);
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [TEMPLATE]);
    if (rowCount === 0) {
      await client.query(`drop database if exists ${TEMPLATE}_new`);
      await client.query(`create database ${TEMPLATE}_new`);
      const store = await openStore(`${url}/${TEMPLATE}_new`);
      await store.close();
      await client.query(`alter database ${TEMPLATE}_new rename to ${TEMPLATE}`);
    }
  });
}

/** A connection of its own, for as long as the work takes. */
export async function withPostgres<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
