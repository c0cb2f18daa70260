import type { Buffer } from "node:buffer";
import { Automaton, ROOT } from "./automaton.ts";
import { Gaps } from "./gaps.ts";
import type { Findings, Reader } from "./replacer.ts";

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

/** Beyond this a longer window gains little, and costs time to build. */
const MAX_WINDOW = 16;
/** How many bytes are looked up at once. */
const BLOCK = 3;
const MIN_BITS = 12;
/** As many bits stay in the processor's nearest cache. */
const MAX_BITS = 18;
/** Marks the blocks with which some pattern begins; the bits below hold the shift. */
const BEGINS = 0x80;
/** Shorter patterns are not looked for in pieces, which would be too short to skip much. */
const MIN_BROKEN_LENGTH = 16;

interface ShiftTableOptions {
  /** Whether pieces of patterns are found as well. */
  readonly pieces: boolean;
}

/**
 * Finds the places where a pattern may begin, after Wu and Manber.
 *
 * It looks at the last three bytes of a window as long as the shortest pattern. If no pattern has
 * them anywhere in its first bytes, nothing begins in the whole window and the next look-up is a
 * window further. Most of the input is never read.
 *
 * Of a pattern that a line break interrupts it finds a piece: the window is at most half as long as
 * such a pattern, so one of two pieces holds a whole look-up.
 */
class ShiftTable {
  readonly #window: number;
  readonly #hasPieces: boolean;
  readonly #mask: number;
  /** How far the window can move, and whether a pattern begins. */
  readonly #table: Uint8Array;
  /** A bit for each block that any pattern has: all that is read for most look-ups. */
  readonly #bits: Int32Array;
  /** Bits for what is two bytes longer. */
  readonly #pieces: Int32Array;
  readonly #piecesMask: number;
  /** For each byte, whether a pattern begins with it. */
  readonly #first = new Uint8Array(256);

  constructor(patterns: readonly string[], { pieces }: ShiftTableOptions) {
    const broken = patterns.filter(({ length }) => pieces && length >= MIN_BROKEN_LENGTH);
    let window = MAX_WINDOW;
    for (const { length } of patterns) window = Math.min(window, length);
    for (const { length } of broken) window = Math.min(window, Math.ceil(length / 2));
    const windows = new Set(patterns.map((pattern) => pattern.slice(0, window)));
    const blocks = [...windows, ...broken].reduce((sum, { length }) => sum + length, 0);
    let bits = MIN_BITS;
    while (bits < MAX_BITS && 1 << bits < blocks * 8) bits++;
    // A table that is more than a quarter full shifts less than a smaller window would.
    const share = Math.floor((1 << bits) / 4 / windows.size);
    this.#window = Math.min(window, share + BLOCK);
    this.#hasPieces = broken.length > 0;
    this.#mask = (1 << bits) - 1;
    this.#table = new Uint8Array(1 << bits).fill(this.#window - BLOCK + 1);
    this.#bits = new Int32Array(1 << bits - 5);
    this.#piecesMask = (1 << bits + 2) - 1;
    this.#pieces = new Int32Array(1 << bits - 3);
    for (const pattern of windows) this.#insert(pattern);
    for (const pattern of broken) this.#insertPieces(pattern);
  }

  /**
   * The first position at or after `from` where a pattern may begin, completely or cut off by the
   * text's end; or, as `~position`, the end of what may be a piece of one. The search goes on with
   * `after(position)`, and the position as the last `piece`.
   */
  find(text: Uint8Array, from: number, piece = -1): number {
    const table = this.#table, bits = this.#bits, mask = this.#mask;
    const before = this.#window - 1, length = text.length;
    const longest = this.#window - BLOCK + 1;
    let end = from + before;
    while (end < length) {
      const code = hash(text[end - 2]!, text[end - 1]!, text[end]!) & mask;
      if ((bits[code >> 5]! & 1 << (code & 31)) === 0) {
        // The processor guesses this branch and goes on before the table has answered; with the
        // entry added instead, it would have to wait each time. This doubles the speed.
        end += longest;
        continue;
      }
      if (this.#hasPieces && end > piece && this.#isPiece(text, end)) return ~end;
      const entry = table[code]!;
      if ((entry & ~BEGINS) !== 0) {
        end += entry & ~BEGINS;
      } else if (this.#begins(text, end - before)) {
        return end - before;
      } else {
        end++;
      }
    }
    let start = end - before;
    while (start < length && !this.#begins(text, start)) start++;
    return start;
  }

  after(piece: number): number {
    return piece + 1 - this.#window;
  }

  /** Whether the start of some pattern may be at a position, as far as the text can tell. */
  #begins(text: Uint8Array, start: number): boolean {
    if (start + BLOCK > text.length) return this.#first[text[start]!] !== 0;
    const code = hash(text[start]!, text[start + 1]!, text[start + 2]!);
    return (this.#table[code & this.#mask]! & BEGINS) !== 0;
  }

  /** Whether two more bytes on either side fit. */
  #isPiece(text: Uint8Array, end: number): boolean {
    return end < 4 || end + 2 >= text.length || this.#hasPiece(text, end) ||
      this.#hasPiece(text, end + 2);
  }

  #hasPiece(text: Uint8Array, end: number): boolean {
    const code = longHash(
      hash(text[end - 4]!, text[end - 3]!, text[end - 2]!),
      text[end - 1]!,
      text[end]!,
    ) & this.#piecesMask;
    return (this.#pieces[code >> 5]! & 1 << (code & 31)) !== 0;
  }

  #insert(pattern: string): void {
    const table = this.#table, window = this.#window;
    this.#first[pattern.charCodeAt(0)] = 1;
    for (let i = BLOCK - 1; i < window; i++) {
      const code = hashAt(pattern, i) & this.#mask;
      const entry = table[code]!;
      const begins = entry & BEGINS | (i === BLOCK - 1 ? BEGINS : 0);
      table[code] = Math.min(entry & ~BEGINS, window - 1 - i) | begins;
      this.#bits[code >> 5]! |= 1 << (code & 31);
    }
  }

  #insertPieces(pattern: string): void {
    for (let i = BLOCK - 1; i < pattern.length; i++) {
      const code = hashAt(pattern, i) & this.#mask;
      this.#bits[code >> 5]! |= 1 << (code & 31);
      if (i < 4) continue;
      const long = longHash(
        hashAt(pattern, i - 2),
        pattern.charCodeAt(i - 1),
        pattern.charCodeAt(i),
      ) & this.#piecesMask;
      this.#pieces[long >> 5]! |= 1 << (long & 31);
    }
  }
}

function hashAt(pattern: string, end: number): number {
  return hash(
    pattern.charCodeAt(end - 2),
    pattern.charCodeAt(end - 1),
    pattern.charCodeAt(end),
  );
}

/** Text varies in the low five bits of a byte; these shifts keep them apart. */
function hash(first: number, second: number, third: number): number {
  return first ^ second << 5 ^ third << 10;
}

function longHash(block: number, fourth: number, fifth: number): number {
  const code = Math.imul(block ^ fourth << 18, 0x9e3779b1) ^ Math.imul(fifth, 0x85ebca6b);
  return code ^ code >>> 15;
}
