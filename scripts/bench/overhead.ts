/**
 * What a wrapper adds to the time of its child, and the memory it takes.
 *
 * @module
 */

import { NODE } from "./contestants.ts";
import type { Field } from "./contestants.ts";
import { peakMemory, wallTime } from "./measure.ts";
import type { Surroundings } from "./measure.ts";
import { inRounds, summarize } from "./rounds.ts";
import type { Summary } from "./rounds.ts";

/** Peaks vary little. */
const MEMORY_ROUNDS = 3;

/** One row of the table. */
export interface Overhead {
  /** Who ran the child. */
  readonly name: string;
  /** Milliseconds. */
  readonly time: Summary;
  /** Milliseconds more than the bare child, by the medians. */
  readonly adds: number;
  /** Bytes at the peak, the child's not counted. */
  readonly memory: number | undefined;
}

/** How it is measured. */
export interface OverheadOptions extends Surroundings {
  /** What each of them runs. */
  readonly child: readonly string[];
  /** How often. */
  readonly rounds: number;
}

/** The name of the row that all others are compared with. */
export const BARE = "the child alone";

/** The name of the row that no wrapper on Node.js can beat. */
export const NODE_ALONE = "node -e 0 (no wrapper on Node.js is faster)";

/**
 * Measures the wrappers around one child.
 *
 * @param field Who takes part.
 * @param options The child, the environment, how often.
 * @returns The rows: the child alone, Node.js alone, the wrappers.
 * @throws {Error} One of them fails.
 */
export async function measureOverhead(
  field: Field,
  options: OverheadOptions,
): Promise<readonly Overhead[]> {
  const { child, rounds } = options;
  const commands = new Map<string, readonly string[]>([
    [BARE, child],
    [NODE_ALONE, [field.node, "-e", "0"]],
    [`adc-run --version (Node ${NODE}), which runs nothing`, [
      ...field.adcRun.prefix.slice(0, 2),
      "--version",
    ]],
    ...field.wrappers.map(({ name, prefix }) => [name, [...prefix, ...child]] as const),
  ]);
  const each = <T>(measure: (command: readonly string[]) => Promise<T>) =>
    new Map([...commands].map(([name, command]) => [name, () => measure(command)]));
  const times = await inRounds(each((command) => wallTime(command, options)), {
    rounds,
    what: "wall time",
  });
  const peaks = await inRounds(each((command) => peakMemory(command, options)), {
    rounds: MEMORY_ROUNDS,
    what: "memory",
  });
  const bare = summarize(times.get(BARE)!);
  return [...commands.keys()].map((name) => {
    const time = summarize(times.get(name)!);
    const known = peaks.get(name)!.filter((peak) => peak !== undefined);
    return {
      name,
      time,
      adds: time.median - bare.median,
      memory: known.length === 0 ? undefined : Math.max(...known),
    };
  });
}
