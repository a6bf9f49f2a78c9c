/** The sandbox's self-hosted runners: a job takes one that has all its labels, or waits in line until one is free. */

export interface PoolRunner {
  readonly id: number;
  readonly name: string;
  readonly labels: readonly string[];
}

export interface RunnerLease {
  readonly runner: PoolRunner;
  release(): void;
}

export interface RunnerPool {
  readonly runners: readonly PoolRunner[];
  /** Whether any runner, busy or free, has all these labels. */
  serves(labels: readonly string[]): boolean;
  /** Null: the wait was given up. First come, first served, among those a runner fits. */
  acquire(labels: readonly string[], signal: AbortSignal): Promise<RunnerLease | null>;
}

const fits = (runner: PoolRunner, labels: readonly string[]): boolean =>
  labels.every((label) => runner.labels.some((one) => one.toLowerCase() === label.toLowerCase()));

interface Waiting {
  readonly labels: readonly string[];
  readonly take: (runner: PoolRunner) => void;
}

/** `count` runners named `runner-1`, …, all with the same labels (`self-hosted`, `linux`, `x64` come by themselves). */
export function createRunnerPool(options: { readonly count: number; readonly labels: readonly string[] }): RunnerPool {
  const labels = [...new Set(["self-hosted", "linux", "x64", ...options.labels])];
  const runners = Array.from({ length: options.count }, (_, at) => ({ id: at + 1, name: `runner-${at + 1}`, labels }));
  const free = new Set<PoolRunner>(runners);
  let line: Waiting[] = [];

  const lease = (runner: PoolRunner): RunnerLease => {
    free.delete(runner);
    let released = false;
    return {
      runner,
      release() {
        if (released) return;
        released = true;
        free.add(runner);
        const next = line.find((waiting) => fits(runner, waiting.labels));
        if (next === undefined) return;
        line = line.filter((waiting) => waiting !== next);
        next.take(runner);
      },
    };
  };

  return {
    runners,
    serves: (wanted) => runners.some((runner) => fits(runner, wanted)),
    acquire(wanted, signal) {
      if (signal.aborted) return Promise.resolve(null);
      const now = [...free].find((runner) => fits(runner, wanted));
      if (now !== undefined) return Promise.resolve(lease(now));
      return new Promise((resolve) => {
        const onAbort = (): void => {
          line = line.filter((one) => one !== waiting);
          resolve(null);
        };
        const waiting: Waiting = {
          labels: wanted,
          take(runner) {
            signal.removeEventListener("abort", onAbort);
            resolve(lease(runner));
          },
        };
        line.push(waiting);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
