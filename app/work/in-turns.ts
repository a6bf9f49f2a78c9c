/** The same items, each key's in their order and the keys in turns: one that has many keeps no other waiting. */
export function inTurns<T>(items: readonly T[], keyOf: (item: T) => number | string): T[] {
  const queues = [...Map.groupBy(items, keyOf).values()];
  const ordered: T[] = [];
  for (let turn = 0; ordered.length < items.length; turn += 1) {
    for (const queue of queues) {
      ordered.push(...queue.slice(turn, turn + 1));
    }
  }
  return ordered;
}
