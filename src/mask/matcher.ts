import type { Buffer } from "node:buffer";
import { Automaton, ROOT } from "./automaton.ts";
import { Gaps } from "./gaps.ts";
import type { Findings, Reader } from "./replacer.ts";
import { ShiftTable } from "./shift_table.ts";

/** States of at most this depth are left: to read two bytes again costs less than to go on. */
const SHALLOW = 2;

interface MatcherOptions {
  /** Whether patterns are found with gaps in them as well. @default false */
  readonly gaps?: boolean;
}

/** Finds patterns of four bytes or more; any number of streams can share one. */
export class Matcher implements Reader {
  /** For each, from how many bytes on its beginning counts as an occurrence, too. */
  readonly #patterns: ReadonlyMap<string, number>;
  readonly #hasGaps: boolean;
  // Built when there is something to read, and the automaton at the first place worth a closer
  // look, which most programs' output never has.
  #madeTable: ShiftTable | undefined;
  #madeAutomaton: Automaton | undefined;
  #madeGaps: Gaps | undefined;

  constructor(patterns: ReadonlyMap<string, number>, { gaps = false }: MatcherOptions = {}) {
    this.#patterns = patterns;
    this.#hasGaps = gaps;
  }

  get #table(): ShiftTable {
    return this.#madeTable ??= new ShiftTable([...this.#patterns.keys()], {
      pieces: this.#hasGaps,
    });
  }

  get #automaton(): Automaton {
    return this.#madeAutomaton ??= new Automaton(this.#patterns);
  }

  get #gaps(): Gaps {
    return this.#madeGaps ??= new Gaps(this.#table, () => this.#automaton);
  }

  read(text: Buffer, found: Findings): void {
    this.readFrom(text, 0, found);
  }

  readFrom(text: Buffer, from: number, found: Findings): void {
    if (this.#patterns.size === 0) return;
    const table = this.#table, length = text.length;
    const view = new DataView(text.buffer, text.byteOffset, length);
    let lastEnd = 0;
    let at = from;
    let gapsFrom = from;
    let piece = -1;
    for (;;) {
      at = table.find(view, at, piece);
      if (at < 0) {
        // Other pieces in this line are behind the same line break.
        gapsFrom = this.#gaps.before(text, { floor: gapsFrom, at: ~at, found, since: piece + 1 });
        piece = ~at;
        at = table.after(piece);
        continue;
      }
      if (at >= length) break;
      const automaton = this.#automaton;
      const start = at;
      let state = ROOT, depth = 0;
      do {
        const byte = text[at++]!;
        const next = automaton.next(state, byte);
        if (next === ROOT && depth > SHALLOW && this.#hasGaps && at > gapsFrom) {
          gapsFrom = this.#gaps.at(text, { floor: gapsFrom, at: at - 1, found });
        }
        state = next;
        const longest = automaton.longest(state);
        if (longest !== 0) {
          found.add(at - longest, at);
          lastEnd = at;
          state = automaton.settle(state);
        }
        depth = automaton.depth(state);
        // Only towards a later start than this one, or the search would not get on, and not back
        // over an occurrence, which would then be found twice.
        const hold = at - depth;
        if (depth <= SHALLOW && hold > start && hold >= lastEnd) {
          at = hold;
          state = ROOT;
          depth = 0;
        }
      } while (state !== ROOT && at < length);
      if (depth > 0) found.holdFrom(length - depth);
    }
    if (this.#hasGaps) this.#gaps.read(text, { floor: from, found });
  }
}
