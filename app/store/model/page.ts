/** Opens one page after this one; null: there is none. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}
