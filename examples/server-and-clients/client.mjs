// Sends its requests to the server, one after another, and tells how many were answered and how long they took.
import { appendFileSync } from "node:fs";

const { STAGEWRIGHT_ADDRESS_SERVER, STAGEWRIGHT_AGENT_NAME, STAGEWRIGHT_EVENTS, STAGEWRIGHT_PARAM_PORT } = process.env;
const wanted = Number(process.env.STAGEWRIGHT_PARAM_REQUESTS);
const server = `http://${STAGEWRIGHT_ADDRESS_SERVER}:${STAGEWRIGHT_PARAM_PORT}`;
const tell = (event) => appendFileSync(STAGEWRIGHT_EVENTS, `${JSON.stringify(event)}\n`);

const began = performance.now();
let slowest = 0;
for (let done = 1; done <= wanted; done += 1) {
  const sent = performance.now();
  const answer = await fetch(`${server}/work`, { method: "POST", headers: { "x-client": STAGEWRIGHT_AGENT_NAME } });
  if (!answer.ok) throw new Error(`${server} answered ${answer.status}`);
  await answer.text();
  slowest = Math.max(slowest, performance.now() - sent);
  if (done % 50 === 0) tell({ progress: { done, total: wanted, errors: 0 } });
}
const seconds = (performance.now() - began) / 1000;
tell({ metric: { name: "answered", value: wanted, unit: "requests", agg: "sum" } });
tell({ metric: { name: "rate", value: wanted / seconds, unit: "requests/s", agg: "sum" } });
tell({ metric: { name: "slowest", value: slowest, unit: "ms", agg: "max" } });
console.log(`${wanted} requests answered by ${server} in ${seconds.toFixed(2)} s`);
