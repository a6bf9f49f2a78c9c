/**
 * How the work of a function grows with its input, measured so that a slow or busy machine does not change the answer:
 * by the ratio of two sizes, each time the least of several runs.
 */

/** What doubling the input may do to the work: halfway between what grows as the input and what grows as its square. */
const MOST_PER_DOUBLING = 2 ** 1.5;
/** Between the two sizes. */
const DOUBLINGS = 3;
/** Milliseconds below which nothing grows that matters: what is quadratic takes hundreds of them at the largest size. */
const MEASURABLE_MS = 4;
/** Less than that is mostly the clock. */
const LEAST_MS = 1;
/** What goes on beside it makes a measurement longer, but hardly all of them: the first that is well decides. */
const MOST_ROUNDS = 160;
/** Of the smaller size, whose time taken too long would hide growth. */
const SMALL_RUNS = 3;

export interface Growth {
  readonly grows: boolean;
  /** Size -> milliseconds, for the message. */
  readonly measured: Readonly<Record<number, number>>;
}

export interface GrowthOptions {
  /** Milliseconds that a piece of work takes. */
  readonly measure?: (work: () => unknown) => number;
  readonly rounds?: number;
}

/** Whether the work on an input of this size is more than it should be beside that on an eighth of it. */
export function growth(
  largest: number,
  prepare: (size: number) => () => unknown,
  { measure = duration, rounds = MOST_ROUNDS }: GrowthOptions = {},
): Growth {
  const smallest = Math.floor(largest / 2 ** DOUBLINGS);
  const [large, small] = [prepare(largest), prepare(smallest)];
  let most = Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    most = Math.min(most, measure(large));
    if (most < MEASURABLE_MS) return { grows: false, measured: { [largest]: most } };
    for (let run = 0; run < SMALL_RUNS; run += 1) least = Math.min(least, measure(small));
    const grows = most > Math.max(LEAST_MS, least) * MOST_PER_DOUBLING ** DOUBLINGS;
    if (!grows || round === rounds - 1) return { grows, measured: { [smallest]: least, [largest]: most } };
  }
  throw new RangeError("no rounds");
}

/** Some systems count a thread's time in steps of so many milliseconds. */
const CPU_STEP_MS = 8;

/** Milliseconds: by the clock, or by what this thread was given of the machine, where others took the rest of it. */
function duration(work: () => unknown): number {
  const began = performance.now();
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return Math.min(performance.now() - began, (user + system) / 1_000 + CPU_STEP_MS);
}
