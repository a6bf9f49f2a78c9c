/**
 * `npm run bench [-- NAME…]`: what it costs, as ratios measured side by side in one run.
 *
 * Nothing here asserts a time: machines are shared and noisy. Each line says what was measured against what, the
 * median of both, their ratio and the aim.
 */
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";

const BENCHES: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  "start-up": () => import("./start-up.ts"),
  "empty-stages": () => import("./empty-stages.ts"),
  transitions: () => import("./transitions.ts"),
  "many-moves": () => import("./many-moves.ts"),
  sweep: () => import("./sweep.ts"),
  "quiet-events": () => import("./quiet-events.ts"),
  growth: () => import("./growth.ts"),
  "long-history": () => import("./long-history.ts"),
  webhooks: () => import("./webhooks.ts"),
  tracked: () => import("./tracked.ts"),
  latency: () => import("./latency.ts"),
  replicas: () => import("./replicas.ts"),
  barrier: () => import("./barrier.ts"),
  tasks: () => import("./tasks.ts"),
  machine: () => import("./machine.ts"),
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});
const names = Object.keys(BENCHES);
if (values.help || values.list) {
  console.log(`npm run bench [-- NAME…]\nbenches: ${names.join(", ")}`);
  process.exit(0);
}
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}

let failed = 0;
for (const name of positionals.length > 0 ? positionals : names) {
  const load = BENCHES[name];
  if (load === undefined) continue;
  const { bench } = await load();
  console.log(`\n${name}: ${bench.what}`);
  try {
    for await (const row of bench.run()) console.log(`  ${row}`);
  } catch (error) {
    failed += 1;
    console.error(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
process.exitCode = failed > 0 ? 1 : 0;
