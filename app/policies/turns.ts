/**
 * Who is next where one thing at a time is done for many: each is given as much time as the others, not as many turns,
 * so that those whose things take long wait for themselves. Within one of them the order of arrival holds.
 */
export class Turns<Item> {
  readonly #waiting = new Map<number, Item[]>();
  /** Up to where each has used its time, of those that are ahead of the others. */
  readonly #used = new Map<number, number>();
  /** Where whoever comes now begins: time that was not asked for cannot be saved up. */
  #now = 0;

  add(of: number, item: Item): void {
    const queue = this.#waiting.get(of);
    if (queue === undefined) {
      this.#waiting.set(of, [item]);
    } else {
      queue.push(item);
    }
  }

  /** The next thing to be done, of the one that has used the least time; null: there is none. */
  next(): { readonly of: number; readonly item: Item } | null {
    let first: readonly [number, Item[]] | null = null;
    for (const each of this.#waiting) {
      first = first === null || this.#usedBy(each[0]) < this.#usedBy(first[0]) ? each : first;
    }
    const item = first?.[1].shift();
    if (first === null || item === undefined) {
      // Nobody waits, so nobody is kept from anything.
      this.#used.clear();
      return null;
    }
    const [of, queue] = first;
    this.#now = this.#usedBy(of);
    if (queue.length === 0) {
      this.#waiting.delete(of);
    }
    return { of, item };
  }

  /** What was done for it took so long. */
  took(of: number, ms: number): void {
    this.#used.set(of, this.#usedBy(of) + ms);
  }

  #usedBy(of: number): number {
    return Math.max(this.#used.get(of) ?? 0, this.#now);
  }
}
