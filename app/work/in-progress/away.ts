/**
 * Work that waits for an answer from outside is not what a process dies of meanwhile: whoever watches one piece of work
 * is told when it leaves for an answer, and when it has it.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface AwayWatch {
  /** Resolves when it is known that the work waits: the request is sent then. */
  left(): Promise<void>;
  /** Resolves when it is known that the work goes on with an answer. */
  back(): Promise<void>;
}

const watches = new AsyncLocalStorage<AwayWatch>();

/** Everything that `work` asks for through `away` is told to the watch. */
export function watched<T>(watch: AwayWatch, work: () => T): T {
  return watches.run(watch, work);
}

/** Asks somebody outside and waits for the answer. */
export async function away<T>(ask: () => Promise<T>): Promise<T> {
  const watch = watches.getStore();
  if (watch === undefined) {
    return await ask();
  }
  await watch.left();
  try {
    return await ask();
  } finally {
    await watch.back();
  }
}
