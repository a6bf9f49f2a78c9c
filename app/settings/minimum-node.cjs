/**
 * Loaded before the app and the demo (`node -r`). Plain JavaScript of any age: a Node that is too old for them cannot read
 * their TypeScript, and would say so with a trace.
 */
const { engines } = require("../../package.json");

const needed = Number(/\d+/.exec(engines.node)[0]);
if (Number(process.versions.node.split(".")[0]) < needed) {
  process.stderr.write(
    `stagewright: the app needs Node ${needed} or later, this is ${process.versions.node}: "npm ci" without --omit=dev brings it for npm's scripts; else install it.\n`,
  );
  process.exit(2);
}
