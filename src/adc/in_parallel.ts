/** How much is done at a time. */
export interface InParallelOptions {
  /** The most that are under way at a time, 1 or more. */
  readonly most: number;
}

/** Does something with each item, some of them at a time, and starts them in their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
  { most }: InParallelOptions,
): Promise<R[]> {
  const results: R[] = [];
  const failures: { readonly error: unknown }[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await run(items[index]!);
      } catch (error) {
        failures.push({ error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work));
  if (failures[0] !== undefined) throw failures[0].error;
  return results;
}
