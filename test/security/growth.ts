/**
 * How the work of a function grows with its input, measured so that a slow or busy machine does not change the answer:
 * by ratios over three doublings, each time the least of several runs.
 */

/** What doubling the input may do to the work. */
const MOST_PER_DOUBLING = 2.5;
const DOUBLINGS = 3;
/** Milliseconds below which nothing grows that matters: what is quadratic takes hundreds of them at the largest size. */
const MEASURABLE_MS = 4;
/** Less than that is mostly the clock. */
const LEAST_MS = 1;
/** What goes on beside it can make a measurement wrong, but hardly all of them: the first that is well decides. */
const RUNS = 40;

export interface Growth {
  readonly grows: boolean;
  /** Size -> milliseconds, for the message. */
  readonly measured: Readonly<Record<number, number>>;
}

/** Whether the work on an input of this size is more than it should be beside that on an eighth of it. */
export function growth(largest: number, prepare: (size: number) => () => unknown): Growth {
  const sizes = [largest, ...Array.from({ length: DOUBLINGS }, (_, n) => Math.floor(largest / 2 ** (n + 1)))];
  const works = sizes.map((size) => ({ size, work: prepare(size) }));
  const measured: Record<number, number> = {};
  for (let run = 0; run < RUNS; run += 1) {
    for (const { size, work } of works) {
      measured[size] = Math.min(measured[size] ?? Number.POSITIVE_INFINITY, duration(work));
      if ((measured[largest] ?? 0) < MEASURABLE_MS) return { grows: false, measured };
    }
    const least = Math.max(LEAST_MS, measured[sizes.at(-1) ?? 0] ?? 0);
    if ((measured[largest] ?? 0) <= least * MOST_PER_DOUBLING ** DOUBLINGS) return { grows: false, measured };
  }
  return { grows: true, measured };
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
