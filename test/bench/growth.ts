/** What an event costs where there is much already: in a large repository, in a storm, on a talkative pull request. */
import { setTimeout as sleep } from "node:timers/promises";
import { deliveryOrder } from "../../src/github/webhooks/webhook.ts";
import { addLabelsByName, asUser, type Delivery, required } from "../../src/sandbox/world/index.ts";
import { type House, openHouse } from "../app/house.ts";
import { another } from "./another-pull.ts";
import { type Bench, median, milliseconds } from "./bench.ts";

const ROUNDS = 5;
/** Of each round: one event is too short to be measured alone. */
const EVENTS = 10;

export const bench: Bench = {
  what: `CPU of events that change nothing on GitHub, medians of ${ROUNDS} interleaved rounds`,
  async *run() {
    yield* compare("an event in a repository of 10,000 open pull requests", "of 100", 1.5, [
      { pulls: 10_000, acts: 20, events: EVENTS },
      { pulls: 100, acts: 20, events: EVENTS },
    ]);
    yield* compare("a storm of 1,000 pull requests with an event each", "of 250", 4.5, [
      { pulls: 1_000, acts: 20, events: 1_000 },
      { pulls: 250, acts: 20, events: 250 },
    ]);
    yield* compare("an event of a pull request with 2,000 acts", "with 20", 3, [
      { pulls: 10, acts: 2_000, events: EVENTS },
      { pulls: 10, acts: 20, events: EVENTS },
    ]);
  },
};

interface Scene {
  readonly pulls: number;
  readonly acts: number;
  readonly events: number;
}

async function* compare(large: string, small: string, aim: number, scenes: [Scene, Scene]): AsyncIterable<string> {
  // Numbers of their own: what the app keeps of a pull request by its number must not be the other's.
  const grown = await Promise.all(scenes.map((scene, index) => grow(scene, (index + 1) * 100_000)));
  try {
    const [a, b]: [number[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const [first, second] = [await required(grown[0]).events(), await required(grown[1]).events()];
      // The first warms up.
      if (round > 0) {
        a.push(first);
        b.push(second);
      }
    }
    const ratios = a.map((value, n) => value / (b[n] ?? Number.NaN));
    yield `${large}: ${say(a)} | ${small}: ${say(b)} | ratio ${median(ratios).toFixed(2)} (aim ${aim})`;
  } finally {
    await Promise.all(grown.map(({ house }) => house.close()));
  }
}

function say(values: readonly number[]): string {
  return `${milliseconds(median(values))} (${milliseconds(Math.min(...values))} to ${milliseconds(Math.max(...values))})`;
}

/** A repository that has grown; `events` sends them, and resolves with the CPU that they took: each, or the storm's. */
async function grow(
  { pulls, acts, events }: Scene,
  first: number,
): Promise<{ house: House; events: () => Promise<number> }> {
  const house = await openHouse();
  const { world } = house.sandbox;
  const pull = house.open();
  await house.settled();
  house.later();
  addLabelsByName(world, asUser(house.cleo), pull, ["area-1"]);
  await house.settled();
  const label = required([...world.deliveries.values()].findLast(({ action }) => action === "labeled"));
  const row = required(await house.row(pull));
  for (let from = 1; from <= pulls; from += 500) {
    const numbers = Array.from({ length: Math.min(500, pulls - from + 1) }, (_, index) => first + from + index);
    await house.store.commit({ pulls: numbers.map((number) => another(row, number, acts)), now: Date.now() });
  }
  let sent = 0;
  return {
    house,
    events: async () => {
      const deliveries = Array.from({ length: events }, (_, index) => {
        sent += 1;
        return delivery(label, first + 1 + (index % pulls), `area-${sent}`);
      });
      const before = process.cpuUsage();
      await Promise.all(deliveries.map((each) => house.app.engine().inbox.accept(each)));
      await house.app.engine().idle();
      const { user, system } = process.cpuUsage(before);
      await sleep(5);
      return (user + system) / 1_000 / (events > EVENTS ? 1 : events);
    },
  };
}

function delivery(label: Delivery, number: number, name: string) {
  const payload = JSON.parse(label.request.body);
  const sha = number.toString(16).padStart(40, "0");
  Object.assign(payload, { number, label: { ...payload.label, name } });
  Object.assign(payload.pull_request, { number, node_id: `PR_${number}`, updated_at: new Date().toISOString() });
  payload.pull_request.head.sha = sha;
  payload.pull_request.labels = [...payload.pull_request.labels, { ...payload.label, name }];
  const receivedAt = Date.now();
  const order = deliveryOrder("pull_request", payload);
  return { id: `${number}-${name}`, event: "pull_request", payload: JSON.stringify(payload), ...order, receivedAt };
}
