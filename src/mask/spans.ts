/**
 * The unions of overlapping occurrences, in order. A union is two numbers in a typed array that is
 * kept: a chunk may hold as many unions as bytes.
 */
export class Spans {
  /** Start, end, start, end… Not integers of 32 bits: a union may be longer than that. */
  #bounds = new Float64Array(16);
  #length = 0;

  /** How many unions there are. */
  get count(): number {
    return this.#length / 2;
  }

  /** Where a union starts. */
  start(index: number): number {
    return this.#bounds[index * 2]!;
  }

  /** Where a union ends. */
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
