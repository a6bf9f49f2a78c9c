/**
 * Who handles what, so that nothing is handled twice at once. In one process that is a set; where several work on one
 * database a claim is a lease with an owner, an end and a fencing number, taken here and nowhere else.
 */
export class LocalClaims {
  readonly #claimed = new Set<string>();

  /** False: somebody has claimed it. */
  claim(key: string): boolean {
    const free = !this.#claimed.has(key);
    this.#claimed.add(key);
    return free;
  }

  release(key: string): void {
    this.#claimed.delete(key);
  }
}
