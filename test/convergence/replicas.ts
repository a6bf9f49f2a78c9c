/** Two or three processes on one store: killed, frozen beyond their leases and thawed, stopped in order, joined. */
import type { Store } from "../../app/store/model.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import { openMemoryStore } from "../app/store/memory.ts";
import type { Random } from "../simulation/random.ts";
import type { VirtualClock } from "./clock.ts";
import type { SentRequest, SimulatedGitHub } from "./github.ts";
import { WatchedOwners } from "./owners.ts";
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
/** How often, where something is to happen, it happens to whoever sends a certain request next, while that is on its way. */
const AMBUSH = 0.5;
/** So long such a request is on its way: its sender's lease ends before it arrives, a request's timeout after that not. */
const LATE_MS = [8_000, 14_500] as const;
/** Whoever is frozen then is thawed after so long: others have had time to take over, to wait and to work. */
const THAWED_MS = [10_000, 60_000] as const;

export interface ReplicasOptions {
  readonly count: number;
  readonly random: Random;
  /** Tells what happens to them in between. */
  readonly say: (line: string) => void;
}

/** What is waited for, and what becomes of its sender. */
interface Ambush {
  readonly meets: (request: SentRequest) => boolean;
  readonly kills: boolean;
}

const MADE = /createCheckRun|addComment/u;
const MEETS = [
  // What would be there twice.
  ({ url, body, writes }: SentRequest) => writes && (MADE.test(body) || url.endsWith("/comments")),
  ({ writes }: SentRequest) => writes,
  () => true,
] as const;

export class Replicas {
  readonly store: Store;
  readonly #random: Random;
  readonly #clock: VirtualClock;
  readonly #processes: readonly AppProcess[];
  readonly #owners: WatchedOwners;
  readonly #say: (line: string) => void;
  #ambush: Ambush | null = null;
  readonly #sum = { takeovers: 0, handovers: 0, frozen: 0, lost: 0 };

  private constructor(
    store: Store,
    clock: VirtualClock,
    random: Random,
    processes: readonly AppProcess[],
    owners: WatchedOwners,
    say: (line: string) => void,
  ) {
    this.#owners = owners;
    this.#say = say;
    this.store = store;
    this.#clock = clock;
    this.#random = random;
    this.#processes = processes;
  }

  static async open(
    clock: VirtualClock,
    github: SimulatedGitHub,
    rules: Pick<Rules, "policy">,
    breakage: Breakage,
    { count, random, say }: ReplicasOptions,
  ): Promise<Replicas> {
    const store = await openMemoryStore({ now: clock.now });
    const processes: AppProcess[] = [];
    const relay: NonNullable<Parameters<typeof AppProcess.open>[4]>["relay"] = (topic, about, from) => {
      for (const each of processes) {
        if (each !== from && !random.chance(UNHEARD)) {
          each.hear(topic, about);
        }
      }
    };
    const owners = new WatchedOwners();
    const watch = (own: Store): Store => owners.watch(own);
    let lives = 0;
    const name = (): string => {
      lives += 1;
      return `replica ${lives}`;
    };
    for (let nth = 0; nth < count; nth += 1) {
      processes.push(await AppProcess.open(clock, github, rules, breakage, { store, relay, name, watch }));
    }
    const replicas = new Replicas(store, clock, random, processes, owners, say);
    github.slow = (request) => replicas.#met(request) ?? (random.chance(SLOW) ? random.between(1, SLOW_MOST_MS) : 0);
    return replicas;
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
        each.thaw();
        await this.#clock.advance(1);
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
    if (this.#ambush === null && this.#random.chance(AMBUSH)) {
      this.#ambush = { meets: this.#random.pick(MEETS), kills: this.#random.chance(0.3) };
      return { what: "a request is waited for", killed: false };
    }
    const nth = this.#random.between(0, this.#processes.length - 1);
    const each = this.#processes[nth];
    const chance = this.#random.next();
    const said = (what: string, killed = false) => ({ what: `replica ${nth} ${what}`, killed });
    if (each === undefined || !each.running) {
      await each?.start();
      return said("joins");
    }
    if (each.frozen && chance < 0.7) {
      each.thaw();
      await this.#clock.advance(1);
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

  /** Freezes or kills who sends what was waited for, if another is there to take over; how long it is on its way then. */
  #met(request: SentRequest): number | null {
    const ambush = this.#ambush;
    const sender = this.#listening.find((each) => each.began(request.by));
    if (ambush === null || sender === undefined || this.#listening.length < 2 || !ambush.meets(request)) {
      return null;
    }
    this.#ambush = null;
    const nth = this.#processes.indexOf(sender);
    const what = request.writes ? "a change" : "a question";
    this.#say(`replica ${nth} is ${ambush.kills ? "killed" : "frozen"} with ${what} on its way`);
    if (ambush.kills) {
      this.#end(sender);
      sender.kill();
    } else {
      this.#sum.frozen += 1;
      sender.freeze();
      const thaw = this.#random.between(...THAWED_MS);
      const thawed = (): void => {
        if (sender.frozen && sender.began(request.by)) {
          this.#say(`replica ${nth} is thawed`);
          sender.thaw();
        }
      };
      this.#clock.as(null, () => setTimeout(thawed, thaw));
    }
    return this.#random.between(...LATE_MS);
  }

  /** One sentence for each way in which somebody did what was another's. */
  get violations(): string[] {
    return [...this.#owners.violations];
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
