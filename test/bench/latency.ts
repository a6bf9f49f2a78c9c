/** How soon an event is part of an evaluation, so that what is to be written is ready: GitHub's pace has no part in it. */
import { setTimeout as sleep } from "node:timers/promises";
import { addLabelsByName, asUser, createStatus, labelsOn, removeLabelByName } from "../../src/sandbox/world/index.ts";
import { type AppBeside, appBeside, type Place } from "./app-beside.ts";
import { type Bench, milliseconds, percentile } from "./bench.ts";

const RATES = [10, 100, 300] as const;
const INSTALLATIONS = [20, 200] as const;
/** Pull requests of all installations together. */
const PULLS = 400;
const SECONDS = 10;
/** Of the acts, one of so many moves a pull request; the others change nothing. */
const MOVES = 10;

export const bench: Bench = {
  what: `event to evaluation at ${RATES.join(", ")} deliveries a second, of which some move a pull request`,
  async *run() {
    for (const installations of INSTALLATIONS) {
      const beside = await appBeside(installations, PULLS / installations);
      try {
        for (const rate of RATES) yield `${installations} installations, ${await at(beside, rate)}`;
      } finally {
        await beside.close();
      }
    }
  },
};

async function at(beside: AppBeside, rate: number): Promise<string> {
  const { world } = beside.sandbox;
  await beside.settled();
  await beside.ask({ ask: "latencies" });
  const before = world.deliveries.size;
  const started = performance.now();
  for (let acts = 0; performance.now() - started < SECONDS * 1_000; acts += 1) {
    // What the app itself does comes back as deliveries, too.
    const due = (world.deliveries.size - before) / rate - (performance.now() - started) / 1_000;
    if (due > 0) await sleep(due * 1_000);
    act(beside, acts);
    if (acts % 20 === 0) await sleep(0);
  }
  const seconds = (performance.now() - started) / 1_000;
  const sent = (world.deliveries.size - before) / seconds;
  await beside.settled();
  const { latencies = [] } = await beside.ask({ ask: "latencies" });
  const [middle, most] = [50, 99].map((percent) => milliseconds(percentile(latencies, percent)));
  return `${sent.toFixed(0)} deliveries/s: median ${middle}, p99 ${most} (aim 300 ms) over ${latencies.length} evaluations`;
}

function act({ sandbox, places, cleo }: AppBeside, count: number): void {
  const place = places[count % places.length] as Place;
  const pull = place.pulls[Math.floor(count / places.length) % place.pulls.length];
  if (pull === undefined) return;
  const by = asUser(cleo);
  const isReady = labelsOn(sandbox.world, pull).some(({ name }) => name === "ready-for-qa");
  if (count % MOVES !== 0)
    createStatus(sandbox.world, by, place.repository, pull.head.sha, {
      state: "success",
      context: `area-${count % 7}`,
    });
  else if (isReady) removeLabelByName(sandbox.world, by, pull, "ready-for-qa");
  else addLabelsByName(sandbox.world, by, pull, ["ready-for-qa"]);
}
