// Phase 2: the tasks of the input, as those of the phases that follow.
import { appendFileSync, readFileSync } from "node:fs";

const { tasks = [] } = JSON.parse(readFileSync(process.env.STAGEWRIGHT_INPUT, "utf8"));
const planned = tasks.map(({ agent, dependencies = [], ...rest }) => ({
  id: agent,
  agent,
  needs: dependencies,
  ...rest,
}));
appendFileSync(process.env.STAGEWRIGHT_EVENTS, `${JSON.stringify({ tasks: planned })}\n`);
for (const { agent, needs } of planned) console.log(`${agent} after ${needs.join(", ") || "nothing"}`);
