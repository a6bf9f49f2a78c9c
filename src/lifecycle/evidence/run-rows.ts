/** The results of something that runs, as they were after each of its runs. Not a condition itself. */

import type { Truth } from "../evaluation/evaluation.ts";
import type { RunAct } from "../facts/act-index.ts";
import type { ActResult } from "../policy/policy.ts";

/** Whether a run is evidence, and if not, why. */
export interface Weight {
  readonly truth: Truth;
  readonly why: string;
}

export interface WeighedRun {
  readonly run: RunAct;
  readonly weight: Weight;
  readonly counts: boolean;
}

/** What the first runs of a list add up to. */
export interface RunsSoFar {
  /** The last that says something; undefined: none does. */
  readonly decisive: WeighedRun | undefined;
  /** The last that counts. */
  readonly last: RunAct | undefined;
  /** The unbroken row of wanted results at the end of those that count: where in `counted` it begins and ends. */
  readonly rowFrom: number;
  readonly rowTo: number;
  /** After the last that counts: the last that may have taken back what those before it said. */
  readonly against: WeighedRun | undefined;
  /** After the last that counts: the last with the wanted result. */
  readonly ignored: WeighedRun | undefined;
}

const NOTHING: RunsSoFar = {
  decisive: undefined,
  last: undefined,
  rowFrom: 0,
  rowTo: 0,
  against: undefined,
  ignored: undefined,
};

export interface RunRowsOptions {
  readonly list: readonly RunAct[];
  /** Runs of other commits say nothing. */
  readonly commits: readonly string[];
  readonly wanted: ActResult;
  readonly weigh: (run: RunAct) => WeighedRun;
}

/** Goes through the runs once, as far as it is asked for. */
export class RunRows {
  /** Those that count, as far as they were gone through. */
  readonly counted: RunAct[] = [];
  readonly #options: RunRowsOptions;
  /** Of those that may say something: their places in the list. */
  readonly #places: readonly number[];
  readonly #sums: RunsSoFar[] = [];

  constructor(options: RunRowsOptions) {
    const { list, commits, wanted } = options;
    this.#options = options;
    this.#places = list.flatMap(({ sha, result }, place) =>
      commits.includes(sha) && (result !== "cancelled" || wanted === "cancelled") ? [place] : [],
    );
  }

  /** What the first runs, so many of the whole list, add up to. */
  until(length: number): RunsSoFar {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle] ?? 0) < length) low = middle + 1;
      else high = middle;
    }
    for (let index = this.#sums.length; index < low; index += 1) {
      const run = this.#options.list[this.#places[index] ?? -1];
      if (run !== undefined) this.#sums.push(this.#with(this.#options.weigh(run)));
    }
    return this.#sums[low - 1] ?? NOTHING;
  }

  #with(decisive: WeighedRun): RunsSoFar {
    const before = this.#sums.at(-1) ?? NOTHING;
    const { run, weight, counts } = decisive;
    const wanted = run.result === this.#options.wanted;
    if (!counts) {
      const against = !wanted && weight.truth === "unknown" ? decisive : before.against;
      return { ...before, decisive, against, ignored: wanted ? decisive : before.ignored };
    }
    const rowTo = this.counted.push(run);
    const rowFrom = wanted ? before.rowFrom : rowTo;
    return { decisive, last: run, rowFrom, rowTo, against: undefined, ignored: undefined };
  }
}
