// Validates that what has been gathered is small enough to be read.
import { statSync } from "node:fs";

const { size } = statSync(process.env.STAGEWRIGHT_CONTEXT);
const isSmall = size <= 65_536;
const deficiencies = isSmall ? [] : [`${size} bytes of context, at most 65536 are read`];
console.log(JSON.stringify({ decision: isSmall ? "PASS" : "FAIL", confidence: 1, deficiencies }));
