import { Automaton } from "./automaton.ts";
import { ByteFinder, type Finder } from "./finder.ts";
import { ShiftTable } from "./shift_table.ts";

/** From this length on patterns get a table of their own, which shorter ones cannot slow down. */
const LONG = 8;

/**
 * A set of patterns, ready to be searched for. It holds no state of any search, so that any number
 * of streams can share it.
 */
export class Matcher {
  readonly #patterns: readonly string[];
  readonly #finders: readonly Finder[];
  #automaton: Automaton | undefined;

  /** Makes the matcher. */
  constructor(patterns: Iterable<string>) {
    this.#patterns = [...patterns];
    // The shortest pattern decides how far a table can shift.
    const single = this.#patterns.filter((pattern) => pattern.length === 1);
    const short = this.#patterns.filter((pattern) => pattern.length > 1 && pattern.length < LONG);
    const long = this.#patterns.filter((pattern) => pattern.length >= LONG);
    const finders: Finder[] = [];
    if (single.length > 0) finders.push(new ByteFinder(single));
    if (short.length > 0) finders.push(new ShiftTable(short, 2));
    if (long.length > 0) finders.push(new ShiftTable(long, 3));
    this.#finders = finders;
  }

  /**
   * Knows exactly which patterns end where. It is built at the first place worth a closer look,
   * which most programs' output never has.
   */
  get automaton(): Automaton {
    return this.#automaton ??= new Automaton(this.#patterns);
  }

  /** Starts to search a chunk for places where a pattern may begin. */
  candidates(chunk: Uint8Array): (from: number) => number {
    const finders = this.#finders;
    const next = finders.map(() => -1);
    return (from) => {
      let first = chunk.length;
      for (let i = 0; i < finders.length; i++) {
        let position = next[i]!;
        if (position < from) next[i] = position = finders[i]!.find(chunk, from);
        if (position < first) first = position;
      }
      return first;
    };
  }
}
