import { Buffer } from "node:buffer";
import { type Matcher, ROOT } from "./matcher.ts";

/**
 * The unions of overlapping occurrences, in order. A union is two numbers in a typed array that is
 * kept: a chunk may hold as many unions as bytes.
 */
class Spans {
  /** Start, end, start, end… Not integers of 32 bits: a union may be longer than that. */
  #bounds = new Float64Array(16);
  #length = 0;

  /** How many unions there are. */
  get count(): number {
    return this.#length / 2;
  }

  start(index: number): number {
    return this.#bounds[index * 2]!;
  }

  end(index: number): number {
    return this.#bounds[index * 2 + 1]!;
  }

  /** Where the last union ends. */
  get lastEnd(): number {
    return this.#length === 0 ? -Infinity : this.#bounds[this.#length - 1]!;
  }

  /**
   * Adds an interval. Unions that share a byte with it become one with it, those that only touch it
   * do not.
   */
  add(from: number, to: number): void {
    const last = this.#length;
    let length = last;
    while (length > 0 && this.#bounds[length - 1]! > from) length -= 2;
    if (length + 2 > this.#bounds.length) this.#grow();
    const bounds = this.#bounds;
    const merged = length < last;
    const end = merged ? Math.max(to, bounds[last - 1]!) : to;
    bounds[length] = merged ? Math.min(from, bounds[length]!) : from;
    bounds[length + 1] = end;
    this.#length = length + 2;
  }

  /** Forgets the first unions and moves the others. */
  advance(count: number, distance: number): void {
    const first = count * 2;
    for (let i = first; i < this.#length; i++) {
      this.#bounds[i - first] = this.#bounds[i]! - distance;
    }
    this.#length -= first;
  }

  #grow(): void {
    const bounds = new Float64Array(this.#bounds.length * 2);
    bounds.set(this.#bounds);
    this.#bounds = bounds;
  }
}

const NOTHING = Buffer.alloc(0);
/** States of at most this depth are left: to read two bytes again costs less than to go on. */
const SHALLOW = 2;
/** Below this many bytes a loop copies faster than a call. */
const SHORT_COPY = 32;

/**
 * The state of one masked stream, without the stream.
 *
 * Positions count from the first byte of the current chunk; what came before is negative. Bytes
 * leave once no occurrence can reach them any more, that is up to the *hold*, the first byte that
 * could be the start of a match. An occurrence that reaches beyond the hold may yet overlap another
 * and waits as a whole; its bytes need not be kept.
 */
export class Replacer {
  readonly #matcher: Matcher;
  readonly #replacement: Uint8Array;
  #state = ROOT;
  /** How many of the last bytes are a proper prefix of a pattern: the state's depth. */
  #depth = 0;
  /** Everything before it has been handed out. Never positive between chunks. */
  #released = 0;
  /** The occurrences that have not been handed out. */
  readonly #unions = new Spans();
  /** The last bytes before the chunk, as far as they may have to be handed out as they are. */
  #tail: Uint8Array = NOTHING;
  #count = 0;

  constructor(matcher: Matcher, replacement: Uint8Array) {
    this.#matcher = matcher;
    this.#replacement = replacement;
  }

  /** How many bytes have been taken and not handed out. */
  get held(): number {
    return 0 - this.#released;
  }

  /** How many replacements have been handed out. */
  get count(): number {
    return this.#count;
  }

  write(chunk: Uint8Array): Uint8Array[] {
    this.#scan(chunk);
    const hold = chunk.length - this.#depth;
    const unions = this.#unions;
    let done = 0;
    while (done < unions.count && unions.end(done) <= hold) done++;
    const waiting = done < unions.count ? Math.min(unions.start(done), hold) : hold;
    const until = Math.max(waiting, this.#released);
    const output = this.#output(chunk, { done, until });

    const kept = this.#slices(chunk, Math.max(hold, until), chunk.length);
    // Copies, so that a few bytes do not keep a whole chunk alive.
    this.#tail = kept.length === 0 ? NOTHING : Buffer.concat(kept);
    unions.advance(done, chunk.length);
    this.#released = until - chunk.length;
    return output;
  }

  /**
   * Hands out all that is held. If it was the start of an occurrence whose rest follows after all,
   * that rest is still replaced.
   */
  release(): Uint8Array[] {
    const done = this.#unions.count;
    const output = this.#output(NOTHING, { done, until: 0 });
    this.#unions.advance(done, 0);
    this.#tail = NOTHING;
    this.#released = 0;
    return output;
  }

  #scan(chunk: Uint8Array): void {
    const candidate = this.#matcher.candidates(chunk);
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === ROOT) at = candidate(at);
      if (at < chunk.length) at = this.#follow(chunk, at);
    }
  }

  /** Runs the automaton until nothing is left to follow, and returns where to search on. */
  #follow(chunk: Uint8Array, from: number): number {
    const automaton = this.#matcher.automaton;
    const start = from - this.#depth;
    let state = this.#state;
    let depth = this.#depth;
    let at = from;
    do {
      state = automaton.next(state, chunk[at++]!);
      const longest = automaton.longest(state);
      if (longest !== 0) {
        this.#unions.add(Math.max(at - longest, this.#released), at);
        state = automaton.settle(state);
      }
      depth = automaton.depth(state);
      // Only towards a later start than this one, or the search would not get on, and not back over
      // an occurrence, which would then be found twice.
      const hold = at - depth;
      if (depth <= SHALLOW && hold > start && hold >= 0 && hold >= this.#unions.lastEnd) {
        at = hold;
        state = ROOT;
        depth = 0;
      }
    } while (state !== ROOT && at < chunk.length);
    this.#state = state;
    this.#depth = depth;
    return at;
  }

  /** What lies between the last byte handed out and `until`, with the first unions replaced. */
  #output(
    chunk: Uint8Array,
    { done, until }: { readonly done: number; readonly until: number },
  ): Uint8Array[] {
    if (done === 0) return this.#slices(chunk, this.#released, until);
    const unions = this.#unions, replacement = this.#replacement;
    let size = until - this.#released + done * replacement.length;
    for (let i = 0; i < done; i++) size -= unions.end(i) - unions.start(i);
    // One buffer, because a chunk may hold as many replacements as bytes.
    const output = Buffer.allocUnsafe(size);
    let length = 0;
    let from = this.#released;
    for (let i = 0; i < done; i++) {
      const to = unions.start(i);
      if (from < to) length = copyAll(this.#slices(chunk, from, to), output, length);
      length = copy(replacement, output, length);
      from = unions.end(i);
    }
    copyAll(this.#slices(chunk, from, until), output, length);
    this.#count += done;
    return size === 0 ? [] : [output];
  }

  /** The bytes between two positions, without a copy. */
  #slices(chunk: Uint8Array, from: number, to: number): Uint8Array[] {
    if (from >= to) return [];
    if (from === 0 && to === chunk.length) return [chunk];
    if (from >= 0) return [chunk.subarray(from, to)];
    const tail = this.#tail;
    const old = tail.subarray(tail.length + from, tail.length + Math.min(to, 0));
    return to <= 0 ? [old] : [old, chunk.subarray(0, to)];
  }
}

function copyAll(slices: readonly Uint8Array[], output: Uint8Array, at: number): number {
  let length = at;
  for (const slice of slices) length = copy(slice, output, length);
  return length;
}

function copy(bytes: Uint8Array, output: Uint8Array, at: number): number {
  if (bytes.length > SHORT_COPY) output.set(bytes, at);
  else for (let i = 0; i < bytes.length; i++) output[at + i] = bytes[i]!;
  return at + bytes.length;
}
