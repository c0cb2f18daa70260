import { Buffer } from "node:buffer";
import { Transform, type TransformCallback } from "node:stream";
import type { Secret } from "../secret.ts";
import { IdleTimer, MAX_TIMER, type Timers } from "../system/deadline.ts";
import { type Search, searchFor } from "./readers.ts";
import { Replacer } from "./replacer.ts";

/** Node.js 20 would take 16 KiB, less than one read from a pipe. */
const HIGH_WATER_MARK = 64 * 1024;

interface MaskStreamOptions {
  /** After how many milliseconds without input the held bytes are let go. */
  readonly idleTime: number;
  /** Called with the number of replacements that were just written. */
  readonly onReplaced?: (count: number) => void;
  readonly timers?: Timers;
}

/** A byte stream that comes out with all occurrences replaced. */
export class MaskStream extends Transform {
  readonly #replacer: Replacer;
  readonly #idle: IdleTimer;
  readonly #onReplaced: ((count: number) => void) | undefined;
  #counted = 0;

  constructor(replacer: Replacer, options: MaskStreamOptions) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#replacer = replacer;
    this.#onReplaced = options.onReplaced;
    this.#idle = new IdleTimer(() => this.#release(), options);
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    this.#idle.stop();
    this.#pushAll(this.#replacer.write(chunk));
    if (this.#replacer.held > 0) this.#idle.start();
    callback();
  }

  override _flush(callback: TransformCallback): void {
    this.#idle.stop();
    this.#pushAll(this.#replacer.release());
    callback();
  }

  /** While the reader was slow, the writer had to wait: its silence begins only now. */
  override _read(size: number): void {
    if (this.#replacer.held > 0 && !this.writableEnded) this.#idle.start();
    super._read(size);
  }

  /** Leaves no timer behind. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#idle.stop();
    super._destroy(error, callback);
  }

  #release(): void {
    // More input is here already and only waits for the reader; it will start the timer again.
    if (this.writableLength > 0) return;
    this.#pushAll(this.#replacer.release());
  }

  #pushAll(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.push(piece);
    const count = this.#replacer.count - this.#counted;
    this.#counted += count;
    if (count > 0) this.#onReplaced?.(count);
  }
}

/**
 * How {@linkcode createMask} masks.
 * @category Run
 */
export interface MaskOptions {
  /**
   * What stands in the place of a secret. It is not searched for secrets in its turn.
   *
   * @default "***"
   */
  readonly replacement?: string;
  /**
   * After how many milliseconds without input a stream lets go of bytes that could have become a
   * secret, so that a prompt or a progress line is not held back for ever.
   *
   * @default 50
   */
  readonly idleMs?: number;
}

/**
 * Replaces secrets, see {@linkcode createMask}. It prints itself without them.
 * @category Run
 */
export interface Mask {
  /**
   * A new byte stream that masks what is written to it. Each has a state of its own: one for
   * standard output, one for standard error.
   *
   * @returns A `Transform`; every byte that is no part of a secret passes unchanged.
   */
  stream(): Transform;
  /**
   * Masks a text that is complete, such as an error message. It does not count.
   *
   * @param value The text.
   * @returns The text with every secret replaced.
   */
  text(value: string): string;
  /** How many replacements all streams together have written so far. */
  readonly count: number;
}

/**
 * Makes a mask for some secrets.
 *
 * A secret is found as it is; URL-encoded, also twice; escaped as in JSON, JSON in JSON, JavaScript,
 * HTML, YAML, CSV, SQL, shells, Python and Perl; in base64 or base64url, also in the middle of a
 * longer encoded text; in hexadecimal, also with blanks or colons in between, and in dumps such as
 * those of `xxd`, `hexdump -C` and `curl --trace`; and all of these in UTF-16. A terminal's colours
 * in between do not hide it, nor do line breaks with an indent, where lines have 16 characters or
 * more. Its first 16 characters or more are found without the rest. Base64 and hexadecimal forms of
 * less than eight characters are left alone, for they would turn up by chance, and a secret of less
 * than eight characters is masked only where it stands alone: `test`, but not `latest`.
 * Occurrences that overlap are replaced by one replacement, those that merely touch by one each.
 *
 * A stream works on bytes and finds a secret however it is split into chunks. It holds back no more
 * than what could be the start of a secret, and lets that go when the input ends or pauses. Should
 * the rest of a secret follow after such a pause, the rest is still masked.
 *
 * @category Run
 * @param secrets The secrets. Empty ones are ignored.
 * @param options What to write instead, and how long to hold bytes back.
 * @returns The mask.
 * @throws {RangeError} If `idleMs` is not a number from 0 to 2147483647.
 *
 * @example
 * ```ts
 * import { createMask, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const mask = createMask([new Secret("a7ee-example")]);
 * assert.equal(mask.text("X-API-KEY: a7ee-example"), "X-API-KEY: ***");
 *
 * const stream = mask.stream();
 * stream.write("X-API-KEY: a7ee-");
 * stream.end("example\n");
 * let output = "";
 * for await (const chunk of stream) output += chunk;
 * assert.equal(output, "X-API-KEY: ***\n");
 * assert.equal(mask.count, 1);
 * ```
 */
export function createMask(secrets: Iterable<Secret>, options: MaskOptions = {}): Mask {
  const { replacement = "***", idleMs = 50 } = options;
  if (!(idleMs >= 0 && idleMs <= MAX_TIMER)) {
    throw new RangeError(
      `Cannot create a mask: idleMs is ${idleMs}, not 0 to ${MAX_TIMER}`,
    );
  }
  const search = searchFor([...secrets].map((secret) => secret.reveal()));
  return new SecretMask(search, { replacement: Buffer.from(replacement), idleTime: idleMs });
}

class SecretMask implements Mask {
  readonly #search: Search;
  readonly #replacement: Buffer;
  readonly #idleTime: number;
  #count = 0;

  constructor(
    search: Search,
    options: { readonly replacement: Buffer; readonly idleTime: number },
  ) {
    this.#search = search;
    this.#replacement = options.replacement;
    this.#idleTime = options.idleTime;
  }

  get count(): number {
    return this.#count;
  }

  stream(): Transform {
    return new MaskStream(new Replacer(this.#search.readers, this.#replacement), {
      idleTime: this.#idleTime,
      onReplaced: (count) => {
        this.#count += count;
      },
    });
  }

  text(value: string): string {
    // Most messages are this plain, and the tables take longer to make than to use.
    const isPlain = !/[^ -~]|[\da-f]{2}[ :]/i.test(value);
    if (isPlain && !this.#search.starts.some((each) => value.includes(each))) return value;
    const replacer = new Replacer(this.#search.readers, this.#replacement);
    const output = [...replacer.write(Buffer.from(value)), ...replacer.release()];
    // Unmasked text is returned as it came: a lone surrogate would not survive the way to bytes.
    return replacer.count === 0 ? value : Buffer.concat(output).toString();
  }
}
