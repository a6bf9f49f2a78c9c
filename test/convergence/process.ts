/** The app as a process that can be killed: the real engine over a store that outlives it. */
import { pino } from "pino";
import { createEngine, type Engine } from "../../app/app.ts";
import { watchedClient } from "../../app/github-cache/clients.ts";
import type { Store } from "../../app/store/model.ts";
import { type ReplicaCounts, ReplicaOwnership } from "../../app/work/replicas/replica.ts";
import { createRuntime } from "../../app/work/runtime.ts";
import { DEFAULT_TIMINGS, type Timings } from "../../app/work/timings.ts";
import { type Topic, Wakeups } from "../../app/work/wakeups.ts";
import type { GitHubClient } from "../../src/github/port.ts";
import { deliveryOrder } from "../../src/github/webhooks/webhook.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import { openMemoryStore } from "../app/store/memory.ts";
import type { Freezable, VirtualClock } from "./clock.ts";
import { died, type SimulatedGitHub } from "./github.ts";
import type { Rules } from "./rules.ts";

const SILENT = pino({ level: "silent" });

/** What a broken variant puts in place of the real parts. */
export interface Breakage {
  readonly store?: (store: Store) => Store;
  readonly sweeps?: boolean;
  /** Found out among so many processes; default: one. */
  readonly replicas?: number;
  /** The policy that the app goes by, instead of the one that there is. */
  readonly policy?: (now: Policy, first: Policy) => Policy;
}

/** One of several on one store. */
export interface Shared {
  readonly store: Store;
  /** Of each life another. */
  readonly name: () => string;
  /** What it says to the others. */
  readonly relay: (topic: Topic, about: number | null, from: AppProcess) => void;
  /** The store as one of its lives uses it. */
  readonly watch: (store: Store) => Store;
}

/** Fewer looks, so that a story takes less time; leases so short that requests are on their way when one ends. */
const SHARED_TIMINGS = { lease: 6_000, beatEvery: 5_000, sharedPoll: 60_000 };

export class AppProcess {
  readonly store: Store;
  readonly #shared: Shared | null;
  readonly #clock: VirtualClock;
  readonly #github: SimulatedGitHub;
  readonly #breakage: Breakage;
  readonly #rules: Pick<Rules, "policy">;
  readonly #first: Policy;
  #engine: Engine | null = null;
  /** Which life this is. */
  #life = 0;
  /** Its timers do not fire, and what it is answered it does not hear, while it is frozen. */
  #self: Freezable = { frozen: false };
  #wakeups: Wakeups | null = null;
  #ownership: ReplicaOwnership | null = null;

  private constructor(
    store: Store,
    clock: VirtualClock,
    github: SimulatedGitHub,
    rules: Pick<Rules, "policy">,
    breakage: Breakage,
    shared: Shared | null,
  ) {
    this.store = store;
    this.#shared = shared;
    this.#rules = rules;
    this.#first = rules.policy;
    this.#clock = clock;
    this.#github = github;
    this.#breakage = breakage;
  }

  static async open(
    clock: VirtualClock,
    github: SimulatedGitHub,
    rules: Pick<Rules, "policy">,
    breakage: Breakage = {},
    shared: Shared | null = null,
  ): Promise<AppProcess> {
    const store = shared?.store ?? (await openMemoryStore({ now: clock.now }));
    return new AppProcess(store, clock, github, rules, breakage, shared);
  }

  get frozen(): boolean {
    return this.#self.frozen;
  }

  /** Whether it is what this life of the process began. */
  began(what: Freezable | null): boolean {
    return what === this.#self;
  }

  /** As SIGSTOP does: nothing of it goes on. */
  freeze(): void {
    this.#self.frozen = true;
  }

  /** As SIGCONT does; what it waited for goes on with the clock. */
  thaw(): void {
    this.#self.frozen = false;
  }

  get counts(): ReplicaCounts {
    return this.#ownership?.counts ?? { takeovers: 0, handovers: 0, lost: 0 };
  }

  /** Another has said that there may be something to do. */
  hear(topic: Topic, about: number | null): void {
    if (this.#engine !== null && !this.#self.frozen) {
      this.#clock.as(this.#self, () => this.#wakeups?.hear(topic, about));
    }
  }

