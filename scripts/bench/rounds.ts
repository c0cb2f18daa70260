import process from "node:process";

/** What many measurements of one thing say. */
export interface Summary {
  /** The value in the middle. */
  readonly median: number;
  /** A quarter of the values is less. */
  readonly lower: number;
  /** A quarter of the values is more. */
  readonly upper: number;
  /** How many values there are. */
  readonly count: number;
}

/**
 * Measures several things in turn, round by round, so that whatever else the machine does meets all of
 * them. Each round starts with another one: none of them always comes behind the same neighbour.
 *
 * @param measurements What to measure, by name.
 * @param options How many rounds count; one more before them is for the caches.
 * @returns The values of each, by the same names.
 */
export async function inRounds<T>(
  measurements: ReadonlyMap<string, () => Promise<T>>,
  { rounds, what }: { readonly rounds: number; readonly what: string },
): Promise<ReadonlyMap<string, readonly T[]>> {
  const entries = [...measurements];
  const values = new Map(entries.map(([name]) => [name, [] as T[]]));
  for (let round = 0; round <= rounds; round++) {
    progress(`${what}: ${round === 0 ? "warm-up" : `round ${round} of ${rounds}`}`);
    for (let turn = 0; turn < entries.length; turn++) {
      const [name, measure] = entries[(round + turn) % entries.length]!;
      const value = await measure();
      if (round > 0) values.get(name)!.push(value);
    }
  }
  progress("");
  return values;
}

/**
 * Sums values up.
 *
 * @param values The values, at least one.
 * @returns The median and the quartiles, each one of the values or the mean of two.
 */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => {
    const position = (sorted.length - 1) * share;
    return (sorted[Math.floor(position)]! + sorted[Math.ceil(position)]!) / 2;
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), count: sorted.length };
}

/** One line that is written over, where somebody watches. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
