// Validates that all that the tasks require has been gathered. The verdict is the last line; the log is on stderr.
import { readFileSync } from "node:fs";

const { context = {} } = JSON.parse(readFileSync(process.env.STAGEWRIGHT_CONTEXT, "utf8"));
const { tasks = [] } = JSON.parse(readFileSync(process.env.STAGEWRIGHT_INPUT, "utf8"));
const required = [...new Set(tasks.flatMap(({ context_requirements = [] }) => context_requirements))];
const missing = required.filter((topic) => !(topic in context));
console.error(`${required.length - missing.length} of ${required.length} topics are there`);
const decision = missing.length === 0 ? "PASS" : "RETRY";
const confidence = missing.length === 0 ? 0.95 : 0.8;
console.log(JSON.stringify({ decision, confidence, deficiencies: missing.map((topic) => ({ missing: topic })) }));
