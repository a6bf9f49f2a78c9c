import http from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HttpCoordinator } from "../../../src/coordinator/client/client.ts";
import { runIdOf } from "../../../src/coordinator/protocol/run-id.ts";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { agentOf, joinOf, keyOf, planOf, removeDirectories, SECRET, startCoordinator } from "../builders.ts";

const PLAN = planOf(`
name: lossy
agents: 2
stages:
  - { name: prepare, run: echo in >> ran }
  - { name: work, tasks: { count: 6 }, run: 'echo "$1" >> ran' }
  - { name: count, run: cat ran }
`);

let serving: Serving;
let proxy: http.Server;
let url: URL;
let lost = { requests: 0, answers: 0 };

/** A network that loses every third request before it arrives, and every third answer behind it. */
beforeEach(async () => {
  serving = await startCoordinator();
  lost = { requests: 0, answers: 0 };
  let count = 0;
  proxy = http.createServer((request, response) => {
    count += 1;
    const turn = count % 3;
    if (turn === 1) {
      lost.requests += 1;
      response.destroy();
      return;
    }
    const { method, url: path, headers } = request;
    const onward = http.request(`http://${serving.address}${path ?? ""}`, { method, headers }, (answer) => {
      if (turn === 2) {
        lost.answers += 1;
        answer.resume();
        answer.on("end", () => response.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    response.once("close", () => onward.destroy());
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const at = proxy.address();
  url = new URL(`http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`);
});
afterEach(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await serving.close();
  removeDirectories();
});

it("a run over a network that loses requests and answers does everything once", async () => {
  const group = [0, 1].map((index) => {
    const options = { url, credential: async () => SECRET, onRetry: () => undefined, random: () => 0 };
    return agentOf(new HttpCoordinator(options), joinOf(PLAN, `node-${index}`, { index }));
  });
  const ends = await Promise.all(group.map(({ agent }) => agent.run()));
  for (const end of ends) expect(end).toMatchObject({ kind: "finished", summary: { verdict: "success" } });
  const run = await serving.runs.find(runIdOf(keyOf(PLAN)));
  const phases = run?.host.summary().phases ?? [];
  expect(phases.map(({ status, retryCount }) => [status, retryCount])).toEqual(PLAN.stages.map(() => ["success", 0]));
  expect(phases[1]?.tasks).toMatchObject({ done: 6, failed: 0, skipped: 0, total: 6 });
  const lines = group.flatMap(({ events }) => events.flatMap((event) => (event.kind === "output" ? [event.line] : [])));
  expect(lines.toSorted()).toEqual(["0", "1", "2", "3", "4", "5", "in", "in"]);
  expect(lost.requests).toBeGreaterThan(3);
  expect(lost.answers).toBeGreaterThan(3);
});
