/**
 * Schemas made when they are first asked for. A plan uses a few keys of many, and making the schemas of all of them
 * takes longer than everything else that a short plan does.
 */
import type { z } from "zod";

/** A value that is made at the first call and then kept. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

type Makers = Readonly<Record<string, () => z.ZodType>>;
type Made<M extends Makers> = { readonly [K in keyof M]: ReturnType<M[K]> };

/** A zod shape whose members are each made when they are first read. Its keys can be listed without making any. */
export function lazyShape<M extends Makers>(makers: M): Made<M> {
  const shape = {};
  for (const [key, make] of Object.entries(makers)) {
    Object.defineProperty(shape, key, { get: once(make), enumerable: true });
  }
  // Each member is what the maker of the same key returns.
  return shape as Made<M>;
}
