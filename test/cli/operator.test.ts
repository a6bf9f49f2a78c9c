/** `stagewright inbox` and `stagewright effects`, as processes that ask what the app answers. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deadEffects } from "../../app/http/dead-effects.ts";
import { pages } from "../../app/http/pages.ts";
import type { Store } from "../../app/store/model.ts";
import { Inbox } from "../../app/webhooks/inbox.ts";
import { openMemoryStore } from "../app/store/memory.ts";
import { Bench } from "./cli.ts";

const MANY = 60;

let bench: Bench;
let store: Store;
let server: Server;
let app: string;
let woken: string[];
beforeEach(async () => {
  bench = new Bench();
  woken = [];
  store = await openMemoryStore();
  const log = pino({ level: "silent" });
  const inbox = new Inbox({ store, log, now: Date.now, handle: async () => true });
  const handlers = [
    deadEffects({ store, log, now: () => 50, wake: () => woken.push("effects") }),
    pages({ store, inbox, now: () => 50, log, wake: () => woken.push("pulls") }),
  ];
  server = createServer(async (request, response) => {
    for (const handler of handlers) if (await handler(request, response)) return;
    response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  app = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const ids = Array.from({ length: MANY }, (_, index) => index);
  const deliveries = await store.acceptDeliveries(
    ids.map((index) => ({ id: `d-${index}`, event: "push", payload: '{"secret":1}', key: "1#7", receivedAt: index })),
  );
  for (const { seq } of deliveries) await store.buryDelivery(seq, "boom\u001b[31m");
  const of = { repositoryId: 1, number: 7, installationId: 5, kind: "comment", payload: { body: "secret" } };
  await store.commit({ effects: ids.map((index) => ({ ...of, key: `e-${index}`, nextAt: 1 })), now: 1 });
  const settled = (await store.effectsOf(of)).map((each) => ({
    ...each,
    status: "dead" as const,
    error: "GitHub refused it",
    errorCode: "permission" as const,
    result: null,
  }));
  await store.commit({ settled, now: 2 });
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
  bench.dispose();
});

const run = (...words: string[]) => bench.run([...words, "--app", app]);

it("lists all pages of what could not be done, as lines and as JSON, without what it says", async () => {
  const [lines, json, few] = await Promise.all([
    run("inbox", "list"),
    run("effects", "list", "--json"),
    run("effects", "list", "--limit", "3"),
  ]);
  expect(lines.code, lines.stderr).toBe(0);
  expect(
    lines.stdout.split("\n").filter((line) => /^d-\d+ 1970-\S+ push 1#7 \d+ tries: boom$/u.test(line)),
  ).toHaveLength(MANY);
  expect(JSON.parse(json.stdout)).toMatchObject({
    items: { length: MANY, 0: { code: "permission", pull: 7 } },
    more: false,
  });
  expect(few.stdout.trim().split("\n")).toHaveLength(3);
  expect(few.stderr).toContain("and more");
  expect(lines.stdout + json.stdout).not.toContain("secret");
});

it("has those tried again that are named, or all, once each; what is not there fails", async () => {
  const some = await run("effects", "retry", "1", "2", "999", "--json");
  expect(some.code, some.stderr).toBe(1);
  expect(JSON.parse(some.stdout)).toMatchObject({ retried: ["1", "2"], failed: [{ id: "999" }] });
  expect(woken).toEqual(["effects", "effects"]);
  const [rest, deliveries] = await Promise.all([run("effects", "retry", "--all"), run("inbox", "retry", "--all")]);
  expect(rest).toMatchObject({ code: 0, stdout: `${MANY - 2} are tried again\n` });
  expect(deliveries).toMatchObject({ code: 0, stdout: `${MANY} are tried again\n` });
  expect((await store.deadEffects(9)).items).toEqual([]);
  expect((await store.deadDeliveries(9)).items).toEqual([]);
});

it("is told what is wrong: bad usage with 2, an app that is not there with 1", async () => {
  const wrong = [
    ["effects", "list", "7"],
    ["effects", "retry"],
    ["inbox", "retry", "a/../b"],
    ["inbox", "drop"],
  ];
  const outcomes = await Promise.all([
    ...wrong.map((words) => run(...words)),
    bench.run(["inbox", "list", "--app", "https://stagewright.example"]),
  ]);
  expect(outcomes.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
  const absent = await bench.run(["inbox", "list", "--app", "http://127.0.0.1:1"]);
  expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining("could not be reached") });
});
