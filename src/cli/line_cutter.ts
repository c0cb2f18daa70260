import { Buffer } from "node:buffer";

/**
 * The longest piece of a line, in bytes: a program that never ends its line must not fill the memory.
 */
export const LONGEST_PIECE = 64 * 1024;

const [LINE_FEED, RETURN] = [10, 13];

/** A line, or a piece of one, without its end. */
export interface Line {
  readonly bytes: Uint8Array;
  /** Whether it goes on with a line that was too long. */
  readonly continued: boolean;
}

/**
 * Cuts what arrives in chunks into lines.
 *
 * A line ends with `\n`, `\r\n` or a lone `\r`: a progress bar would draw over what stands at the start of
 * the line, so each of its steps is a line, and it draws no empty ones. A line of more than 64 KiB comes in
 * pieces, which are never cut inside of a character of UTF-8.
 */
export class LineCutter {
  #held: Uint8Array[] = [];
  #length = 0;
  #continued = false;
  /** A `\r` has just ended a line, and a `\n` would belong to it. */
  #returned = false;

  /** Takes a chunk. */
  write(chunk: Uint8Array): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte !== LINE_FEED && byte !== RETURN) continue;
      this.#hold(chunk.subarray(start, at), lines);
      if (at > start) this.#returned = false;
      start = at + 1;
      const empty = this.#length === 0 && !this.#continued;
      if (byte === LINE_FEED) {
        if (!(empty && this.#returned)) lines.push(this.#take());
        this.#returned = false;
      } else if (!empty) {
        lines.push(this.#take());
        this.#returned = true;
      }
    }
    if (start < chunk.length) {
      this.#returned = false;
      this.#hold(chunk.subarray(start), lines);
    }
    return lines;
  }

  /** Ends the input. */
  end(): readonly Line[] {
    return this.#length > 0 || this.#continued ? [this.#take()] : [];
  }

  #hold(bytes: Uint8Array, lines: Line[]): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#length += bytes.length;
    while (this.#length > LONGEST_PIECE) {
      const all = Buffer.concat(this.#held);
      let cut = LONGEST_PIECE;
      // A byte 10xxxxxx goes on with a character; no character has more than three of them.
      while (cut > LONGEST_PIECE - 4 && (all[cut]! & 0xc0) === 0x80) cut--;
      this.#held = [all.subarray(0, cut)];
      lines.push(this.#take());
      this.#continued = true;
      this.#held = [all.subarray(cut)];
      this.#length = all.length - cut;
    }
  }

  #take(): Line {
    const [only] = this.#held;
    const bytes = this.#held.length === 1 ? only! : Buffer.concat(this.#held);
    const line = { bytes, continued: this.#continued };
    this.#held = [];
    this.#length = 0;
    this.#continued = false;
    return line;
  }
}
