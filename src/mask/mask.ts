import { Buffer } from "node:buffer";
import { Transform, type TransformCallback } from "node:stream";
import { MIN_SECRET_LENGTH, type Secret, tokenPrefix } from "../secret.ts";
import { IdleTimer, MAX_TIMER, type Timers } from "../system/deadline.ts";
import { encodedForms, MIN_CUT_LENGTH, textForms, utf16Forms, withCuts } from "./forms.ts";
import { HexDumps } from "./hex_dumps.ts";
import { Matcher } from "./matcher.ts";
import { type Findings, type Reader, Replacer } from "./replacer.ts";

/** Node.js 20 would take 16 KiB, less than one read from a pipe. */
const HIGH_WATER_MARK = 64 * 1024;

interface MaskStreamOptions {
  /** After how many milliseconds without input the held bytes are let go. */
  readonly idleTime: number;
  /** Called with the number of replacements that were just written. */
  readonly onReplaced?: (count: number) => void;
  readonly timers?: Timers;
}

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
   * secret, so that a prompt or a progress line is not held back forever.
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
 * Creates a mask for secrets.
 *
 * A secret is found as it is; URL-encoded, also twice; escaped as in JSON, JSON in JSON, JavaScript,
 * HTML, YAML, CSV, SQL, shells, Python and Perl; in base64 or base64url, also in the middle of a
 * longer encoded text; in hexadecimal, also with blanks or colons in between, and in dumps such as
 * those of `xxd`, `hexdump -C` and `curl --trace`; and all of these in UTF-16. A terminal's colors
 * in between do not hide it, nor do line breaks with an indent, where lines have 16 characters or
 * more. Its first 16 characters or more are found without the rest. Base64 and hexadecimal forms of
 * fewer than eight characters are left alone, because they would turn up by chance, and a secret of less
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
  return new SecretMask(new SecretReader([...secrets]), { replacement, idleMs });
}

class SecretMask implements Mask {
  readonly #reader: SecretReader;
  readonly #options: Required<MaskOptions>;
  #count = 0;

  constructor(reader: SecretReader, options: Required<MaskOptions>) {
    this.#reader = reader;
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  stream(): Transform {
    return new MaskStream(this.#replacer(), {
      idleTime: this.#options.idleMs,
      onReplaced: (count) => {
        this.#count += count;
      },
    });
  }

  text(value: string): string {
    if (!this.#reader.mayFindIn(value)) return value;
    const replacer = this.#replacer();
    const output = [...replacer.write(Buffer.from(value)), ...replacer.release()];
    // Unmasked text is returned as it came: a lone surrogate would not survive the way to bytes.
    return replacer.count === 0 ? value : Buffer.concat(output).toString();
  }

  #replacer(): Replacer {
    return new Replacer(this.#reader, Buffer.from(this.#options.replacement));
  }
}

/** Looks for secrets in every way. Any number of streams can share it; most programs write nothing. */
class SecretReader implements Reader {
  readonly #secrets: readonly Secret[];
  #madeForms: ReturnType<typeof formsOf> | undefined;
  #readers: readonly Reader[] | undefined;

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets;
  }

  get #forms(): ReturnType<typeof formsOf> {
    return this.#madeForms ??= formsOf(this.#secrets);
  }

  /** Most messages are plain, without any form's first bytes, and the tables take longer to make. */
  mayFindIn(text: string): boolean {
    // Beyond a line of ASCII there are gaps and UTF-16, and dumps in five groups or more.
    if (/[^ -~]|([\da-f]{2,4}[ :]{1,2}){4}/i.test(text)) return true;
    const { words, patterns } = this.#forms;
    const isIn = (form: string) => text.includes(form.slice(0, MIN_SECRET_LENGTH));
    return [...words, ...patterns.keys()].some(isIn);
  }

  read(text: Buffer, found: Findings, end: boolean): void {
    this.#readers ??= this.#makeReaders();
    for (const reader of this.#readers) reader.read(text, found, end);
  }

  #makeReaders(): readonly Reader[] {
    const { words, patterns } = this.#forms;
    if (patterns.size + words.size === 0) return [];
    const readers = [new Words(words), new Matcher(patterns, { gaps: true }), new Utf16(patterns)];
    // Of UTF-16 it can be a zero.
    const first = [...words, ...patterns.keys(), "\0"].map((form) => form.charCodeAt(0));
    return [...readers, new HexDumps(readers, new Set(first))];
  }
}

