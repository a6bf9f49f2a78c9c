/** How agents use their connections: what is held is not cut, and what is left behind keeps nothing open. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Serving } from "../../../src/coordinator/server/serve.ts";
import { agentOf, clientOf, idle, joinOf, NEVER, planOf, removeDirectories, startCoordinator } from "../builders.ts";

let serving: Serving;
let counting: Server;
let address = "";
let connections: Socket[] = [];

/** What lies between the agents and their coordinator, and sees each connection. */
beforeEach(async () => {
  serving = await startCoordinator();
  const [host = "", port = ""] = serving.address.split(":");
  connections = [];
  counting = createServer((near) => {
    connections.push(near);
    const far = connect(Number(port), host);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far).pipe(near);
  });
  counting.listen(0, "127.0.0.1");
  await once(counting, "listening");
  const at = counting.address();
  address = typeof at === "object" && at !== null ? `127.0.0.1:${at.port}` : "";
});
afterEach(async () => {
  await serving.close();
  for (const socket of connections) socket.destroy();
  await new Promise((resolve) => counting.close(resolve));
  removeDirectories();
});

it("an agent goes through many stages with two connections", async () => {
  const stages = Array.from({ length: 8 }, (_, n) => `  - { name: stage-${n}, run: "sleep 0.05" }`);
  const plan = planOf(`name: many\nagents: 2\nliveness: { heartbeat_interval: 5s }\nstages:\n${stages.join("\n")}\n`);
  const retries: string[] = [];
  const agents = ["node-0", "node-1"].map((name) => agentOf(clientOf(address, retries), joinOf(plan, name)));
  const ends = await Promise.all(agents.map(({ agent }) => agent.run()));
  expect(ends).toEqual([0, 1].map(() => expect.objectContaining({ kind: "finished", excluded: null })));
  for (const end of ends) expect(end).toMatchObject({ summary: { verdict: "success" } });
  expect(retries).toEqual([]);
  // Each has told the end of eight stages while it was held.
  expect(connections.length).toBeLessThanOrEqual(4);
});

it("what is told while an older request is held is answered first; the older one changes nothing any more", async () => {
  const plan = planOf(`name: told\nagents: 2\nstages: [{ name: work, run: "true" }]\n`);
  const client = clientOf(address);
  await client.join(joinOf(plan, "node-0"), NEVER);
  await client.sync(idle(), 0, NEVER);
  const cutting = new AbortController();
  const held = client.sync(idle({ doing: "waits" }), 20_000, cutting.signal);
  const run = (await serving.runs[Symbol.asyncIterator]().next()).value;
  await expect.poll(() => run?.host.state.agents[0]?.[0]?.doing).toBe("waits");
  cutting.abort(new Error("there is news to tell"));
  await expect(held).rejects.toThrow("there is news to tell");
  for (let n = 0; n < 5; n += 1) {
    const answer = await client.sync(idle({ doing: `news ${n}` }), 0, NEVER);
    expect(answer.instruction).toMatchObject({ do: "wait", reason: "assembly" });
  }
  expect(run?.host.state.agents[0]?.[0]?.doing).toBe("news 4");
  expect(connections).toHaveLength(2);
  expect(connections.filter(({ destroyed }) => destroyed)).toEqual([]);
});
