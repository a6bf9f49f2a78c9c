/** Time on this machine against the coordinator's, and timers that hold for longer than 24 days. */

/** setTimeout takes at most 2^31 - 1 ms. */
const LONGEST_TIMER = 2_000_000_000;
/** Samples that the offset is judged by: old ones must fade, since clocks drift. */
const SAMPLES = 32;

/**
 * The coordinator's clock as seen from here.
 *
 * An answer that left at `now` (theirs) and came at `received` (ours) says that the offset is at least now - received,
 * less only by its time on the way. So the largest of the recent differences is the nearest.
 */
export class ClockOffset {
  readonly #samples: number[] = [];

  sample(theirs: number, received: number): void {
    this.#samples.push(theirs - received);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** Milliseconds to add to this machine's clock; 0 before the first answer. */
  get ms(): number {
    return this.#samples.length === 0 ? 0 : Math.max(...this.#samples);
  }
}

/** Calls back after `ms` (monotonic, however long). @returns what cancels it. */
export function after(ms: number, callback: () => void): () => void {
  const due = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const rest = due - performance.now();
    timer = rest > LONGEST_TIMER ? setTimeout(arm, LONGEST_TIMER) : setTimeout(callback, Math.max(0, rest));
  };
  arm();
  return () => clearTimeout(timer);
}

/** Why a wait is cut short. Made once: a trace of its own for each stage would be most of what cutting costs. */
export const NEWS: Error = Object.assign(new Error("there is news to tell"), { name: "AbortError" });

/** Resolves after `ms`, or at once when the signal aborts. @returns whether the time is over. */
export function sleepFor(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const cancel = after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    const onAbort = (): void => {
      cancel();
      resolve(false);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
