/**
 * A text without end that has a secret in it again and again, and what the mask has to make of it.
 *
 * Its period is an odd number of bytes. Chunks are 2^n bytes long, so in the long run they are cut at
 * every place of it.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** How long a line is that has no secret in it. */
const LINE = `${"[ADC] an ordinary line of output, ".repeat(3)}\n`;

/** How many such lines there are between two secrets. */
const LINES = 8;

/** The text is handed out in blocks of about so many bytes. */
const BLOCK = 2 ** 20;

/** How many times the secret is in one period. */
export const OCCURRENCES = 3;

/**
 * One period of the text.
 *
 * @param {string} token The secret.
 * @returns {{ readonly text: string, readonly masked: string }} The period, and the same when it is masked.
 */
export function period(token) {
  const bytes = Buffer.from(token);
  const code = Buffer.from(`${token}\n`).toString("base64");
  // Six bits a character; the one that has bits of what follows as well stays.
  const rest = code.slice(Math.floor(bytes.length * 8 / 6));
  const frame = (plain, hex, base64) => {
    const lines = [`X-API-KEY: ${plain}\n`, `hex: ${hex}\n`, `base64: ${base64}\n`];
    return lines.map((line) => line + LINE.repeat(LINES)).join("");
  };
  const text = frame(token, bytes.toString("hex"), code);
  const odd = text.length % 2 === 0 ? "\n" : "";
  return { text: text + odd, masked: frame("***", "***", `***${rest}`) + odd };
}

/**
 * Repeats a text until it is a large block.
 *
 * @param {string} text The text.
 * @returns {{ readonly block: Buffer, readonly times: number }} The block, and how many texts are in it.
 */
export function repeat(text) {
  const times = Math.ceil(BLOCK / text.length);
  return { block: Buffer.from(text.repeat(times)), times };
}

/**
 * How many blocks make up so much text.
 *
 * @param {number} megabytes How much, in MiB.
 * @param {Buffer} block The block.
 * @returns {number} The number.
 */
export function blocksIn(megabytes, block) {
  return Math.ceil(megabytes * 2 ** 20 / block.length);
}

/** Compares what comes, byte for byte, with a text that is repeated without end. */
export class Comparison {
  /** How many bytes have come. */
  length = 0;
  /** Where the first byte came that should not have, or `undefined`. */
  wrongAt = undefined;
  #expected;

  /** @param {string} text The text. */
  constructor(text) {
    this.#expected = repeat(text).block;
  }

  /**
   * Takes what has come.
   *
   * @param {Buffer} chunk The bytes.
   */
  take(chunk) {
    for (let at = 0; at < chunk.length && this.wrongAt === undefined;) {
      const from = (this.length + at) % this.#expected.length;
      const size = Math.min(chunk.length - at, this.#expected.length - from);
      const same = this.#expected.compare(chunk, at, at + size, from, from + size) === 0;
      if (!same) this.wrongAt = this.length + at;
      at += size;
    }
    this.length += chunk.length;
  }
}
