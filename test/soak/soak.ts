/**
 * A crash test with nothing simulated but GitHub: the app's real processes over real HTTP, real agents, a load, and all
 * that can go wrong with processes, databases and GitHub. What must come of it is known: by an oracle that hears of
 * everything once and in order, by what stands in GitHub's world, and by what each plan says.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../app/store/model.ts";
import { openStore } from "../../app/store/open.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import { KEYS } from "../keys.ts";
import { Random } from "../simulation/random.ts";
import { Balancer } from "./balancer.ts";
import { type ChaosCounts, play, trouble } from "./chaos.ts";
import { openSoakDatabase, type SoakDatabase, type SoakDatabaseKind } from "./database.ts";
import { Groups } from "./groups.ts";
import { doubleComment, doubleStart } from "./plant.ts";
import { freePorts, Replica } from "./replica.ts";
import { buildTown, SECRET, type SoakTown } from "./town.ts";
import { Traffic } from "./traffic.ts";
import { Judge } from "./verdict.ts";
import { Carrier } from "./webhooks.ts";
import { StartedWorkflows } from "./workflows.ts";

export interface SoakOptions {
  readonly seed: number;
  readonly pulls: number;
  readonly runs: number;
  /** Of each run. */
  readonly agents: number;
  readonly stepSeconds: number;
  readonly kills: number;
  /** Whoever is killed had come to answer, however long that took; else it may be at its start. */
  readonly readyFirst: boolean;
  readonly freezes: number;
  readonly freezeMs: number;
  readonly restarts: number;
  readonly database: SoakDatabaseKind;
  readonly replicas: number;
  /** All of it happens within this. Milliseconds. */
  readonly within: number;
  /** Until all is as it must be. Milliseconds. */
  readonly patience: number;
  /** What has been wrong for so long, all of it and nothing else, will stay so. Milliseconds. */
  readonly stillness: number;
  /** GitHub answers badly, and loses webhooks. */
  readonly faults: boolean;
  /** Somebody presses “Redeliver” for what did not arrive; else the app finds it by itself. */
  readonly redeliver: boolean;
  /** Once all is as it must be, faults are placed that the judge has to find. */
  readonly plant: boolean;
  readonly organizations: number;
  /** Where databases and logs are kept; whoever calls removes it. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface SoakReport {
  readonly violations: readonly string[];
  /** What was found of the faults that were placed at the end. */
  readonly planted: readonly string[];
  readonly chaos: ChaosCounts;
  readonly webhooks: Carrier["counts"];
  readonly acts: number;
  readonly pulls: number;
  readonly started: number;
  readonly requests: number;
  readonly faults: number;
  /** Installations, and the app's own work, that were taken from whoever had not given them back. */
  readonly takeovers: number;
  /** From the last act until all was as it must be. Seconds. */
  readonly settled: number;
  /** MiB: of one process, the most it ever held; and all of them at the end. */
  readonly memory: { readonly peak: number; readonly end: readonly number[] };
  /** MiB. */
  readonly disk: number;
}

const LOOK_EVERY_MS = 1_000;
/** A delivery that the app does not have. */
const NEVER_SENT = "00000000-0000-0000-0000-000000000000";
/** Killed each few seconds, nobody would come to take anything over; and what was lost is to be found before the end. */
const WAITS =
  "lease=4,requestTimeout=5,deliveriesEvery=15,deliveryGrace=15,redeliverPause=10,askRuns=15,blockedPause=10,sharedPoll=5";
/** So many of those that are wrong are told. */
const MOST_TOLD = 100;

