import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { pages } from "../../../app/http/pages.ts";
import type { Store } from "../../../app/store/model.ts";
import { openStore } from "../../../app/store/open.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(ping: Store["ping"]): Promise<string> {
  const store = await openStore("sqlite::memory:");
  const handler = pages({
    store: { ...store, ping },
    inbox: { backlog: 0, revive: async () => false, storeFailure: null },
    metrics: { text: async () => "", contentType: "" },
    now: Date.now,
    ready: () => null,
    wake: () => undefined,
  });
  const server = createServer((request, response) => void handler(request, response));
  closers.push(
    () => store.close(),
    () => server.close(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
}

it.each<[string, Store["ping"], string]>([
  ["refuses", () => Promise.reject(new Error("it is away")), "Error: it is away"],
  ["never answers", () => new Promise(() => undefined), "the database does not answer"],
])("is not ready while the database %s", async (_, ping, reason) => {
  const answer = await fetch(await serve(ping));
  expect([answer.status, await answer.json()]).toEqual([503, { ready: false, reason }]);
});
