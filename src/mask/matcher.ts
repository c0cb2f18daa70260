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

/** Finds patterns of four bytes or more; any number of streams can share one. */
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
    const view = new DataView(text.buffer, text.byteOffset, length);
    let lastEnd = 0;
    let at = from;
    let gapsFrom = from;
    let piece = -1;
    for (;;) {
      at = table.find(view, at, piece);
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
const BLOCK = 4;
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
 * It looks at the last four bytes of a window as long as the shortest pattern. If no pattern has
 * them anywhere in its first bytes, nothing begins in the whole window and the next look-up is a
 * window further. Most of the input is never read.
 *
 * Of a pattern that a line break interrupts it finds a piece: the window is at most half as long as
 * such a pattern, so one of two pieces holds a whole look-up.
 */
class ShiftTable {
  readonly #window: number;
  /** A bit for each block that any pattern has: all that is read for most look-ups. */
  readonly #bits: Int32Array;
  readonly #bitsShift: number;
  /** How far the window can move, and whether a pattern begins. */
  readonly #table: Uint8Array;
  readonly #tableShift: number;
  /** Bits for what is two bytes longer, if pieces are found. */
  readonly #pieces: Int32Array | undefined;
  readonly #piecesShift: number;
  /** For each byte, whether a pattern begins with it. */
  readonly #first = new Uint8Array(256);

  constructor(patterns: readonly string[], { pieces }: ShiftTableOptions) {
    const broken = patterns.filter(({ length }) => pieces && length >= MIN_BROKEN_LENGTH);
    let window = MAX_WINDOW;
    for (const { length } of patterns) window = Math.min(window, length);
    for (const { length } of broken) window = Math.min(window, Math.ceil(length / 2));
    this.#window = window;
    const windows = new Set(patterns.map((pattern) => pattern.slice(0, window)));
    const inWindows = windows.size * window;
    const inPieces = broken.reduce((sum, { length }) => sum + length, 0);
    // The larger, the fewer look-ups are in vain; a processor's second cache holds all three.
    const bits = bitsFor((inWindows + inPieces) * 16);
    this.#bits = new Int32Array(1 << bits - 5);
    this.#bitsShift = 32 - bits;
    const tableBits = bitsFor(inWindows * 8);
    this.#table = new Uint8Array(1 << tableBits).fill(window - BLOCK + 1);
    this.#tableShift = 32 - tableBits;
    const pieceBits = bitsFor(inPieces * 32);
    this.#pieces = broken.length > 0 ? new Int32Array(1 << pieceBits - 5) : undefined;
    this.#piecesShift = 32 - pieceBits;
    for (const pattern of windows) this.#insert(pattern);
    for (const pattern of broken) this.#insertPieces(pattern);
  }

  /**
   * The first position at or after `from` where a pattern may begin, completely or cut off by the
   * text's end; or, as `~position`, the end of what may be a piece of one. The search goes on with
   * `after(position)`, and the position as the last `piece`.
   */
  find(text: DataView, from: number, piece: number): number {
    const bits = this.#bits, bitsShift = this.#bitsShift;
    const before = this.#window - 1, length = text.byteLength;
    const longest = this.#window - BLOCK + 1;
    let end = from + before;
    while (end < length) {
      const hash = hashOf(blockAt(text, end));
      const bit = hash >>> bitsShift;
      if ((bits[bit >>> 5]! & 1 << bit) === 0) {
        // The processor guesses this branch and goes on before the table has answered; with the
        // entry added instead, it would have to wait each time. This doubles the speed.
        end += longest;
        continue;
      }
      if (end > piece && this.#isPiece(text, end)) return ~end;
      const shift = this.#table[hash >>> this.#tableShift]! & ~BEGINS;
      if (shift === 0 && this.#begins(text, end - before)) return end - before;
      end += shift || 1;
    }
    let start = end - before;
    while (start < length && !this.#begins(text, start)) start++;
    return start;
  }

  after(piece: number): number {
    return piece + 1 - this.#window;
  }

  /** Whether the start of some pattern may be at a position, as far as the text can tell. */
  #begins(text: DataView, start: number): boolean {
    if (start + BLOCK > text.byteLength) return this.#first[text.getUint8(start)] !== 0;
    const hash = hashOf(blockAt(text, start + BLOCK - 1));
    return (this.#table[hash >>> this.#tableShift]! & BEGINS) !== 0;
  }

  /** Whether two more bytes on either side fit. */
  #isPiece(text: DataView, end: number): boolean {
    const pieces = this.#pieces;
    if (pieces === undefined) return false;
    if (end <= BLOCK || end + 2 >= text.byteLength) return true;
    const before = longHash(blockAt(text, end - 2), blockAt(text, end)) >>> this.#piecesShift;
    if ((pieces[before >>> 5]! & 1 << before) !== 0) return true;
    const after = longHash(blockAt(text, end), blockAt(text, end + 2)) >>> this.#piecesShift;
    return (pieces[after >>> 5]! & 1 << after) !== 0;
  }

  #insert(pattern: string): void {
    const table = this.#table, window = this.#window;
    this.#first[pattern.charCodeAt(0)] = 1;
    for (let end = BLOCK - 1; end < window; end++) {
      const hash = hashOf(blockIn(pattern, end));
      const entry = table[hash >>> this.#tableShift]!;
      const begins = entry & BEGINS | (end === BLOCK - 1 ? BEGINS : 0);
      table[hash >>> this.#tableShift] = Math.min(entry & ~BEGINS, window - 1 - end) | begins;
      setBit(this.#bits, hash >>> this.#bitsShift);
    }
  }

  #insertPieces(pattern: string): void {
    for (let end = BLOCK - 1; end < pattern.length; end++) {
      const block = blockIn(pattern, end);
      setBit(this.#bits, hashOf(block) >>> this.#bitsShift);
      if (end <= BLOCK) continue;
      setBit(this.#pieces!, longHash(blockIn(pattern, end - 2), block) >>> this.#piecesShift);
    }
  }
}

const MIN_BITS = 12, MAX_BITS = 21;

function bitsFor(size: number): number {
  return Math.min(Math.max(Math.ceil(Math.log2(size)), MIN_BITS), MAX_BITS);
}

function setBit(bits: Int32Array, bit: number): void {
  bits[bit >>> 5]! |= 1 << bit;
}

/** The four bytes up to a position, the last included. */
function blockAt(text: DataView, end: number): number {
  return text.getInt32(end - 3, true);
}

function blockIn(pattern: string, end: number): number {
  return pattern.charCodeAt(end - 3) | pattern.charCodeAt(end - 2) << 8 |
    pattern.charCodeAt(end - 1) << 16 | pattern.charCodeAt(end) << 24;
}

/** Its upper bits depend on all bits of a block. */
function hashOf(block: number): number {
  return Math.imul(block, 0x9e3779b1);
}

function longHash(block: number, next: number): number {
  const hash = Math.imul(block, 0x85ebca6b) ^ hashOf(next);
  return hash ^ hash << 13;
}
