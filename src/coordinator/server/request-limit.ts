/** How many requests one agent may send. */
import { LRUCache } from "lru-cache";
import { PLAN_BOUNDS } from "../../plan/bounds.ts";
import { Refusal } from "../protocol/refusal.ts";

/** Counts requests of each session over ten seconds. */
export class RequestLimit {
  readonly #most: number;
  /** A session that is forgotten for others begins anew: at worst it is counted too low. */
  readonly #counts = new LRUCache<string, { since: number; count: number }>({ max: 2 * PLAN_BOUNDS.agents });

  constructor(perSecond: number) {
    this.#most = perSecond * 10;
  }

  /** @throws Refusal `too_many` */
  check(session: string): void {
    const now = performance.now();
    const seen = this.#counts.get(session);
    if (seen === undefined || now - seen.since > 10_000) this.#counts.set(session, { since: now, count: 1 });
    else if (++seen.count > this.#most) {
      throw new Refusal("too_many", `more than ${this.#most} requests of one agent in ten seconds`);
    }
  }

  forget(session: string): void {
    this.#counts.delete(session);
  }
}
