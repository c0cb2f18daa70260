/** Rules out quickly where none of its patterns can begin. */
export interface Finder {
  /**
   * The first position at or after `from` where a pattern may begin, completely or cut off by the
   * chunk's end.
   */
  find(chunk: Uint8Array, from: number): number;
}

/** Finds the bytes with which a pattern begins: the way for patterns of a single byte. */
export class ByteFinder implements Finder {
  readonly #first = new Uint8Array(256);

  /** Makes the finder. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) this.#first[pattern.charCodeAt(0)] = 1;
  }

  find(chunk: Uint8Array, from: number): number {
    const first = this.#first, length = chunk.length;
    let start = from;
    while (start < length && first[chunk[start]!] === 0) start++;
    return start;
  }
}
