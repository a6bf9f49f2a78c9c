/** Somebody else answers in the coordinator's place: a proxy's page, JSON of another service. */
import http from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HttpCoordinator, sayRetries } from "../../../src/coordinator/client/client.ts";
import { Refusal } from "../../../src/coordinator/protocol/refusal.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { idle, joinOf, NEVER, planOf, SECRET, startCoordinator } from "../builders.ts";

const PLAN = planOf("name: alone\nstages:\n  - { name: work, run: 'true' }\n");
const FOREIGN = [
  ["a page", "text/html", "<html><body>Please log in</body></html>"],
  ["JSON of another service", "application/json", '{"ok":true}'],
  ["nothing", "text/plain", ""],
] as const;

let serving: Serving;
let between: http.Server;
let url: URL;
/** What the next requests are answered instead of reaching the coordinator. */
let instead: { readonly type: string; readonly body: string; times: number } | null;

beforeEach(async () => {
  instead = null;
  serving = await startCoordinator();
  between = http.createServer((request, response) => {
    if (instead !== null && instead.times > 0) {
      instead.times -= 1;
      request.resume();
      response.writeHead(200, { "content-type": instead.type }).end(instead.body);
      return;
    }
    const { method, url: path, headers } = request;
    const onward = http.request(`http://${serving.address}${path ?? ""}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const at = between.address();
  url = new URL(`http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`);
});
afterEach(async () => {
  between.closeAllConnections();
  await new Promise((resolve) => between.close(resolve));
  await serving.close();
});

function client(retries: string[] = []): HttpCoordinator {
  return new HttpCoordinator({
    url,
    credential: async () => SECRET,
    onRetry: (why) => retries.push(why),
    random: () => 0,
  });
}

it.each(FOREIGN)("joining an address that answers with %s is refused with its reason", async (_, type, body) => {
  instead = { type, body, times: 1_000 };
  const joining = client().join(joinOf(PLAN, "node-0"), NEVER);
  await expect(joining).rejects.toThrow(Refusal);
  await expect(joining).rejects.toThrow("answered 200 to /api/runs/join: it is no coordinator of this version");
});

it.each(FOREIGN)(
  "%s in place of the coordinator's answer is not taken for one: it is asked again",
  async (_, type, body) => {
    const retries: string[] = [];
    const agent = client(retries);
    await agent.join(joinOf(PLAN, "node-0"), NEVER);
    instead = { type, body, times: 2 };
    const answer = await agent.sync(idle(), 0, NEVER);
    expect(answer.instruction).toMatchObject({ do: "execute", stage: 0 });
    expect(retries).toEqual(Array(2).fill(expect.stringContaining("answered 200, but not as a coordinator does")));
    await agent.leave("the test is over", NEVER);
  },
);

it("never sleeps for long while its coordinator may be back: it would be lost meanwhile", async () => {
  const plan = planOf(
    "name: short\nliveness: { heartbeat_interval: 200ms, warn_after: 300ms, lost_after: 600ms }\nstages:\n  - { name: work, run: 'true' }\n",
  );
  const pauses: number[] = [];
  const since: number[] = [];
  const agent = new HttpCoordinator({
    url,
    credential: async () => SECRET,
    onRetry: (_why, _tries, pauseMs, sinceMs) => {
      pauses.push(pauseMs);
      since.push(sinceMs);
    },
    random: () => 1,
  });
  await agent.join(joinOf(plan, "node-0"), NEVER);
  instead = { type: "text/html", body: "<html></html>", times: 8 };
  await agent.sync(idle(), 0, NEVER);
  expect(pauses).toHaveLength(8);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(200);
  // Each is told how long it has been since the first: the pauses between them at least, less the timers' rounding.
  expect(since.at(-1)).toBeGreaterThan(pauses.slice(0, -1).reduce((sum, pauseMs) => sum + pauseMs - 2, 0));
  await agent.leave("the test is over", NEVER);
});

it("a wait for the coordinator is told after three tries or a long one, and then now and then", () => {
  const said: string[] = [];
  const onRetry = sayRetries((text) => said.push(text));
  // Whoever refuses connections does so at once.
  for (const [at, sinceMs] of [1, 300, 800, 1_700, 4_000, 9_000, 10_799, 10_800].entries()) {
    onRetry("refused", at + 1, 200, sinceMs);
  }
  expect(said).toEqual([
    "no answer yet (try 3, again in 0.2 s): refused",
    "no answer yet (try 8, again in 0.2 s): refused",
  ]);
  // Whoever loses packets lets each try take its whole time.
  onRetry("no answer within 11 s", 1, 200, 11_000);
  expect(said.slice(2)).toEqual(["no answer yet (try 1, again in 0.2 s): no answer within 11 s"]);
});
