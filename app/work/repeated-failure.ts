import type { Logger } from "pino";

/** What lasts is told again after this. */
const AGAIN_MS = 60_000;

export interface RepeatedFailureOptions {
  readonly log: Pick<Logger, "error" | "info">;
  readonly now: () => number;
  readonly failing: string;
  readonly over: string;
}

/** Tells of a failure that repeats when it begins, each minute while it lasts, and when it is over: not each time. */
export class RepeatedFailure {
  readonly #options: RepeatedFailureOptions;
  #times = 0;
  #toldAt: number | null = null;

  constructor(options: RepeatedFailureOptions) {
    this.#options = options;
  }

  /** It failed again, so many times. */
  failed(error: unknown, times = 1): void {
    const { log, now, failing } = this.#options;
    this.#times += times;
    const at = now();
    if (this.#toldAt === null || at - this.#toldAt >= AGAIN_MS) {
      this.#toldAt = at;
      log.error({ err: error, times: this.#times }, failing);
    }
  }

  succeeded(): void {
    if (this.#toldAt !== null) {
      this.#options.log.info({ times: this.#times }, this.#options.over);
      this.#times = 0;
      this.#toldAt = null;
    }
  }
}
