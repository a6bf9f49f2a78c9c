/**
 * One way to say that something may be due. It is a hint and no promise: who works through a queue also looks by
 * itself, so what was told to nobody is done a little later. Here it is a call; where others work on the same database
 * it is also relayed to them.
 */

/** Closed list: each is a queue that somebody works through; `app`: what is done once for all;
 * `claims`: what was given back; `holds`: what GitHub has asked of an installation. */
export const TOPICS = [
  "deliveries",
  "pulls",
  "transitions",
  "effects",
  "workflow-runs",
  "deployment-gates",
  "policies",
  "sweeps",
  "app",
  "claims",
  "holds",
] as const;
export type Topic = (typeof TOPICS)[number];

/** Must not throw, and only start what it starts: whoever notifies goes on at once. */
type Listener = (about: number | null) => void;

export class Wakeups {
  readonly #listeners = new Map<Topic, Set<Listener>>();
  #send: ((topic: Topic, about: number | null) => void) | null = null;
  #isOurs: () => boolean = () => true;

  /** `about`: the id of a repository (of deliveries and holds: an installation) that is meant above others; null: anything. */
  notify(topic: Topic, about: number | null = null): void {
    this.hear(topic, about);
    if (!this.#isOurs()) {
      this.#send?.(topic, about);
    }
  }

  /** What may be due is not only our own, whoever's work this is. */
  notifyAll(topic: Topic): void {
    this.hear(topic, null);
    this.#send?.(topic, null);
  }

  /** Others have said so. */
  hear(topic: Topic, about: number | null): void {
    for (const listener of this.#listeners.get(topic) ?? []) {
      listener(about);
    }
  }

  /** From now on what is said here is passed on to others by `send`, unless it is about what is our own (`isOurs`). */
  relay(send: (topic: Topic, about: number | null) => void, isOurs: () => boolean): void {
    this.#send = send;
    this.#isOurs = isOurs;
  }

  /** Returns what ends it. */
  on(topic: Topic, listener: Listener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
}
