import type { Finder } from "./finder.ts";

/** Beyond this a longer window gains little, and costs time to build. */
const LONGEST_WINDOW = 16;
const FEWEST_BITS = 12;
/** 128 KiB: the table has to stay in the processor's nearer caches. */
const MOST_BITS = 17;
/** Marks the blocks with which some pattern begins; the bits below hold the shift. */
const BEGINS = 0x80;

/**
 * Finds the places where a pattern may begin, after Wu and Manber.
 *
 * It looks at the last bytes of a window as long as the shortest pattern, a block of two or three.
 * If no pattern has this block anywhere in its first bytes, nothing begins in the whole window and
 * the next look-up is a window further. Most of the input is never read.
 */
export class ShiftTable implements Finder {
  readonly #block: 2 | 3;
  readonly #window: number;
  readonly #mask: number;
  readonly #table: Uint8Array;
  /** For each byte, whether a pattern begins with it. */
  readonly #first = new Uint8Array(256);

  /** Makes the table. */
  constructor(patterns: readonly string[], block: 2 | 3) {
    let window = LONGEST_WINDOW;
    for (const pattern of patterns) window = Math.min(window, pattern.length);
    let bits = FEWEST_BITS;
    while (bits < MOST_BITS && 1 << bits < patterns.length * window * 8) bits++;
    // A table that is more than a quarter full shifts less than a smaller window would.
    const share = Math.floor((1 << bits) / 4 / patterns.length);
    this.#block = block;
    this.#window = Math.min(window, share + block);
    this.#mask = (1 << bits) - 1;
    this.#table = new Uint8Array(1 << bits).fill(this.#window - block + 1);
    for (const pattern of patterns) this.#insert(pattern);
  }

  find(chunk: Uint8Array, from: number): number {
    const table = this.#table, mask = this.#mask;
    const before = this.#window - 1, length = chunk.length, long = this.#block === 3;
    const longest = this.#window - this.#block + 1;
    let end = from + before;
    while (end < length) {
      const code = hash(long ? chunk[end - 2]! : 0, chunk[end - 1]!, chunk[end]!);
      const entry = table[code & mask]!;
      if (entry === longest) {
        // The processor guesses this branch and goes on before the table has answered; with the
        // entry added instead, it would have to wait each time. This doubles the speed.
        end += longest;
      } else if ((entry & ~BEGINS) !== 0) {
        end += entry & ~BEGINS;
      } else if (this.#begins(chunk, end - before)) {
        return end - before;
      } else {
        end++;
      }
    }
    let start = end - before;
    while (start < length && !this.#begins(chunk, start)) start++;
    return start;
  }

  /** Whether the start of some pattern may be at a position, as far as the chunk can tell. */
  #begins(chunk: Uint8Array, start: number): boolean {
    if (start + this.#block > chunk.length) return this.#first[chunk[start]!] !== 0;
    const code = this.#block === 3
      ? hash(chunk[start]!, chunk[start + 1]!, chunk[start + 2]!)
      : hash(0, chunk[start]!, chunk[start + 1]!);
    return (this.#table[code & this.#mask]! & BEGINS) !== 0;
  }

  #insert(pattern: string): void {
    const table = this.#table, window = this.#window, block = this.#block;
    this.#first[pattern.charCodeAt(0)] = 1;
    let first = 0, second = 0;
    for (let i = 0; i < window; i++) {
      const third = pattern.charCodeAt(i);
      if (i >= block - 1) {
        const code = hash(block === 3 ? first : 0, second, third) & this.#mask;
        const entry = table[code]!;
        const begins = entry & BEGINS | (i === block - 1 ? BEGINS : 0);
        table[code] = Math.min(entry & ~BEGINS, window - 1 - i) | begins;
      }
      first = second;
      second = third;
    }
  }
}

/** Text varies in the low five bits of a byte; these shifts keep them apart. */
function hash(first: number, second: number, third: number): number {
  return first ^ second << 5 ^ third << 10;
}
