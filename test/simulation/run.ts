/** `npm run simulate -- --seeds 10000`: runs that many simulations; `--seed N` replays one and tells everything. */
import { machine } from "./machine.ts";
import { seedOptions } from "./options.ts";
import { type Outcome, simulate } from "./world.ts";

const USAGE = "npm run simulate -- [--seeds COUNT] [--from SEED] | --seed SEED";
const { seeds, from, seed } = seedOptions(USAGE, { seeds: 1_000, endToEnd: false });

process.exitCode = seed === null ? runMany(from, seeds) : replay(seed);

function replay(seed: number): number {
  const outcome = simulate(seed, machine, (line) => console.log(line));
  console.log(
    `seed ${seed}: ${outcome.status} after ${outcome.ms / 1_000} s and ${outcome.events} events. ${outcome.message}`,
  );
  tell(outcome);
  return outcome.violations.length > 0 ? 1 : 0;
}

function runMany(from: number, count: number): number {
  const began = performance.now();
  const ends = new Map<string, number>();
  const kinds = new Map<string, number>();
  let events = 0;
  let bad = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = simulateSafely(seed);
    events += outcome.events;
    for (const kind of outcome.kinds) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    ends.set(outcome.status, (ends.get(outcome.status) ?? 0) + 1);
    if (outcome.violations.length === 0) continue;
    bad++;
    if (bad <= 20) tell(outcome);
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const statuses = [...ends].map(([status, number]) => `${number} ${status}`).join(", ");
  console.log(`${count} seeds, ${events} events in ${seconds} s: ${statuses}`);
  for (const [kind, number] of kinds) console.log(`runs with ${kind}: ${number}`);
  console.log(`violations: ${bad}`);
  return bad > 0 ? 1 : 0;
}

function simulateSafely(seed: number): Outcome {
  try {
    return simulate(seed, machine);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed, violations: [`threw ${message}`], status: "running", events: 0, ms: 0, message, kinds: new Set() };
  }
}

function tell({ seed, violations }: Outcome): void {
  for (const violation of violations) console.log(`seed ${seed}: ${violation}`);
}
