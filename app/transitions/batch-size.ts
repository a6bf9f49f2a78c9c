/**
 * How many mutations a request may hold: as many as take the time aimed at, as far as the answers told until now.
 * GitHub ends a request after 10 s, half applied, so a slow answer counts at once and a fast one by and by. Only
 * batches of transitions teach: what other requests take, and whether they fail, says nothing of these.
 */
export interface BatchSizeOptions {
  /** A request should take about so long. Milliseconds. */
  readonly target: number;
}

const FIRST = 20;
const LEAST = 5;
const MOST = 100;

export class BatchSize {
  readonly #target: number;
  #most = FIRST;
  /** Milliseconds for one mutation; null: nothing was answered yet. */
  #cost: number | null = null;

  constructor({ target }: BatchSizeOptions) {
    this.#target = target;
  }

  get mutations(): number {
    return this.#most;
  }

  /** Sends a request of so many mutations, and learns from how long its answer takes. */
  async learnFrom<T>(mutations: number, now: () => number, send: () => Promise<T>): Promise<T> {
    const began = now();
    try {
      const answer = await send();
      this.answered(mutations, now() - began);
      return answer;
    } catch (error) {
      this.failed(mutations, now() - began);
      throw error;
    }
  }

  /** A request of so many mutations was answered after `took` milliseconds. */
  answered(mutations: number, took: number): void {
    if (mutations === 0) {
      return;
    }
    this.#learn(mutations, took);
    this.#most = clamp(Math.min(this.#fitting(), this.#most * 2));
  }

  /** There was no answer after `took` milliseconds: it may have been too long for GitHub. */
  failed(mutations: number, took: number): void {
    if (mutations > 0 && took > this.#target) {
      this.#learn(mutations, took);
    }
    this.#most = clamp(Math.min(this.#fitting(), Math.floor(this.#most / 2)));
  }

  #learn(mutations: number, took: number): void {
    const cost = Math.max(took, 1) / mutations;
    this.#cost = this.#cost === null ? cost : Math.max(cost, (this.#cost + cost) / 2);
  }

  #fitting(): number {
    return this.#cost === null ? MOST : Math.floor(this.#target / this.#cost);
  }
}

function clamp(mutations: number): number {
  return Math.min(Math.max(mutations, LEAST), MOST);
}
