/** Tokens that GitHub refused, by whoever sent them: each costs a request, which counts against this app. */
import { LRUCache } from "lru-cache";

const WINDOW_MS = 60_000;
const PER_ADDRESS = 20;
const IN_ALL = 120;
const MOST_ADDRESSES = 10_000;

export class Strikes {
  readonly #now: () => number;
  readonly #addresses = new LRUCache<string, { since: number; count: number }>({ max: MOST_ADDRESSES });
  #all = { since: Number.NEGATIVE_INFINITY, count: 0 };

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds until this address may show another token; 0: it may now. */
  restOf(address: string): number {
    const over = [
      { seen: this.#addresses.get(address), most: PER_ADDRESS },
      { seen: this.#all, most: IN_ALL },
    ];
    const now = this.#now();
    return Math.max(
      0,
      ...over.map(({ seen, most }) => (seen === undefined || seen.count < most ? 0 : seen.since + WINDOW_MS - now)),
    );
  }

  strike(address: string): void {
    this.#addresses.set(address, this.#next(this.#addresses.get(address)));
    this.#all = this.#next(this.#all);
  }

  #next(seen: { since: number; count: number } | undefined): { since: number; count: number } {
    const now = this.#now();
    return seen === undefined || now - seen.since >= WINDOW_MS
      ? { since: now, count: 1 }
      : { since: seen.since, count: seen.count + 1 };
  }
}
