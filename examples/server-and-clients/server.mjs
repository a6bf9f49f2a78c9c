// Answers every POST /work with a number that rises, and GET /stats with who has asked how often. Runs until it is ended.
import { createServer } from "node:http";

const counts = {};
let total = 0;

const server = createServer((request, response) => {
  if (request.method === "POST" && request.url === "/work") {
    const client = request.headers["x-client"] ?? "unknown";
    counts[client] = (counts[client] ?? 0) + 1;
    total += 1;
    response.end(`${total}\n`);
  } else if (request.url === "/stats") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ total, counts }));
  } else {
    response.writeHead(404).end();
  }
});

// The agents may be on other machines, where this one's address is STAGEWRIGHT_ADDRESS_SERVER.
const host = process.env.STAGEWRIGHT_ADDRESS_SERVER === "127.0.0.1" ? "127.0.0.1" : "0.0.0.0";
server.listen(Number(process.env.STAGEWRIGHT_PARAM_PORT), host, () => {
  const { address, port } = server.address();
  console.log(`serving at ${address}:${port} for ${Number(process.env.STAGEWRIGHT_AGENT_COUNT) - 1} clients`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
