/** Collections that remember the latest and forget the oldest. */

/** Drops the oldest entry where there are more than `max`. For a collection that grows by one entry at a time. */
export function keepNewest<K>(entries: Map<K, unknown> | Set<K>, max: number): void {
  if (entries.size > max) entries.delete(entries.keys().next().value as K);
}
