/** A DATABASE_URL that leads to no database that can be used: what is said, and that no password is. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseUnusable, openStore } from "../../../app/store/open.ts";
import { sharedPostgres, withPostgres } from "../../postgres/postgres.ts";
import { endAll, freePort, PRIVATE_KEY, SECRET, startServer } from "../server-process.ts";

const directory = mkdtempSync(join(tmpdir(), "stagewright-refusals-"));
/** Of a database that is there, and of a server that takes connections and never says a word. */
let right: URL;
let mute: URL;
const server = createServer();
const sockets: Socket[] = [];
beforeAll(async () => {
  right = new URL(await (await sharedPostgres()).blank());
  await withPostgres(right.href, async (client) => {
    await client.query("create role weak login password 'hunter2'");
    await client.query(`create table something (x int)`);
  });
  server.on("connection", (socket) => sockets.push(socket.on("error", () => undefined)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  mute = new URL(`postgres://u:hunter2@127.0.0.1:${typeof address === "object" ? address?.port : ""}/db`);
});
afterAll(async () => {
  await endAll();
  for (const socket of sockets) socket.destroy();
  server.close();
  await withPostgres(right.href, (client) => client.query("drop role weak"));
  rmSync(directory, { recursive: true, force: true });
});

const changed = (changes: Partial<Pick<URL, "username" | "password" | "pathname" | "port" | "hostname" | "search">>) =>
  Object.assign(new URL(right), { password: "hunter2", ...changes }).href;
const own = () => ({ password: right.password });

describe("a database that cannot be used is told with its place and a remedy, and without its password", () => {
  it.each<[string, () => string, RegExp]>([
    ["a port where nothing listens", () => changed({ port: "1" }), /nothing answers there; start the server, or set/],
    [
      "a host that is none",
      () => changed({ hostname: "nowhere.invalid" }),
      /no host of that name|could not be looked up/,
    ],
    ["another password", () => changed({}), /refused the user or the password/],
    ["no password", () => changed({ password: "" }), /refused the user or the password/],
    ["a user who is none", () => changed({ username: "nobody" }), /refused the user or the password/],
    [
      "a database that is none",
      () => changed({ ...own(), pathname: "/none" }),
      /no such database; make it \(createdb\)/,
    ],
    ["a user without rights", () => changed({ username: "weak" }), /may not make or use tables there; make it the/],
    [
      "TLS where there is none",
      () => changed({ ...own(), search: "?sslmode=verify-full" }),
      /encrypted as asked; set sslmode/,
    ],
    ["a server that does not answer", () => mute.href, /did not answer in time/],
  ])("%s", async (_, url, remedy) => {
    const failure = await openStore(url()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DatabaseUnusable);
    const { message } = failure as DatabaseUnusable;
    expect(message).toMatch(/^The database \w+ at [\w.]+:\d+ cannot be used: /u);
    expect(message).toMatch(remedy);
    expect(message).not.toContain("hunter2");
    expect(message).not.toContain(right.password);
  });

  it("by the process, too, which ends with 1 and without a trace", async () => {
    const env = { APP_ID: "1", PRIVATE_KEY, WEBHOOK_SECRET: SECRET, HOST: "127.0.0.1", PORT: `${await freePort()}` };
    const app = startServer(directory, { ...env, DATABASE_URL: changed({}) });
    const [code] = await once(app.child, "exit");
    expect(code, app.output()).toBe(1);
    expect(app.output()).toMatch(
      /^stagewright: The database test_\w+ at 127\.0\.0\.1:\d+ cannot be used: the server refused/mu,
    );
    expect(app.output()).not.toMatch(/hunter2|\n {4}at /u);
  });
});
