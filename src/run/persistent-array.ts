/**
 * Long lists inside a state that is plain JSON and never changed in place: a list of chunks, so that one changed item
 * costs a chunk and the list of chunks, not ten thousand items.
 */

const BITS = 6;
const SIZE = 1 << BITS;
const MASK = SIZE - 1;

/** Items in chunks of 64, all chunks full but the last. */
export type PersistentArray<T> = readonly (readonly T[])[];

export function persistentArray<T>(items: readonly T[]): PersistentArray<T> {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += SIZE) chunks.push(items.slice(start, start + SIZE));
  return chunks;
}

export function itemCount(array: PersistentArray<unknown>): number {
  const last = array.at(-1);
  return last === undefined ? 0 : (array.length - 1) * SIZE + last.length;
}

export function itemAt<T>(array: PersistentArray<T>, index: number): T | undefined {
  return array[index >> BITS]?.[index & MASK];
}

export function* itemsOf<T>(array: PersistentArray<T>): Generator<T> {
  for (const chunk of array) yield* chunk;
}

/** Which chunk an item is in: for counts kept per chunk. */
export function chunkNumber(index: number): number {
  return index >> BITS;
}

/** Indexes of the items of one chunk. */
export function chunkRange(chunk: number): { readonly from: number; readonly to: number } {
  return { from: chunk << BITS, to: (chunk + 1) << BITS };
}

/** A changeable view of such a list: copies what it changes, once; what it started from stays as it was. */
export class ArrayDraft<T> {
  #chunks: (readonly T[])[] | null = null;
  readonly #base: PersistentArray<T>;
  readonly #own = new Map<number, T[]>();
  #size: number;

  constructor(base: PersistentArray<T>) {
    this.#base = base;
    this.#size = itemCount(base);
  }

  get size(): number {
    return this.#size;
  }

  at(index: number): T | undefined {
    return itemAt(this.#chunks ?? this.#base, index);
  }

  set(index: number, item: T): void {
    if (index < 0 || index >= this.#size) throw new RangeError(`there is no item ${index}`);
    this.#owned(index >> BITS)[index & MASK] = item;
  }

  /** @returns the new item's index */
  push(item: T): number {
    this.#owned(this.#size >> BITS).push(item);
    return this.#size++;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = 0; index < this.#size; index++) {
      const item = this.at(index);
      if (item !== undefined) yield item;
    }
  }

  done(): PersistentArray<T> {
    return this.#chunks ?? this.#base;
  }

  #owned(number: number): T[] {
    const own = this.#own.get(number);
    if (own !== undefined) return own;
    this.#chunks ??= [...this.#base];
    const copy = [...(this.#chunks[number] ?? [])];
    this.#chunks[number] = copy;
    this.#own.set(number, copy);
    return copy;
  }
}

/** Names -> numbers, growing without ever being copied whole (but for doublings). Any text is a safe name. */
export interface Directory {
  readonly size: number;
  readonly buckets: PersistentArray<readonly (readonly [string, number])[]>;
}

const PER_BUCKET = 8;

export function directoryOf(names: readonly string[]): Directory {
  return built(
    names.map((name, index) => [name, index] as const),
    names.length,
  );
}

export function lookUp(directory: Directory, name: string): number | undefined {
  const bucket = itemAt(directory.buckets, bucketOf(name, itemCount(directory.buckets)));
  return bucket?.find(([other]) => other === name)?.[1];
}

/** The directory with one more name, or another number for it. */
export function entered(directory: Directory, name: string, number: number): Directory {
  const count = itemCount(directory.buckets);
  if (lookUp(directory, name) !== undefined) {
    const changed = new ArrayDraft(directory.buckets);
    const at = bucketOf(name, count);
    changed.set(at, [...(changed.at(at) ?? []).filter(([other]) => other !== name), [name, number]]);
    return { size: directory.size, buckets: changed.done() };
  }
  if (directory.size >= count * PER_BUCKET) {
    return built([...[...itemsOf(directory.buckets)].flat(), [name, number]], directory.size * 2 + 1);
  }
  const buckets = new ArrayDraft(directory.buckets);
  const at = bucketOf(name, count);
  buckets.set(at, [...(buckets.at(at) ?? []), [name, number]]);
  return { size: directory.size + 1, buckets: buckets.done() };
}

function built(entries: readonly (readonly [string, number])[], room: number): Directory {
  const count = Math.max(1, Math.ceil(room / (PER_BUCKET / 2)));
  const buckets = Array.from({ length: count }, (): (readonly [string, number])[] => []);
  for (const entry of entries) buckets[bucketOf(entry[0], count)]?.push(entry);
  return { size: entries.length, buckets: persistentArray(buckets) };
}

/** FNV-1a, 32 bits. */
function bucketOf(name: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % count;
}
