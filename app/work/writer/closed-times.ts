/** When an installation took no write of ours, for GitHub's sake: how long something waited for that, and not for us. */

interface Period {
  readonly from: number;
  readonly until: number;
}

/** Periods with less than this between them are one: nobody could have used it. Milliseconds. */
const GAP_MS = 20;
/** The newest are kept; what waited for older ones counts as having waited for us. */
const MOST_PERIODS = 64;

export class ClosedTimes {
  #periods: Period[] = [];

  /** Periods come in the order in which they begin. One that is longer than was said goes on where it ended. */
  add(from: number, until: number): void {
    if (until <= from) {
      return;
    }
    const last = this.#periods.at(-1);
    if (last !== undefined && from - last.until < GAP_MS) {
      this.#periods[this.#periods.length - 1] = { from: last.from, until: Math.max(last.until, until) };
      return;
    }
    this.#periods.push({ from, until });
    if (this.#periods.length > MOST_PERIODS) {
      this.#periods.shift();
    }
  }

  /** What of this period it was closed. */
  within(from: number, until: number): Period[] {
    return this.#periods.flatMap((period) => {
      const part = { from: Math.max(period.from, from), until: Math.min(period.until, until) };
      return part.from < part.until ? [part] : [];
    });
  }
}

/** Milliseconds that these periods take together; where they overlap, once. */
export function lengthOf(periods: readonly Period[]): number {
  let length = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, until } of periods.toSorted((a, b) => a.from - b.from)) {
    length += Math.max(0, until - Math.max(from, end));
    end = Math.max(end, until);
  }
  return length;
}
