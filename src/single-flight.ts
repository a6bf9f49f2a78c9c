/** Work that several ask for at the same time is done once: fifty who ask make one request, and all get its outcome. */
export class SingleFlight<K, V> {
  readonly #going = new Map<K, Promise<V>>();

  /** The outcome of the work under way for this key, else of `work`, begun now. A failure is everybody's, and not kept. */
  share(key: K, work: () => Promise<V>): Promise<V> {
    const going = this.#going.get(key);
    if (going !== undefined) return going;
    const begun = work().finally(() => this.#going.delete(key));
    this.#going.set(key, begun);
    return begun;
  }
}
