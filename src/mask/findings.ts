import type { Buffer } from "node:buffer";

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
