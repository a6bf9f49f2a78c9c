/**
 * Where `npm run app` and `npm start` begin. Plain JavaScript of any age: a Node that is too old for the app cannot read its
 * TypeScript, and would say so with a trace.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const needed = Number(/\d+/.exec(engines.node)[0]);
const entries = { app: "./server.ts", demo: "./demo/start.ts" };

if (Number(process.versions.node.split(".")[0]) < needed) {
  process.stderr.write(
    `stagewright: the app needs Node ${needed} or later, this is ${process.versions.node}: "npm ci" without --omit=dev brings it for npm's scripts; else install it.\n`,
  );
  process.exitCode = 2;
} else {
  const entry = new URL(entries[process.argv[2]], import.meta.url);
  // As if it had been started itself: what follows are its own words.
  process.argv.splice(1, 2, fileURLToPath(entry));
  await import(entry.href);
}
