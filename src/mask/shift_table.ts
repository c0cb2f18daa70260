/** Beyond this a longer window gains little, and costs time to build. */
const MAX_WINDOW = 16;
/** How many bytes are looked up at once. */
const BLOCK = 4;
const MIN_BITS = 12, MAX_BITS = 21;
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
 * them anywhere, nothing begins in the whole window and the next look-up is a window further. Most
 * of the input is never read.
 *
 * Of a pattern that a line break interrupts it finds a piece: the window is at most half as long as
 * such a pattern, so one of two pieces holds a whole look-up.
 */
export class ShiftTable {
  readonly longest: number;
  readonly #window: number;
  readonly #hasPieces: boolean;
  /** A bit for each block that any pattern has: all that is read for most look-ups. */
  readonly #bits: Int32Array;
  readonly #bitsShift: number;
  /** How far the window can move, and whether a pattern begins. */
  readonly #table: Uint8Array;
  readonly #tableShift: number;
  /** For each byte, whether a pattern begins with it, and whether any has it. */
  readonly #first = new Uint8Array(256);
  readonly #inside = new Uint8Array(256);

  constructor(patterns: readonly string[], { pieces }: ShiftTableOptions) {
    let window = MAX_WINDOW, longest = 0, bytes = 0;
    for (const { length } of patterns) {
      const isBroken = pieces && length >= MIN_BROKEN_LENGTH;
      window = Math.min(window, isBroken ? Math.ceil(length / 2) : length);
      longest = Math.max(longest, length);
      bytes += pieces ? length : MAX_WINDOW;
    }
    this.longest = longest;
    this.#window = window;
    this.#hasPieces = pieces;
    // The larger, the fewer look-ups are in vain; a processor's second cache holds it.
    const bits = bitsFor(bytes * 16);
    this.#bits = new Int32Array(1 << bits - 5);
    this.#bitsShift = 32 - bits;
    const tableBits = bitsFor(patterns.length * window * 4);
    this.#table = new Uint8Array(1 << tableBits).fill(window - BLOCK + 1);
    this.#tableShift = 32 - tableBits;
    for (const pattern of patterns) this.#insert(pattern);
  }

  #insert(pattern: string): void {
    const table = this.#table, window = this.#window;
    const length = this.#hasPieces ? pattern.length : window;
    this.#first[pattern.charCodeAt(0)] = 1;
    let block = 0;
    for (let at = 0; at < length; at++) {
      const byte = pattern.charCodeAt(at);
      this.#inside[byte] = 1;
      block = block >>> 8 | byte << 24;
      if (at < BLOCK - 1) continue;
      const hash = hashOf(block), bit = hash >>> this.#bitsShift;
      this.#bits[bit >>> 5]! |= 1 << bit;
      if (at >= window) continue;
      const entry = table[hash >>> this.#tableShift]!;
      const begins = entry & BEGINS | (at === BLOCK - 1 ? BEGINS : 0);
      table[hash >>> this.#tableShift] = Math.min(entry & ~BEGINS, window - 1 - at) | begins;
    }
  }

  /**
   * The first position at or after `from` where a pattern may begin, completely or cut off by the
   * text's end; or, as `~position`, the end of what may be a piece of one, behind `piece`. The
   * search goes on with `after(position)`.
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

  isFirst(byte: number): boolean {
    return this.#first[byte] !== 0;
  }

  isInside(byte: number): boolean {
    return this.#inside[byte] !== 0;
  }

  has(first: number, second: number, third: number, fourth: number): boolean {
    return this.#hasBlock(first | second << 8 | third << 16 | fourth << 24);
  }

  #hasBlock(block: number): boolean {
    const bit = hashOf(block) >>> this.#bitsShift;
    return (this.#bits[bit >>> 5]! & 1 << bit) !== 0;
  }

  /** Whether the start of some pattern may be at a position, as far as the text can tell. */
  #begins(text: DataView, start: number): boolean {
    if (start + BLOCK > text.byteLength) return this.isFirst(text.getUint8(start));
    const hash = hashOf(blockAt(text, start + BLOCK - 1));
    return (this.#table[hash >>> this.#tableShift]! & BEGINS) !== 0;
  }

  /** Whether as many bytes on one side fit as a piece of a window's length has on either. */
  #isPiece(text: DataView, end: number): boolean {
    if (!this.#hasPieces) return false;
    const before = end <= BLOCK || this.#hasBlock(blockAt(text, end - 2));
    if (before && this.#fits(text, end, -2)) return true;
    const behind = end + 2 >= text.byteLength || this.#hasBlock(blockAt(text, end + 2));
    return behind && this.#fits(text, end, 2);
  }

  /** Whether more than the two next bytes fit. */
  #fits(text: DataView, end: number, step: number): boolean {
    let at = end + step;
    for (let more = this.#window - BLOCK * 2; more >= BLOCK; more -= BLOCK) {
      at += step;
      if (at < BLOCK - 1 || at >= text.byteLength) return true;
      if (!this.#hasBlock(blockAt(text, at))) return false;
    }
    return true;
  }
}

function bitsFor(size: number): number {
  return Math.min(Math.max(Math.ceil(Math.log2(size)), MIN_BITS), MAX_BITS);
}

function blockAt(text: DataView, end: number): number {
  return text.getInt32(end - BLOCK + 1, true);
}

/** Its upper bits depend on all bits of a block. */
function hashOf(block: number): number {
  return Math.imul(block, 0x9e3779b1);
}
