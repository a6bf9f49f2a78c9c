/** A server's process that stands still (SIGSTOP) in the midst of a connection: a server of its own, for others would wait. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { monitoring } from "../../../app/http/monitoring.ts";
import { openStore } from "../../../app/store/open.ts";
import { startPostgres, withPostgres } from "../../postgres/postgres.ts";

it("is given up in time by what waits for it, and everything else goes on beside it", async () => {
  const postgres = await startPostgres();
  const url = await postgres.blank();
  const store = await openStore(url);
  const options = {
    ...{ store, inbox: { backlog: 0 }, metrics: { text: async () => "", contentType: "" } },
    ...{ ready: () => null, metricsToken: null },
  };
  const handler = monitoring(options, { own: false });
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const ready = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  await store.setMeta("k", "before");
  const pids = await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    return rows.map(({ pid }) => pid);
  });
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    const written = store.setMeta("k", "meanwhile").then(
      () => "written",
      (error: Error) => error.message,
    );
    // By another of its processes.
    expect(await ready()).toMatch(/^200/u);
    expect(await written).toMatch(/timeout/iu);
    expect(await store.meta("k")).toBe("before");
    await store.setMeta("k", "after");
    expect(await ready()).toMatch(/^200/u);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
    server.close();
    await store.close();
    await postgres.close();
  }
}, 90_000);