/** What is looked for: words where they stand alone, and patterns, from how many bytes on. */
function formsOf(secrets: Iterable<Secret>): {
  readonly words: ReadonlySet<string>;
  readonly patterns: ReadonlyMap<string, number>;
} {
  const patterns = new Map<string, number>();
  const words = new Set<string>();
  for (const secret of new Set([...secrets].map((each) => each.reveal()))) {
    const isShort = secret.length < MIN_SECRET_LENGTH;
    for (const [form, cut] of withCuts(secret, textForms)) {
      if (isShort) words.add(form);
      else patterns.set(form, cut);
    }
    for (const [form, cut] of withCuts(secret, encodedForms)) patterns.set(form, cut);
    // Whoever sees a token without its prefix knows the rest, however its hyphen is escaped or wrapped.
    const bare = secret.slice(tokenPrefix(secret)?.length ?? 0);
    if (bare.length < MIN_CUT_LENGTH) continue;
    for (const [form, cut] of withCuts(bare, textForms)) patterns.set(form, cut);
  }
  return { words, patterns };
}

/** Finds forms in UTF-16: in ASCII's and Latin-1's characters every other byte is zero. */
class Utf16 implements Reader {
  readonly #patterns: ReadonlyMap<string, number>;
  /** The first character of each form. */
  readonly #first: ReadonlySet<number>;
  #matcher: Matcher | undefined;

  constructor(patterns: ReadonlyMap<string, number>) {
    this.#patterns = patterns;
    this.#first = new Set(
      [...patterns.keys()].map((form) => Buffer.from(form, "latin1").toString().charCodeAt(0)),
    );
  }

  read(text: Buffer, found: Findings): void {
    const { length } = text;
    let from = text.indexOf(0) - 1;
    if ([...this.#first].some((char) => char > 0xff)) from = 0;
    else if (from === -2) {
      // Without a zero the last byte alone can be the start.
      if (this.#first.has(text[length - 1]!)) found.holdFrom(length - 1);
      return;
    }
    this.#matcher ??= new Matcher(utf16Forms(this.#patterns));
    this.#matcher.readFrom(text, Math.max(0, from), found);
  }
}

/**
 * Finds short secrets, where they stand alone: the token `test` is no part of `latest`, nor of
 * `test-service`.
 */
class Words implements Reader {
  readonly #forms: readonly string[];

  constructor(forms: Iterable<string>) {
    this.#forms = [...forms];
  }

  read(text: Buffer, found: Findings, end: boolean): void {
    if (this.#forms.length === 0) return;
    for (const form of this.#forms) this.#find(form, text, { found, end });
    // The byte before tells whether a word begins.
    found.keepFrom(Math.max(0, found.hold - 1));
  }

  #find(
    form: string,
    text: Buffer,
    { found, end }: { readonly found: Findings; readonly end: boolean },
  ): void {
    const isFirst = isWord(form.charCodeAt(0));
    const isLast = isWord(form.charCodeAt(form.length - 1));
    const begins = (at: number): boolean =>
      !isFirst || (at === 0 ? found.isStart : !isWord(text[at - 1]!));
    for (let at = 0; (at = text.indexOf(form, at, "latin1")) >= 0; at++) {
      if (!begins(at)) continue;
      const next = at + form.length;
      if (next < text.length ? !isLast || !isWord(text[next]!) : end || !isLast) {
        found.add(at, next);
      }
      if (next === text.length && isLast) found.holdFrom(at);
    }
    for (let size = Math.min(form.length - 1, text.length); size > 0; size--) {
      const at = text.length - size;
      if (begins(at) && text.toString("latin1", at) === form.slice(0, size)) {
        return found.holdFrom(at);
      }
    }
  }
}

/** Letters, digits, what joins words, and all beyond ASCII. */
function isWord(byte: number): boolean {
  return byte >= 0x80 || byte === 0x5f || byte === 0x2d || (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
