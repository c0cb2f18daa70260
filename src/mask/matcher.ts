/** Rules out quickly where none of its patterns can begin. */
interface Finder {
  /**
   * The first position at or after `from` where a pattern may begin, completely or cut off by the
   * chunk's end.
   */
  find(chunk: Uint8Array, from: number): number;
}

/** Finds the bytes with which a pattern begins: the way for patterns of a single byte. */
class ByteFinder implements Finder {
  readonly #first = new Uint8Array(256);

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

/** The state in which nothing that was read can be the start of a match. */
export const ROOT = 0;

/**
 * Follows a byte stream and knows at any point which patterns end there and how many of the last
 * bytes could be the start of another.
 *
 * It reads every byte once, whatever the input, which bounds the worst case; a shift table keeps it
 * away from the bytes that cannot matter. A state is a number, so a stream's whole memory is one
 * integer. Children are linked lists: a dense table would take a kibibyte for each state.
 */
class Automaton {
  readonly #root = new Int32Array(256);
  readonly #child: Int32Array;
  readonly #sibling: Int32Array;
  readonly #fail: Int32Array;
  readonly #depth: Int32Array;
  readonly #longest: Int32Array;
  readonly #byte: Uint8Array;
  #size = 1;

  constructor(patterns: readonly string[]) {
    let capacity = 1;
    for (const pattern of patterns) capacity += pattern.length;
    const memory = new Int32Array(capacity * 5);
    this.#child = memory.subarray(0, capacity);
    this.#sibling = memory.subarray(capacity, capacity * 2);
    this.#fail = memory.subarray(capacity * 2, capacity * 3);
    this.#depth = memory.subarray(capacity * 3, capacity * 4);
    this.#longest = memory.subarray(capacity * 4);
    this.#byte = new Uint8Array(capacity);
    for (const pattern of patterns) this.#insert(pattern);
    this.#link();
  }

  /** The state after one more byte. */
  next(state: number, byte: number): number {
    const child = this.#child, sibling = this.#sibling, bytes = this.#byte;
    while (state !== ROOT) {
      let node = child[state]!;
      while (node !== 0 && bytes[node] !== byte) node = sibling[node]!;
      if (node !== 0) return node;
      state = this.#fail[state]!;
    }
    return this.#root[byte]!;
  }

  /** The length of the longest pattern that ends in this state, 0 for none. */
  longest(state: number): number {
    return this.#longest[state]!;
  }

  /**
   * Leaves a state that no pattern goes on from. What is complete need not be held back: the bytes
   * that could still be the start of another match may be fewer.
   */
  settle(state: number): number {
    return this.#child[state] === 0 ? this.#fail[state]! : state;
  }

  /** How many of the bytes read last are a proper prefix of a pattern. */
  depth(state: number): number {
    return this.#depth[state]!;
  }

  #insert(pattern: string): void {
    const child = this.#child, sibling = this.#sibling, bytes = this.#byte;
    let state = ROOT;
    for (let i = 0; i < pattern.length; i++) {
      const byte = pattern.charCodeAt(i);
      let node = state === ROOT ? this.#root[byte]! : child[state]!;
      while (node !== 0 && bytes[node] !== byte) node = sibling[node]!;
      if (node === 0) {
        node = this.#size++;
        bytes[node] = byte;
        this.#depth[node] = i + 1;
        if (state === ROOT) this.#root[byte] = node;
        // The siblings of a child of the root are not listed: #root finds it.
        else sibling[node] = child[state]!;
        child[state] = node;
      }
      state = node;
    }
    this.#longest[state] = pattern.length;
  }

  /** Works breadth first, because a state's fallback is always a shallower state. */
  #link(): void {
    const child = this.#child, sibling = this.#sibling, fail = this.#fail, longest = this.#longest;
    const queue = new Int32Array(this.#size);
    let end = 0;
    for (const node of this.#root) {
      if (node !== 0) queue[end++] = node;
    }
    for (let head = 0; head < end; head++) {
      const state = queue[head]!;
      for (let node = child[state]!; node !== 0; node = sibling[node]!) {
        const fallback = this.next(fail[state]!, this.#byte[node]!);
        if (longest[node] === 0) longest[node] = longest[fallback]!;
        fail[node] = this.settle(fallback);
        queue[end++] = node;
      }
    }
  }
}

/** Beyond this a longer window gains little, and costs time to build. */
const MAX_WINDOW = 16;
const MIN_BITS = 12;
/** 128 KiB: the table has to stay in the processor's nearer caches. */
const MAX_BITS = 17;
/** Marks the blocks with which some pattern begins; the bits below hold the shift. */
const BEGINS = 0x80;

/**
 * Finds the places where a pattern may begin, after Wu and Manber.
 *
 * It looks at the last bytes of a window as long as the shortest pattern, a block of two or three.
 * If no pattern has this block anywhere in its first bytes, nothing begins in the whole window and
 * the next look-up is a window further. Most of the input is never read.
 */
class ShiftTable implements Finder {
  readonly #block: 2 | 3;
  readonly #window: number;
  readonly #mask: number;
  readonly #table: Uint8Array;
  /** For each byte, whether a pattern begins with it. */
  readonly #first = new Uint8Array(256);

  constructor(patterns: readonly string[], block: 2 | 3) {
    let window = MAX_WINDOW;
    for (const pattern of patterns) window = Math.min(window, pattern.length);
    let bits = MIN_BITS;
    while (bits < MAX_BITS && 1 << bits < patterns.length * window * 8) bits++;
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

/** From this length on patterns get a table of their own, which shorter ones cannot slow down. */
const LONG = 8;

/**
 * A set of patterns, ready to be searched for. It holds no state of any search, so that any number
 * of streams can share it.
 */
export class Matcher {
  readonly #patterns: readonly string[];
  readonly #finders: readonly Finder[];
  #automaton: Automaton | undefined;

  constructor(patterns: Iterable<string>) {
    this.#patterns = [...patterns];
    // The shortest pattern decides how far a table can shift.
    const single = this.#patterns.filter((pattern) => pattern.length === 1);
    const short = this.#patterns.filter((pattern) => pattern.length > 1 && pattern.length < LONG);
    const long = this.#patterns.filter((pattern) => pattern.length >= LONG);
    const finders: Finder[] = [];
    if (single.length > 0) finders.push(new ByteFinder(single));
    if (short.length > 0) finders.push(new ShiftTable(short, 2));
    if (long.length > 0) finders.push(new ShiftTable(long, 3));
    this.#finders = finders;
  }

  /**
   * Knows exactly which patterns end where. It is built at the first place worth a closer look,
   * which most programs' output never has.
   */
  get automaton(): Automaton {
    return this.#automaton ??= new Automaton(this.#patterns);
  }

  /** Starts to search a chunk for places where a pattern may begin. */
  candidates(chunk: Uint8Array): (from: number) => number {
    const finders = this.#finders;
    const next = finders.map(() => -1);
    return (from) => {
      let first = chunk.length;
      for (let i = 0; i < finders.length; i++) {
        let position = next[i]!;
        if (position < from) next[i] = position = finders[i]!.find(chunk, from);
        if (position < first) first = position;
      }
      return first;
    };
  }
}
