/**
 * One way to say that something may be due. It is a hint and no promise: who works through a queue also looks by
 * itself, so what was told to nobody is done a little later. Here it is a call; with several processes on one database
 * the same words would be a NOTIFY.
 */

/** Closed list: each is a queue that somebody works through. */
export const TOPICS = [
  "pulls",
  "transitions",
  "effects",
  "workflow-runs",
  "deployment-gates",
  "policies",
  "sweeps",
] as const;
export type Topic = (typeof TOPICS)[number];

/** Must not throw, and only start what it starts: whoever notifies goes on at once. */
type Listener = (about: number | null) => void;

export class Wakeups {
  readonly #listeners = new Map<Topic, Set<Listener>>();

  /** `about`: the id of a repository that is meant above others; null: anything. */
  notify(topic: Topic, about: number | null = null): void {
    for (const listener of this.#listeners.get(topic) ?? []) {
      listener(about);
    }
  }

  /** Returns what ends it. */
  on(topic: Topic, listener: Listener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
}
