/** A request's query: what of it was honoured. */

export interface WatchedQuery {
  /** To be read by the route's handler. */
  readonly query: Record<string, unknown>;
  /** What was given and nobody has read. */
  unread(): string[];
}

/**
 * Remembers which parameters were read. A list that ignores a filter answers with too much and looks right, so what no
 * handler reads is refused by name.
 */
export function watched(given: Record<string, unknown>): WatchedQuery {
  const waiting = new Set(Object.keys(given));
  const query = new Proxy(given, {
    get(target, key) {
      if (typeof key === "string") waiting.delete(key);
      return Reflect.get(target, key);
    },
  });
  return { query, unread: () => [...waiting] };
}
