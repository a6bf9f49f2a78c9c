/**
 * What everybody would know whom every webhook reaches, once, in the order in which it happened. The app, to which they
 * come late, twice, in another order or never, must come to the same.
 */
import { pino } from "pino";
import { GrantsKeeper } from "../../app/grants.ts";
import { Judge, type Judgement } from "../../app/judge.ts";
import { LabelIds } from "../../app/label-ids.ts";
import { Listener } from "../../app/listener.ts";
import { onePolicy } from "../../app/policies.ts";
import { StandingKeeper } from "../../app/standing.ts";
import { openStore } from "../../app/store/open.ts";
import type { Pull, Store } from "../../app/store/store.ts";
import { DEFAULT_TIMINGS } from "../../app/timings.ts";
import type { Policy } from "../../src/lifecycle/policy.ts";
import type { Delivery } from "../../src/sandbox/world/index.ts";
import type { VirtualClock } from "./clock.ts";
import type { SimulatedGitHub } from "./github.ts";

const log = pino({ level: "silent" });

export class Shadow {
  readonly store: Store;
  readonly #listener: Listener;
  readonly #judge: Judge;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: Store, clock: VirtualClock, github: SimulatedGitHub, policy: Policy) {
    this.store = store;
    const { now } = clock;
    const alive = (): boolean => true;
    const clients = {
      installation: async () => github.client("installation", alive, false),
      app: async () => github.client("app", alive, false),
    };
    const ourselves = () => ({ appId: github.app.id, botLogin: "stagewright[bot]" });
    const { requestTimeout, keepStanding } = DEFAULT_TIMINGS;
    const standing = new StandingKeeper({ store, now, keepMs: keepStanding });
    const policies = onePolicy(policy);
    this.#listener = new Listener({
      store,
      standing,
      labelIds: new LabelIds({ store, now, requestTimeout }),
      policies,
      grants: new GrantsKeeper({ store, clients, now, requestTimeout }),
      ourselves,
      log,
      now,
      wake: () => {},
      queued: () => {},
      outOfDate: () => {},
    });
    this.#judge = new Judge({ store, clients, standing, policies, ourselves, now, requestTimeout });
  }

  static async open(clock: VirtualClock, github: SimulatedGitHub, policy: Policy): Promise<Shadow> {
    return new Shadow(await openStore("sqlite::memory:"), clock, github, policy);
  }

  hear(delivery: Delivery): void {
    const { guid: id, event, request } = delivery;
    const content: unknown = JSON.parse(request.body);
    const told = { id, event, payload: request.body, key: "", receivedAt: 0, seq: delivery.id, nextAt: 0 };
    this.#turn = this.#turn.then(() =>
      this.#listener.handle({ ...told, status: "pending", tries: 0, error: null }, content),
    );
  }

  /** `row`: as the app has it; what it has shown so far counts for what it is to show. */
  async judge(row: Pull): Promise<Judgement | null> {
    await this.#turn;
    const own = await this.store.pull(row);
    const repository = await this.store.repository(row.repositoryId);
    return own === null || repository === null
      ? null
      : await this.#judge.judge({ ...own, shown: row.shown, blocked: row.blocked }, repository);
  }
}
