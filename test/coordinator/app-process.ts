/** The app's hosting of runs as a process of its own, which tests kill and start again: memory in a file, one port. */
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { hostRuns } from "../../app/plan-runs/plan-runs.ts";
import { openStore } from "../../app/store/open.ts";

const { DATABASE = "", PORT = "", ISSUER = "", PUBLIC_URL = "" } = process.env;

const hosted = await hostRuns({
  store: await openStore(`sqlite:${DATABASE}`),
  publicUrl: PUBLIC_URL,
  issuer: ISSUER,
  installation: async () => 1,
  client: async () => {
    throw new Error("nothing is shown on GitHub in this test");
  },
  pace: { now: Date.now, sleep: async (ms, signal) => sleep(ms, undefined, { signal }) },
  onError: (error, what) =>
    process.stderr.write(`${what}: ${error instanceof Error ? error.message : String(error)}\n`),
});
const server = http.createServer((request, response) => {
  void hosted.handler(request, response).then((answered) => {
    if (!answered) response.writeHead(404).end();
  });
});
server.listen(Number(PORT), "127.0.0.1", () => {
  const at = server.address();
  process.stdout.write(`${typeof at === "object" && at !== null ? at.port : ""}\n`);
});
