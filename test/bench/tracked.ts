/** What a tracked pull request takes of memory and disk, and what many of them cost an event and a sweep. */
import { statSync } from "node:fs";
import { addLabelsByName, asUser } from "../../src/sandbox/world/index.ts";
import { type AppBeside, appBeside } from "./app-beside.ts";
import { type Bench, median, milliseconds } from "./bench.ts";

const SIZES = [1_000, 10_000, 100_000] as const;
const SWEPT = 1_000;
const ROUNDS = 5;
const EVENTS = 50;

export const bench: Bench = {
  what: "memory, disk, events and sweeps of open pull requests that nothing happens to",
  async *run() {
    const beside = await appBeside(1, 20);
    try {
      yield* sizes(beside);
    } finally {
      await beside.close();
    }
    const many = await appBeside(1, SWEPT);
    try {
      yield await swept(many);
    } finally {
      await many.close();
    }
  },
};

async function* sizes(beside: AppBeside): AsyncIterable<string> {
  const [place] = beside.places;
  // Of those that events come for, it is none.
  const pull = place?.pulls.at(-1);
  if (place === undefined || pull === undefined) throw new Error("There is no pull request.");
  const of = { repositoryId: place.repository.id, number: pull.number };
  let known = 0;
  let first: { readonly heap: number; readonly cpu: number } | null = null;
  for (const size of SIZES) {
    const before = bytesOf(beside);
    await beside.ask({ ask: "copies", of, from: 1_000_000 + known, count: size - known });
    const disk = (bytesOf(beside) - before) / (size - known);
    known = size;
    const cpu = median(await rounds(() => eventCost(beside)));
    const heap = (await beside.ask({ ask: "heap" })).heap ?? Number.NaN;
    first ??= { heap, cpu };
    yield `${size.toLocaleString("en")}: ${(disk / 1_024).toFixed(1)} KiB of disk each (aim 8) | heap ${(heap / 2 ** 20).toFixed(0)} MiB, ratio to ${SIZES[0].toLocaleString("en")} ${(heap / first.heap).toFixed(2)} (aim 1) | an event ${milliseconds(cpu)} of CPU, ratio ${(cpu / first.cpu).toFixed(2)} (aim 1)`;
  }
}

async function swept(beside: AppBeside): Promise<string> {
  const repositoryId = beside.places[0]?.repository.id ?? 0;
  const once = async (): Promise<number> => {
    const before = await cpuOf(beside);
    const { swept: report } = await beside.ask({ ask: "sweep", repositoryId });
    if (report?.open !== SWEPT) throw new Error(`${report?.open} were swept`);
    return ((await cpuOf(beside)) - before) / SWEPT;
  };
  await once();
  const costs = await rounds(once);
  return `a sweep of ${SWEPT.toLocaleString("en")} that are unchanged: ${milliseconds(median(costs))} (${milliseconds(Math.min(...costs))} to ${milliseconds(Math.max(...costs))}) of CPU each (aim 1 ms)`;
}

/** An event that changes nothing. Milliseconds of CPU. */
async function eventCost(beside: AppBeside): Promise<number> {
  const pulls = beside.places[0]?.pulls.slice(0, -1) ?? [];
  const before = await cpuOf(beside);
  for (let n = 0; n < EVENTS; n += 1) {
    const pull = pulls[n % pulls.length];
    if (pull !== undefined) {
      counter += 1;
      addLabelsByName(beside.sandbox.world, asUser(beside.cleo), pull, [`area-${counter}`]);
    }
  }
  await beside.settled();
  return ((await cpuOf(beside)) - before) / EVENTS;
}

let counter = 0;

async function rounds(measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) values.push(await measure());
  return values;
}

async function cpuOf(beside: AppBeside): Promise<number> {
  return (await beside.ask({ ask: "cpu" })).cpu ?? Number.NaN;
}

/** Of the database with what SQLite keeps beside it. */
function bytesOf({ databaseFile }: AppBeside): number {
  return ["", "-wal"].reduce(
    (sum, end) => sum + (statSync(`${databaseFile}${end}`, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
