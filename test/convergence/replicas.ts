/** Two or three processes on one store: killed, frozen beyond their leases and thawed, stopped in order, joined. */
import type { Store } from "../../app/store/model.ts";
import { openStore } from "../../app/store/open.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import type { Random } from "../simulation/random.ts";
import type { VirtualClock } from "./clock.ts";
import type { SimulatedGitHub } from "./github.ts";
import { AppProcess, type Breakage } from "./process.ts";
import type { Rules } from "./rules.ts";

/** What happened to the replicas of a story. */
export interface ReplicaStory {
  readonly takeovers: number;
  readonly handovers: number;
  readonly frozen: number;
  readonly lost: number;
}

/** Of what they say to each other so much is heard by nobody. */
const UNHEARD = 0.2;
/** How often a request is on its way for a while, and how long at most: GitHub ends a request after 10 s. Milliseconds. */
const SLOW = 0.3;
const SLOW_MOST_MS = 9_000;

export class Replicas {
  readonly store: Store;
  readonly #random: Random;
  readonly #processes: readonly AppProcess[];
  readonly #sum = { takeovers: 0, handovers: 0, frozen: 0, lost: 0 };

  private constructor(store: Store, random: Random, processes: readonly AppProcess[]) {
    this.store = store;
    this.#random = random;
    this.#processes = processes;
  }

  static async open(
    clock: VirtualClock,
    github: SimulatedGitHub,
    rules: Pick<Rules, "policy">,
    breakage: Breakage,
    { count, random }: { readonly count: number; readonly random: Random },
  ): Promise<Replicas> {
    const store = await openStore("sqlite::memory:", { now: clock.now });
    const processes: AppProcess[] = [];
    const relay: NonNullable<Parameters<typeof AppProcess.open>[4]>["relay"] = (topic, about, from) => {
      for (const each of processes) {
        if (each !== from && !random.chance(UNHEARD)) {
          each.hear(topic, about);
        }
      }
    };
    let lives = 0;
    const name = (): string => {
      lives += 1;
      return `replica ${lives}`;
    };
    for (let nth = 0; nth < count; nth += 1) {
      processes.push(await AppProcess.open(clock, github, rules, breakage, { store, relay, name }));
    }
    github.slow = () => (random.chance(SLOW) ? random.between(1, SLOW_MOST_MS) : 0);
    return new Replicas(store, random, processes);
  }

  /** Somebody takes what comes. */
  get running(): boolean {
    return this.#listening.length > 0;
  }

  get #listening(): AppProcess[] {
    return this.#processes.filter((each) => each.running && !each.frozen);
  }

  /** All that do not run, or are frozen. */
  async start(): Promise<void> {
    for (const each of this.#processes) {
      if (each.frozen && each.running) {
        await each.thaw();
      } else if (!each.running) {
        await each.start();
      }
    }
  }

  /** All of them. */
  kill(): void {
    for (const each of this.#processes) {
      this.#end(each);
      each.kill();
    }
  }

  /** Whoever takes it. */
  async deliver(delivery: Delivery): Promise<boolean> {
    const [first, ...others] = this.#listening;
    return first !== undefined && (await this.#random.pick([first, ...others]).deliver(delivery));
  }

  /** Something happens to one of them. Says what; `killed`: at once. */
  async disturb(): Promise<{ readonly what: string; readonly killed: boolean }> {
    const nth = this.#random.between(0, this.#processes.length - 1);
    const each = this.#processes[nth];
    const chance = this.#random.next();
    const said = (what: string, killed = false) => ({ what: `replica ${nth} ${what}`, killed });
    if (each === undefined || !each.running) {
      await each?.start();
      return said("joins");
    }
    if (each.frozen && chance < 0.7) {
      await each.thaw();
      return said("is thawed");
    }
    if (chance < 0.35) {
      this.#sum.frozen += 1;
      each.freeze();
      return said("is frozen");
    }
    this.#end(each);
    if (chance < 0.7 || each.frozen) {
      each.kill();
      return said("is killed", true);
    }
    await each.leave();
    return said("is stopped");
  }

  get story(): ReplicaStory {
    return this.#sum;
  }

  /** What it counted is kept. */
  #end(each: AppProcess): void {
    if (each.running) {
      const { takeovers, handovers, lost } = each.counts;
      this.#sum.takeovers += takeovers;
      this.#sum.handovers += handovers;
      this.#sum.lost += lost;
    }
  }
}
