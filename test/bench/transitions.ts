/** What a move costs on GitHub: GraphQL requests counted by the sandbox, and seconds for many moves at once. */
import { addLabelsByName, asUser, type PullRequest } from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import type { Bench } from "./bench.ts";
import { type Counted, counted } from "./counted.ts";
import { oneAtATime, type Tally } from "./one-at-a-time.ts";

const MANY = 50;
/** Of them, one call at a time: each takes three writes, and the last as long as the first. */
const SOME = 10;
const MANY_MORE = 200;
/** GitHub asks for a second between writes. */
const PACE_MS = 1_000;
const SLOW_MS = 200;

export const bench: Bench = {
  what: "GitHub requests per transition, counted by the sandbox",
  async *run() {
    const house = await openHouse();
    try {
      const pull = house.open();
      await house.settled();
      house.later();
      house.requests();
      addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["ready-for-qa"]);
      await house.settled();
      yield `one pull request: ${count(house.requests())} GraphQL request for its move (aim 1)`;

      addLabelsByName(house.sandbox.world, asUser(house.cleo), pull, ["documentation"]);
      await house.settled();
      yield `an event that changes nothing: ${count(house.requests())} requests (aim 0)`;
    } finally {
      await house.close();
    }
    yield await behindTheScenes();
    yield `${MANY} pull requests become ready at once, next to one call at a time (${SOME} of them, and so much for each)`;
    // They wait nearly all of the time, so they may run side by side.
    const [pacedOurs, pacedTheirs, slowOurs, slowTheirs] = await Promise.all([
      ours(0),
      theirs(0),
      ours(SLOW_MS),
      theirs(SLOW_MS),
    ]);
    yield line("a write a second", pacedOurs, pacedTheirs);
    yield line(`a write a second, ${SLOW_MS} ms for each mutation`, slowOurs, slowTheirs);
  },
};

function line(how: string, we: Tally, they: Tally): string {
  const ratio = (we.seconds / they.seconds).toFixed(2);
  return [
    `${how}: ${we.right} right with ${we.requests} requests in ${we.seconds.toFixed(1)} s`,
    `one at a time ${they.right} right with ${they.requests} requests in ${they.seconds.toFixed(1)} s`,
    `ratio ${ratio} (aim: at most 12 requests, 0.1)`,
  ].join(" | ");
}

/** A house with so many pull requests in their first stage. */
async function prepared(
  writeInterval: number,
  many = MANY,
  store?: Counted["store"],
): Promise<{ house: House; pulls: PullRequest[] }> {
  const house = await openHouse({ timings: { writeInterval }, ...(store === undefined ? {} : { store }) });
  const pulls = Array.from({ length: many }, (_, n) => house.open({ branch: `bench-${n}` }));
  await house.settled();
  // On a busy machine a request may have been given up and be tried again later.
  await house.until("all are in their first stage", () => inStage(house, pulls, "pr-created") === many);
  house.later();
  return { house, pulls };
}

function inStage(house: House, pulls: readonly PullRequest[], stage: string): number {
  return pulls.filter((each) => house.stageLabels(each).join() === `stage/${stage}`).length;
}

/** What is done for each move besides GitHub's requests. Storing webhooks is told apart: it is the same for all events. */
async function behindTheScenes(): Promise<string> {
  const counts = counted();
  const { house, pulls } = await prepared(PACE_MS, MANY_MORE, counts.store);
  try {
    counts.calls();
    counts.evaluations();
    for (const each of pulls) addLabelsByName(house.sandbox.world, asUser(house.cleo), each, ["ready-for-qa"]);
    await house.settled();
    await house.until("all have moved", () => inStage(house, pulls, "ready-for-qa") === MANY_MORE);
    const calls = counts.calls();
    const all = [...calls.values()].reduce((sum, each) => sum + each, 0);
    const stored = calls.get("acceptDeliveries") ?? 0;
    const each = (sum: number): string => (sum / MANY_MORE).toFixed(1);
    return `${MANY_MORE} moves at once: ${each(counts.evaluations())} evaluations each (aim 2), ${each(all - stored)} store calls (aim 20) besides ${each(stored)} to store webhooks`;
  } finally {
    counts.close();
    await house.close();
  }
}

async function ours(mutationMs: number): Promise<Tally> {
  const { house, pulls } = await prepared(PACE_MS);
  try {
    slow(house, mutationMs);
    house.sandbox.requests.clear();
    const right = () => inStage(house, pulls, "ready-for-qa");
    const started = performance.now();
    for (const each of pulls) addLabelsByName(house.sandbox.world, asUser(house.cleo), each, ["ready-for-qa"]);
    await house.settled();
    await house.until("all have moved", () => right() === MANY);
    const seconds = (performance.now() - started) / 1000;
    return { requests: house.sandbox.requests.counts().total, seconds, right: right() };
  } finally {
    await house.close();
  }
}

async function theirs(mutationMs: number): Promise<Tally> {
  const { house, pulls } = await prepared(0, SOME);
  try {
    // Nobody else moves them.
    house.sandbox.faults.place({ kind: "hookDrop", match: {}, times: 1_000_000 });
    slow(house, mutationMs);
    const { requests, seconds, right } = await oneAtATime(house, pulls, PACE_MS);
    const times = MANY / SOME;
    return { requests: requests * times, seconds: seconds * times, right: right * times };
  } finally {
    house.sandbox.faults.clear();
    await house.close();
  }
}

function slow(house: House, ms: number): void {
  if (ms > 0) house.sandbox.faults.place({ kind: "delay", match: {}, times: 1_000_000, ms, perWrite: true });
}

function count(requests: Record<string, number>): number {
  return Object.values(requests).reduce((sum, each) => sum + each, 0);
}
