// Phase 3: of all context what one task requires.
import { appendFileSync, readFileSync } from "node:fs";

const task = JSON.parse(process.env.STAGEWRIGHT_TASK);
const { context = {} } = JSON.parse(readFileSync(process.env.STAGEWRIGHT_CONTEXT, "utf8"));
const { context_requirements: required = [] } = task;
const filtered = Object.fromEntries(Object.entries(context).filter(([topic]) => required.includes(topic)));
appendFileSync(process.env.STAGEWRIGHT_EVENTS, `${JSON.stringify({ output: { context: filtered } })}\n`);
console.log(`sees ${Object.keys(filtered).join(", ") || "no context"} of ${Object.keys(context).join(", ") || "none"}`);