  /** In order: it finishes what it has in hand and gives back what it has. */
  async leave(): Promise<void> {
    const engine = this.#engine;
    this.#engine = null;
    if (engine !== null) {
      const left = this.#clock.as(this.#self, () => engine.stop());
      left.catch((error: unknown) => this.#github.faults.push(error));
      await this.#clock.settle();
    }
  }

  get running(): boolean {
    return this.#engine !== null;
  }

  async start(): Promise<void> {
    this.#self = { frozen: false };
    await this.#clock.as(this.#self, () => this.#start());
  }

  async #start(): Promise<void> {
    this.#life += 1;
    const life = this.#life;
    const alive = (): boolean => this.#life === life;
    const store = fenced(this.store, alive);
    const github = this.#github;
    const { policy } = this.#breakage;
    const policies =
      policy === undefined
        ? {}
        : {
            policies: {
              of: async () => policy(this.#rules.policy, this.#first),
              known: async () => policy(this.#rules.policy, this.#first),
              mayHaveChanged: async () => true,
              namedMayHaveChanged: async () => undefined,
            },
          };
    const perhapsBroken = this.#breakage.store?.(store) ?? store;
    const own = this.#shared?.watch(perhapsBroken) ?? perhapsBroken;
    const timings = {
      ...DEFAULT_TIMINGS,
      ...(this.#breakage.sweeps === false ? NO_SWEEPS : {}),
      ...(this.#shared === null ? {} : SHARED_TIMINGS),
    };
    const wakeups = new Wakeups();
    const ownership = this.#shared === null ? null : this.#replica(own, wakeups, timings);
    this.#wakeups = wakeups;
    this.#ownership = ownership;
    // As the app's own clients do: who is killed while GitHub is asked did not die of what asks.
    const heeded = this.#shared === null ? (client: GitHubClient) => client : watchedClient;
    const engine = createEngine({
      ...policies,
      runtime: createRuntime({
        store: own,
        wakeups,
        ...(ownership === null ? {} : { ownership }),
        clients: {
          installation: async (id) => heeded(github.client(id, alive)),
          app: async () => github.client("app", alive),
        },
        log: SILENT,
        timings,
        now: this.#clock.now,
      }),
      ourselves: () => ({ appId: github.app.id, botLogin: "stagewright[bot]" }),
      publicUrl: null,
    });
    this.#engine = engine;
    const started = engine.start();
    started.catch((error: unknown) => this.#github.faults.push(error));
    await this.#clock.settle();
  }

  #replica(store: Store, wakeups: Wakeups, timings: Timings): ReplicaOwnership {
    const { now } = this.#clock;
    const replica = { id: this.#shared?.name() ?? "", address: null, version: "1" };
    wakeups.relay(
      (topic, about) => this.#shared?.relay(topic, about, this),
      () => store.claims.inForce() !== null,
    );
    return new ReplicaOwnership({ store, replica, log: SILENT, now, timings, wakeups });
  }

  /** At once, whatever it was doing. What it had asked of store or GitHub may still happen; it hears of nothing. */
  kill(): void {
    this.#life += 1;
    this.#engine = null;
  }

  /** False: there was nobody to take it. */
  async deliver(delivery: Delivery): Promise<boolean> {
    const engine = this.#engine;
    if (engine === null) {
      return false;
    }
    const content: unknown = JSON.parse(delivery.request.body);
    void this.#clock.as(this.#self, () =>
      engine.inbox.accept({
        id: delivery.guid,
        event: delivery.event,
        payload: delivery.request.body,
        ...deliveryOrder(delivery.event, content),
        receivedAt: this.#clock.now(),
      }),
    );
    await this.#clock.settle();
    return true;
  }
}

/** What only runs what it is given. */
const SYNCHRONOUS: ReadonlySet<string> = new Set(["inForce", "outside", "within"]);

const NEVER = 1e12;
const NO_SWEEPS = { sweepEvery: NEVER, reconcileDelay: NEVER, deliveriesEvery: NEVER };

/** The store as one life of the process sees it: from its end on no call begins, and none returns. */
function fenced<T extends object>(target: T, alive: () => boolean): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver);
      if (typeof value === "function" && SYNCHRONOUS.has(String(key))) {
        return value.bind(object);
      }
      if (typeof value === "function") {
        return async (...args: unknown[]) => {
          await died(alive);
          const result: unknown = await Reflect.apply(value, object, args);
          await died(alive);
          return result;
        };
      }
      return typeof value === "object" && value !== null ? fenced(value, alive) : value;
    },
  });
}
