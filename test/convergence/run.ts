/**
 * `npm run converge -- --seeds 2000`: plays so many stories; `--seed N` replays one and tells everything.
 * `--end-to-end --seeds 200`: so many at once over real HTTP with the real server, which is killed again and again.
 */
import { seedOptions } from "../simulation/options.ts";
import { endToEnd } from "./end-to-end.ts";
import { SECONDS, type SecondKind } from "./seconds.ts";
import { type Outcome, simulate } from "./simulate.ts";

const USAGE = "npm run converge -- [--end-to-end] [--seeds COUNT] [--from SEED] | --seed SEED";
const options = seedOptions(USAGE, { seeds: 200, endToEnd: true });

process.exitCode = options.endToEnd
  ? await playForReal(options.from, options.seeds)
  : options.seed === null
    ? await runMany(options.from, options.seeds)
    : await replay(options.seed);

async function replay(seed: number): Promise<number> {
  const outcome = await simulate(seed, (line) => console.log(line), {}, replicasOf(seed));
  tell(outcome);
  console.log(
    `seed ${seed}: ${outcome.acts} acts, ${outcome.kills} kills, ${outcome.requests} requests, violations: ${outcome.violations.length}`,
  );
  return outcome.violations.length > 0 ? 1 : 0;
}

async function runMany(from: number, count: number): Promise<number> {
  const began = performance.now();
  const sum = { acts: 0, kills: 0, requests: 0, bad: 0 };
  const shared = new Map<string, number>();
  const told = new Map<string, number>();
  const happened = new Map<string, { forward: number; back: number; last: number; held: number }>();
  const atOnce = new Map<SecondKind, number>(SECONDS.map((kind) => [kind, 0]));
  for (let seed = from; seed < from + count; seed += 1) {
    const outcome = await safely(seed);
    sum.acts += outcome.acts;
    sum.kills += outcome.kills;
    sum.requests += outcome.requests;
    for (const [what, times] of Object.entries(outcome.replicas ?? {})) {
      shared.set(what, (shared.get(what) ?? 0) + times);
    }
    if (outcome.happened !== null) {
      const { policy, forward, back, last, held } = outcome.happened;
      for (const [kind, times] of outcome.happened.seconds) atOnce.set(kind, (atOnce.get(kind) ?? 0) + times);
      for (const [what, times] of Object.entries(outcome.happened.told)) {
        told.set(what, (told.get(what) ?? 0) + times);
      }
      const so = happened.get(policy) ?? { forward: 0, back: 0, last: 0, held: 0 };
      happened.set(policy, {
        forward: so.forward + forward,
        back: so.back + back,
        last: so.last + last,
        held: so.held + held,
      });
    }
    if (outcome.violations.length > 0) {
      sum.bad += 1;
      if (sum.bad <= 20) tell(outcome);
    }
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${count} seeds in ${seconds} s: ${sum.acts} acts, ${sum.kills} kills, ${sum.requests} requests`);
  for (const [policy, { forward, back, last, held }] of happened) {
    console.log(
      `  ${policy} policy: ${forward} moves forward, ${back} back; ${last} came to the last stage, ${held} held`,
    );
  }
  console.log(`  within one second: ${[...atOnce].map(([kind, times]) => `${kind} ${times}`).join(", ")}`);
  console.log(`  ${[...told].map(([what, times]) => `${times} ${what}`).join(", ")}`);
  console.log(`  among replicas: ${[...shared].map(([what, times]) => `${times} ${what}`).join(", ")}`);
  console.log(`violations: ${sum.bad}`);
  return sum.bad > 0 ? 1 : 0;
}

async function playForReal(seed: number, stories: number): Promise<number> {
  const { violations, acts, kills, webhooks, seconds } = await endToEnd(seed, stories, (line) => console.log(line));
  for (const violation of violations) console.log(violation);
  const { sent, lost, doubled, late } = webhooks;
  console.log(
    `${stories} stories, ${acts} acts, ${kills} kills, ${sent} webhooks (${lost} lost, ${doubled} doubled, ${late} late); right after ${seconds} s`,
  );
  console.log(`violations: ${violations.length}`);
  return violations.length > 0 ? 1 : 0;
}

/** One process, two, three, in turns. */
function replicasOf(seed: number): number {
  return 1 + (seed % 3);
}

async function safely(seed: number): Promise<Omit<Outcome, "happened"> & { happened: Outcome["happened"] | null }> {
  try {
    return await simulate(seed, undefined, {}, replicasOf(seed));
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed, violations: [`threw ${message}`], acts: 0, requests: 0, kills: 0, happened: null, replicas: null };
  }
}

function tell({ seed, violations }: Pick<Outcome, "seed" | "violations">): void {
  for (const violation of violations) console.log(`seed ${seed}: ${violation}`);
}
