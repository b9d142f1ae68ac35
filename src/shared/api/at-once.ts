/**
 * Some of many calls at a time: a door takes 64 of one conversation at once, and refuses more. Once a `work` rejects no other begins; when those
 * that are under way have ended, too, it rejects with the first failure. Resolves with the results in the order of `items`.
 */
export async function atMostAtOnce<T, R>(most: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const waiting = items.entries();
  const one = async (): Promise<void> => {
    // All of them take from one iterator.
    for (const [at, item] of waiting) {
      try {
        results[at] = await work(item);
      } catch (failure) {
        failures.push(failure);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, one));
  if (failures.length > 0) throw failures[0];
  return results;
}
