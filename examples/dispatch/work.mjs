// Phase 4: one task, with the context that was filtered for it.
import { appendFileSync, readFileSync } from "node:fs";

const task = JSON.parse(process.env.STAGEWRIGHT_TASK);
const { filter = {} } = JSON.parse(readFileSync(process.env.STAGEWRIGHT_CONTEXT, "utf8"));
const context = filter[`${task.id}.context`] ?? {};
const known = Object.entries(context).map(([topic, values]) => `${values.length} ${topic}`);
const result = `${task.agent}: ${task.description}, knowing ${known.join(" and ") || "nothing"}`;
appendFileSync(process.env.STAGEWRIGHT_EVENTS, `${JSON.stringify({ output: { result } })}\n`);
console.log(result);
