// Fails unless each client of the group has had all its requests counted.
const { STAGEWRIGHT_AGENT_COUNT, STAGEWRIGHT_PARAM_PORT, STAGEWRIGHT_PARAM_REQUESTS } = process.env;

const answer = await fetch(`http://127.0.0.1:${STAGEWRIGHT_PARAM_PORT}/stats`);
const { total, counts } = await answer.json();
const clients = Number(STAGEWRIGHT_AGENT_COUNT) - 1;
const whole = Object.values(counts).filter((count) => count === Number(STAGEWRIGHT_PARAM_REQUESTS)).length;
console.log(`${total} requests from ${Object.keys(counts).join(", ")}`);
if (whole !== clients) {
  console.error(`${whole} of ${clients} clients had ${STAGEWRIGHT_PARAM_REQUESTS} requests counted`);
  process.exit(1);
}
