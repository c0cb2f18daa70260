import { Buffer } from "node:buffer";

const NOTHING = Buffer.alloc(0);
const NEWLINE = 0x0a;
const LONG_CHUNK = 4096;

/**
 * Looks for occurrences in one way. It keeps nothing between two calls: what it has to see again
 * of a text comes again, in front of what follows.
 */
export interface Reader {
  /** `end` tells that nothing follows, or not for some time. */
  read(text: Buffer, found: Findings, end: boolean): void;
}

/** What the readers make of a text. */
export class Findings {
  /** The occurrences: start, end, start, end… One reader's overlap or not, in any order. */
  readonly bounds: number[] = [];
  /** From here on the text could be part of an occurrence that is not complete. */
  hold: number;
  /** From here on it has to be read again together with what follows. */
  keep: number;

  /** Whether nothing is in front of the text. */
  readonly isStart: boolean;

  constructor(length: number, { isStart }: { readonly isStart: boolean }) {
    this.hold = this.keep = length;
    this.isStart = isStart;
  }

  add(start: number, end: number): void {
    const bounds = this.bounds, last = bounds.length - 1;
    // The automaton finds one after the other, each a byte further.
    if (last > 0 && start >= bounds[last - 1]! && start < bounds[last]!) {
      if (end > bounds[last]!) bounds[last] = end;
    } else bounds.push(start, end);
  }

  holdFrom(position: number): void {
    if (position < this.hold) this.hold = position;
    this.keepFrom(position);
  }

  keepFrom(position: number): void {
    if (position < this.keep) this.keep = position;
  }
}

/**
 * The state of one masked stream, without the stream.
 *
 * Positions count from the first byte that the readers see; what lies before is negative. Bytes
 * leave once no occurrence can reach them any more, that is up to the *hold*. An occurrence that
 * reaches beyond the hold may yet overlap another and waits as a whole; its bytes need not be kept.
 */
export class Replacer {
  readonly #reader: Reader;
  readonly #replacement: Uint8Array;
  /** The last bytes, which the readers have to see again. A copy: a few keep no chunk alive. */
  #context: Buffer = NOTHING;
  /** Everything before it has been handed out. */
  #released = 0;
  /** The occurrences that wait, as one: they overlap, or the first could not wait. */
  #waiting: readonly number[] = [];
  #isStart = true;
  #count = 0;

  constructor(reader: Reader, replacement: Uint8Array) {
    this.#reader = reader;
    this.#replacement = replacement;
  }

  get held(): number {
    return this.#context.length - this.#released;
  }

  get count(): number {
    return this.#count;
  }

  write(chunk: Uint8Array): Uint8Array[] {
    // Little is pending at the end of a line, and the rest of the chunk need not be copied.
    const line = this.#context.length > 0 && chunk.length > LONG_CHUNK
      ? chunk.subarray(0, LONG_CHUNK).indexOf(NEWLINE) + 1
      : 0;
    if (line === 0) return this.#read(chunk, false);
    return [
      ...this.#read(chunk.subarray(0, line), false),
      ...this.#read(chunk.subarray(line), false),
    ];
  }

  /**
   * Hands out all that is held. If it was the start of an occurrence whose rest follows after all,
   * that rest is still replaced.
   */
  release(): Uint8Array[] {
    return this.#read(NOTHING, true);
  }

  #read(chunk: Uint8Array, end: boolean): Uint8Array[] {
    const context = this.#context, released = this.#released;
    const text = context.length === 0
      ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      : Buffer.concat([context, chunk]);
    // Most programs say nothing, and a search has to be built.
    if (text.length === 0 && this.#waiting.length === 0) return [];
    const found = new Findings(text.length, { isStart: this.#isStart });
    this.#reader.read(text, found, end);
    const unions = unite([...this.#waiting, ...found.bounds], released);
    const hold = end ? text.length : found.hold;
    let done = 0;
    while (done < unions.length && unions[done + 1]! <= hold) done += 2;
    const until = Math.max(Math.min(unions[done] ?? hold, hold), released);

    const keep = Math.min(found.keep, hold);
    if (keep > 0) this.#isStart = false;
    const move = (position: number): number => position - keep;
    this.#waiting = unions.slice(done).map(move);
    this.#context = keep === text.length ? NOTHING : Buffer.from(text.subarray(keep));
    this.#released = move(until);
    if (done > 0) return this.#replaced(text.subarray(0, until), released, unions.slice(0, done));
    if (released >= until) return [];
    const isChunk = context.length === 0 && released === 0 && until === chunk.length;
    return [isChunk ? chunk : text.subarray(released, until)];
  }

  /** A text from a position on, with what is in the unions replaced. */
  #replaced(text: Buffer, from: number, unions: readonly number[]): Uint8Array[] {
    const replacement = this.#replacement, count = unions.length / 2;
    let size = text.length - from + count * replacement.length;
    for (let i = 0; i < unions.length; i += 2) size -= unions[i + 1]! - unions[i]!;
    // One buffer, because a chunk may hold as many replacements as bytes.
    const output = Buffer.allocUnsafe(size);
    let length = 0, at = from;
    for (let i = 0; i < unions.length; i += 2) {
      // Of a union that waited the start may be gone, and nothing is in front of it.
      if (unions[i]! > at) length += text.copy(output, length, at, unions[i]);
      output.set(replacement, length);
      length += replacement.length;
      at = unions[i + 1]!;
    }
    text.copy(output, length, at);
    this.#count += count;
    return size === 0 ? [] : [output];
  }
}

/** Those that share a byte as one, those that only touch apart, and of all what is not out yet. */
function unite(bounds: readonly number[], released: number): readonly number[] {
  const unions: number[] = [];
  const sorted = inOrder(bounds);
  for (let at = 0; at < sorted.length; at += 2) {
    const start = Math.max(sorted[at]!, released), end = sorted[at + 1]!;
    if (end <= start) continue;
    const last = unions.length - 1;
    if (last > 0 && start < unions[last]!) unions[last] = Math.max(end, unions[last]!);
    else unions.push(start, end);
  }
  return unions;
}

function inOrder(bounds: readonly number[]): readonly number[] {
  let at = 2;
  while (at < bounds.length && bounds[at]! >= bounds[at - 2]!) at += 2;
  if (at >= bounds.length) return bounds;
  const order = Array.from({ length: bounds.length / 2 }, (_, index) => index * 2);
  order.sort((one, other) => bounds[one]! - bounds[other]!);
  return order.flatMap((at) => [bounds[at]!, bounds[at + 1]!]);
}