export async function soak(options: SoakOptions, say: (line: string) => void): Promise<SoakReport> {
  const closers: (() => Promise<void>)[] = [];
  try {
    return await new Soak(options, say, closers).run();
  } finally {
    for (const close of closers.reverse()) await close().catch((error: unknown) => say(String(error)));
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #say: (line: string) => void;
  readonly #closers: (() => Promise<void>)[];
  readonly #carrier = new Carrier();
  readonly #faults: string[] = [];
  readonly #unheard: Delivery[] = [];
  #judge: Judge | null = null;

  constructor(options: SoakOptions, say: (line: string) => void, closers: (() => Promise<void>)[]) {
    this.#options = options;
    this.#say = say;
    this.#closers = closers;
  }

  async run(): Promise<SoakReport> {
    const { organizations, seed, pulls, within, directory, runs, agents, stepSeconds, signal } = this.#options;
    const [address = 0, ...ports] = await freePorts(this.#options.replicas + 1);
    const url = `http://127.0.0.1:${address}`;
    const town = await buildTown({
      ...{ organizations, repositories: 2, webhooks: `${url}/api/github/webhooks` },
      post: (delivery, until) => {
        this.#hear(delivery);
        return this.#carrier.post(delivery, until);
      },
      report: (error) =>
        this.#faults.push(`GitHub's stand-in: ${error instanceof Error ? error.stack : String(error)}`),
    });
    this.#closers.push(() => town.sandbox.close());
    const database = await openSoakDatabase(this.#options.database, directory);
    this.#closers.push(() => database.close());
    const replicas = this.#replicas(town, database, url, ports);
    const balancer = await Balancer.open(address, ports);
    this.#closers.push(() => balancer.close());
    for (const replica of replicas) {
      replica.start();
      await replica.ready();
    }
    town.install();
    const workflows = new StartedWorkflows(town);
    this.#closers.push(async () => workflows.close());
    const traffic = new Traffic({ town, seed, pulls, within });
    const groups = new Groups({ town, runs, agents, coordinator: url, directory, within, stepSeconds });
    this.#closers.push(() => groups.close());
    const judge = await Judge.open({ town, walks: () => traffic.walks, started: () => workflows.byKey() });
    // What is on its way is still heard while the others end.
    this.#closers.unshift(() => judge.close());
    this.#begin(judge);
    await town.sandbox.webhooks.idle();

    const over = new AbortController();
    const until = AbortSignal.any([over.signal, signal]);
    const troubles = this.#options.faults
      ? trouble(town.sandbox.faults, new Random(seed + 1), until)
      : Promise.resolve(0);
    if (this.#options.faults) this.#carrier.mischief = new Random(seed + 3);
    const { kills, readyFirst, freezes, freezeMs, restarts } = this.#options;
    const random = new Random(seed + 2);
    const chaos = play({
      ...{ replicas, database, random, within, kills, readyFirst, freezes, freezeMs, restarts, signal, say: this.#say },
    });
    const playing = Promise.all([traffic.play(), chaos, groups.play()]);
    const [, counts] = await Promise.race([playing, aborted(signal)]);
    over.abort();
    this.#carrier.mischief = null;
    const faults = await troubles;
    for (const replica of replicas) await replica.ready();
    this.#say(`${traffic.acts} acts, ${counts.kills} kills; nothing happens any more`);
    const { left, planted, seconds } = await this.#settle(town, database, judge, groups, traffic);
    const memory = { end: replicas.map((each) => each.memory), peak: Math.max(...replicas.map((each) => each.peak)) };
    const accidents = replicas.flatMap((each) => each.accidents);
    return {
      violations: [...this.#faults, ...accidents, ...left],
      planted,
      ...{ chaos: counts, webhooks: this.#carrier.counts, acts: traffic.acts, pulls: traffic.walks.length },
      started: workflows.byKey().size,
      requests: town.sandbox.requests.counts().total,
      takeovers: replicas.reduce((sum, each) => sum + each.takeovers, 0),
      ...{ faults, settled: seconds, memory, disk: await database.size() },
    };
  }

  /** What came before there was somebody to hear it is heard first. */
  #begin(judge: Judge): void {
    this.#judge = judge;
    for (const delivery of this.#unheard.splice(0)) judge.hear(delivery);
  }

  #hear(delivery: Delivery): void {
    if (this.#judge === null) this.#unheard.push(delivery);
    else this.#judge.hear(delivery);
  }

  #replicas(town: SoakTown, database: SoakDatabase, url: string, ports: readonly number[]): Replica[] {
    const { directory } = this.#options;
    const env = {
      NODE_ENV: "production",
      LOG_LEVEL: "info",
      APP_ID: `${town.app.id}`,
      PRIVATE_KEY: KEYS.privateKey,
      WEBHOOK_SECRET: SECRET,
      GHE_HOST: new URL(town.sandbox.url).host,
      GHE_PROTOCOL: "http",
      OIDC_ISSUER: town.issuer.issuer(),
      PUBLIC_URL: url,
      HOST: "127.0.0.1",
      DATABASE_URL: database.url,
      STAGEWRIGHT_WRITE_INTERVAL_MS: "20",
      STAGEWRIGHT_RETRY_PAUSE_MS: "500",
      STAGEWRIGHT_SWEEP_MINUTES: "1",
      STAGEWRIGHT_WAIT_SECONDS: WAITS,
    };
    return ports.map((port, nth) => {
      const replica = new Replica({ name: `app-${nth}`, port, directory, env });
      this.#closers.push(() => replica.kill());
      return replica;
    });
  }

  /** Waits until all is as it must be, and looks at everything once more. */
  async #settle(town: SoakTown, database: SoakDatabase, judge: Judge, groups: Groups, traffic: Traffic) {
    const { patience, stillness, redeliver, signal } = this.#options;
    await town.sandbox.webhooks.idle();
    if (redeliver) this.#redeliver(town);
    const began = Date.now();
    const store = await openStore(database.url);
    try {
      let changedAt = began;
      for (let before = ""; ; ) {
        const found = [...(await judge.wrong(store, this.#carrier.taken, false)), ...groups.wrong()];
        const seconds = Math.round((Date.now() - began) / 1_000);
        if (found.join("\n") !== before) {
          this.#say(`after ${seconds} s: ${found.length} wrong, such as: ${found[0] ?? "-"}`);
          changedAt = Date.now();
        }
        before = found.join("\n");
        const late = Date.now() - began > patience || Date.now() - changedAt > stillness;
        if (found.length === 0 || late) {
          const left = await this.#all(store, judge, groups);
          if (left.length === 0 || late) {
            const planted = this.#options.plant ? await this.#plant(store, judge, town, traffic) : [];
            return { left: left.slice(0, MOST_TOLD), planted, seconds };
          }
        }
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    } finally {
      await store.close();
    }
  }

  async #all(store: Store, judge: Judge, groups: Groups): Promise<string[]> {
    return [...(await judge.wrong(store, this.#carrier.taken, true)), ...groups.wrong()];
  }

  /** What the judge says of a delivery that was lost, a comment and a start that are there twice. */
  async #plant(store: Store, judge: Judge, town: SoakTown, { walks }: Traffic): Promise<string[]> {
    doubleComment(town, walks);
    doubleStart(town);
    return await judge.wrong(store, [...this.#carrier.taken, NEVER_SENT], true);
  }

  #redeliver(town: SoakTown): void {
    const left = new Set(this.#carrier.left);
    for (const delivery of [...town.sandbox.world.deliveries.values()]) {
      if (left.delete(delivery.guid)) town.sandbox.webhooks.redeliver(delivery);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Error("The soak was ended."));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
