/**
 * `npm run siege -- --minutes 10`: the attacks of `test/security`, all at once, beside a normal load. First the load
 * alone for a fifth of the time, then with the attacks. Prints both times, the app's memory and what the attackers were
 * answered; exit 1 when an event of the load was lost, the app died, or its memory is not bounded.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Counts, Target } from "./attackers.ts";
import { harass } from "./hostile-pulls.ts";
import { openTown, SECRET, type Town } from "./town.ts";
import { type Walked, walk } from "./walkers.ts";

const USAGE = "npm run siege -- [--minutes 10]";
const WALKERS = 8;
const REPOSITORIES = 4;
const SAMPLE_EVERY_MS = 2_000;
/** MiB; with 64 MiB of bodies in flight, a heap of runs and V8's habit of collecting late. */
const MOST_MEMORY = 768;

interface Phase {
  readonly walked: Walked;
  /** MiB at each sample. */
  readonly memory: number[];
  /** Webhooks of GitHub's that the app did not take at once. */
  readonly refused: number;
  /** Milliseconds until `/healthz` answered, at each sample; infinite: not within ten seconds. */
  readonly health: number[];
}

process.exitCode = await main();

async function main(): Promise<number> {
  const minutes = minutesOf();
  if (minutes === null) {
    console.error(USAGE);
    return 2;
  }
  const town = await openTown(REPOSITORIES);
  try {
    console.log(`${WALKERS} people bring pull requests through three stages, GitHub's pace of a write a second`);
    const calm = await phase(town, (minutes * 60_000) / 5);
    tell("without attacks", calm);
    const end = new AbortController();
    const attackers = attack(town);
    const harassed = harass(town, end.signal);
    const stormy = await phase(town, minutes * 60_000);
    end.abort();
    const [counts, acts] = await Promise.all([attackers.stop(), harassed]);
    tell("with attacks", stormy);
    console.log(`hostile acts on pull requests: ${acts}`);
    for (const [name, answers] of Object.entries(counts)) {
      const said = Object.entries(answers).map(([status, times]) => `${status} ${times} times`);
      console.log(`${name}: ${said.join(", ")}`);
    }
    const peak = town.memory()?.peak ?? null;
    const lost = [...calm.walked.lost, ...stormy.walked.lost];
    for (const each of lost) console.log(`LOST ${each}`);
    console.log(
      `the app's memory at most: ${peak?.toFixed(0) ?? "it died"} MiB (bound ${MOST_MEMORY}); lost: ${lost.length}`,
    );
    const well = lost.length === 0 && peak !== null && peak <= MOST_MEMORY;
    if (!well) console.log(town.output().slice(-4_000));
    return well ? 0 : 1;
  } finally {
    await town.close();
  }
}

function minutesOf(): number | null {
  try {
    const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
    const minutes = Number(values.minutes);
    return minutes > 0 && minutes <= 120 ? minutes : null;
  } catch {
    return null;
  }
}

async function phase(town: Town, ms: number): Promise<Phase> {
  const over = new AbortController();
  const [memory, health]: [number[], number[]] = [[], []];
  const before = refusedDeliveries(town);
  const installed = watch(town, memory, health, over.signal);
  setTimeout(() => over.abort(), ms);
  const walked = await walk(town, WALKERS, over.signal);
  await installed;
  return { walked, memory, health, refused: refusedDeliveries(town) - before };
}

function refusedDeliveries({ sandbox }: Town): number {
  return [...sandbox.world.deliveries.values()].filter(
    ({ status, statusCode }) => status !== "pending" && statusCode >= 300,
  ).length;
}

async function watch({ url, memory }: Town, sizes: number[], health: number[], until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    const began = performance.now();
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
    await answer?.arrayBuffer().catch(() => undefined);
    health.push(answer?.ok === true ? performance.now() - began : Number.POSITIVE_INFINITY);
    sizes.push(memory()?.now ?? Number.NaN);
    await sleep(SAMPLE_EVERY_MS, undefined, { signal: until }).catch(() => undefined);
  }
}

function attack(town: Town): { stop(): Promise<Counts> } {
  const child = fork(new URL("./attackers.ts", import.meta.url));
  const { hostile, people, issuer, sandbox } = town;
  const full = `${people.evil.login}/${hostile.name}`;
  const access = issuer.grant({
    sub: `repo:${full}:ref:refs/heads/main`,
    repository: full,
    repository_id: `${hostile.id}`,
    repository_owner: people.evil.login,
    repository_owner_id: `${people.evil.id}`,
    repository_visibility: "public",
    run_id: "4711",
    run_number: "1",
    run_attempt: "1",
    workflow: "evil",
    workflow_ref: `${full}/.github/workflows/evil.yml@refs/heads/main`,
    workflow_sha: "0".repeat(40),
    job_workflow_ref: `${full}/.github/workflows/evil.yml@refs/heads/main`,
    job_workflow_sha: "0".repeat(40),
    runner_environment: "self-hosted",
    ref: "refs/heads/main",
    ref_type: "branch",
    ref_protected: "false",
    head_ref: "",
    base_ref: "",
    sha: "0".repeat(40),
    actor: people.mallory.login,
    actor_id: `${people.mallory.id}`,
    event_name: "push",
    check_run_id: "815",
  });
  const captured = [...sandbox.world.deliveries.values()].find(({ event }) => event === "pull_request_review");
  const target: Target = {
    url: town.url,
    oidc: access,
    repository: { id: `${hostile.id}`, runId: "4711" },
    secret: SECRET,
    captured: { event: captured?.event ?? "ping", body: captured?.request.body ?? "{}" },
  };
  child.send(target);
  return {
    stop: async () => {
      const told = once(child, "message");
      child.send("stop");
      const [counts] = await told;
      return counts as Counts;
    },
  };
}

function tell(what: string, { walked, memory, health, refused }: Phase): void {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
  console.log(
    `${what}: ${walked.times.length} events reached their labels, median ${seconds(at(walked.times, 0.5))}, p95 ${seconds(at(walked.times, 0.95))}, at most ${seconds(at(walked.times, 1))}; lost ${walked.lost.length}; webhooks not taken at once ${refused}`,
  );
  console.log(
    `${what}: /healthz median ${seconds(at(health, 0.5))}, at most ${seconds(at(health, 1))}; memory median ${at(memory, 0.5).toFixed(0)} MiB, at most ${at(memory, 1).toFixed(0)} MiB`,
  );
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
