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
export class Automaton {
  readonly #root = new Int32Array(256);
  readonly #child: Int32Array;
  readonly #sibling: Int32Array;
  readonly #fail: Int32Array;
  readonly #depth: Int32Array;
  readonly #longest: Int32Array;
  readonly #byte: Uint8Array;
  #size = 1;

  constructor(patterns: ReadonlyMap<string, number>) {
    let capacity = 1;
    for (const pattern of patterns.keys()) capacity += pattern.length;
    const memory = new Int32Array(capacity * 5);
    this.#child = memory.subarray(0, capacity);
    this.#sibling = memory.subarray(capacity, capacity * 2);
    this.#fail = memory.subarray(capacity * 2, capacity * 3);
    this.#depth = memory.subarray(capacity * 3, capacity * 4);
    this.#longest = memory.subarray(capacity * 4);
    this.#byte = new Uint8Array(capacity);
    for (const [pattern, cut] of patterns) this.#insert(pattern, cut);
    this.#link();
  }

  next(state: number, byte: number): number {
    const child = this.#child, sibling = this.#sibling, bytes = this.#byte;
    while (state !== ROOT) {
      let node = child[state]!, last = 0;
      while (node !== 0 && bytes[node] !== byte) {
        last = node;
        node = sibling[node]!;
      }
      if (node !== 0) {
        // What turns up in a text turns up again: it is to be the first of a hundred.
        if (last !== 0) {
          sibling[last] = sibling[node]!;
          sibling[node] = child[state]!;
          child[state] = node;
        }
        return node;
      }
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

  #insert(pattern: string, cut: number): void {
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
      if (i + 1 >= cut) this.#longest[state] = i + 1;
    }
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
