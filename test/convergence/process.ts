/** The app as a process that can be killed: the real engine over a store that outlives it. */
import { pino } from "pino";
import { createEngine, type Engine } from "../../app/app.ts";
import type { Store } from "../../app/store/model.ts";
import { openStore } from "../../app/store/open.ts";
import { createRuntime } from "../../app/work/runtime.ts";
import { DEFAULT_TIMINGS } from "../../app/work/timings.ts";
import { deliveryOrder } from "../../src/github/webhooks/webhook.ts";
import type { Policy } from "../../src/lifecycle/policy/policy.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import type { VirtualClock } from "./clock.ts";
import { died, type SimulatedGitHub } from "./github.ts";
import type { Rules } from "./rules.ts";

const SILENT = pino({ level: "silent" });

/** What a broken variant puts in place of the real parts. */
export interface Breakage {
  readonly store?: (store: Store) => Store;
  readonly sweeps?: boolean;
  /** The policy that the app goes by, instead of the one that there is. */
  readonly policy?: (now: Policy, first: Policy) => Policy;
}

export class AppProcess {
  readonly store: Store;
  readonly #clock: VirtualClock;
  readonly #github: SimulatedGitHub;
  readonly #breakage: Breakage;
  readonly #rules: Pick<Rules, "policy">;
  readonly #first: Policy;
  #engine: Engine | null = null;
  /** Which life this is. */
  #life = 0;

  private constructor(
    store: Store,
    clock: VirtualClock,
    github: SimulatedGitHub,
    rules: Pick<Rules, "policy">,
    breakage: Breakage,
  ) {
    this.store = store;
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
  ): Promise<AppProcess> {
    return new AppProcess(await openStore("sqlite::memory:"), clock, github, rules, breakage);
  }

  get running(): boolean {
    return this.#engine !== null;
  }

  async start(): Promise<void> {
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
    const engine = createEngine({
      ...policies,
      runtime: createRuntime({
        store: this.#breakage.store?.(store) ?? store,
        clients: {
          installation: async (id) => github.client(id, alive),
          app: async () => github.client("app", alive),
        },
        log: SILENT,
        timings: this.#breakage.sweeps === false ? { ...DEFAULT_TIMINGS, ...NO_SWEEPS } : DEFAULT_TIMINGS,
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
    void engine.inbox.accept({
      id: delivery.guid,
      event: delivery.event,
      payload: delivery.request.body,
      ...deliveryOrder(delivery.event, content),
      receivedAt: this.#clock.now(),
    });
    await this.#clock.settle();
    return true;
  }
}

const NEVER = 1e12;
const NO_SWEEPS = { sweepEvery: NEVER, reconcileDelay: NEVER, deliveriesEvery: NEVER };

/** The store as one life of the process sees it: from its end on no call begins, and none returns. */
function fenced<T extends object>(target: T, alive: () => boolean): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver);
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
