import type { Buffer } from "node:buffer";
import { Automaton, ROOT } from "./automaton.ts";
import type { Findings, Reader } from "./findings.ts";
import { Gaps } from "./gaps.ts";
import { ShiftTable } from "./shift_table.ts";

/** States of at most this depth are left: to read two bytes again costs less than to go on. */
const SHALLOW = 2;

interface MatcherOptions {
  /** Whether patterns are found with gaps in them as well. @default false */
  readonly gaps?: boolean;
}

/** Finds patterns of three bytes or more; any number of streams can share one. */
export class Matcher implements Reader {
  /** For each, from how many bytes on its beginning counts as an occurrence, too. */
  readonly #patterns: ReadonlyMap<string, number>;
  readonly #hasGaps: boolean;
  #table: ShiftTable | undefined;
  #automaton: Automaton | undefined;
  #gaps: Gaps | undefined;

  constructor(patterns: ReadonlyMap<string, number>, { gaps = false }: MatcherOptions = {}) {
    this.#patterns = patterns;
    this.#hasGaps = gaps;
  }

  read(text: Buffer, found: Findings): void {
    this.readFrom(text, 0, found);
  }

  readFrom(text: Buffer, from: number, found: Findings): void {
    if (this.#patterns.size === 0) return;
    const table = this.#table ??= new ShiftTable([...this.#patterns.keys()], {
      pieces: this.#hasGaps,
    });
    const length = text.length;
    let lastEnd = 0;
    let at = from;
    let gapsFrom = from;
    let piece = -1;
    for (;;) {
      at = table.find(text, at, piece);
      if (at < 0) {
        piece = ~at;
        if (piece > gapsFrom) {
          gapsFrom = this.#gapsOf().before(text, { floor: gapsFrom, at: piece, found });
        }
        at = table.after(piece);
        continue;
      }
      if (at >= length) break;
      // Built at the first place worth a closer look, which most programs' output never has.
      const automaton = this.#automaton ??= new Automaton(this.#patterns);
      const start = at;
      let state = ROOT, depth = 0;
      do {
        const byte = text[at++]!;
        const next = automaton.next(state, byte);
        if (next === ROOT && depth > SHALLOW && this.#hasGaps && at > gapsFrom) {
          gapsFrom = this.#gapsOf().at(text, { floor: gapsFrom, at: at - 1, found });
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
    if (this.#hasGaps) this.#gapsOf().read(text, { floor: from, found });
  }

  #gapsOf(): Gaps {
    return this.#gaps ??= new Gaps(
      this.#patterns,
      () => this.#automaton ??= new Automaton(this.#patterns),
    );
  }
}
