import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { monitoring } from "../../../app/http/monitoring.ts";
import type { Store } from "../../../app/store/model.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(ping: Store["ping"]): Promise<string> {
  const inbox = { backlog: 0 };
  const metrics = { text: async () => "", contentType: "" };
  const options = { store: { ping }, inbox, metrics, ready: () => null, metricsToken: null };
  const handler = monitoring(options, { own: false });
  const server = createServer((request, response) => void handler(request, response));
  closers.push(() => server.close());
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
