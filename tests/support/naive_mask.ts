/**
 * The mask's meaning, written down as plainly as possible, and a source of random cases.
 *
 * @module
 */

import { randomInt } from "node:crypto";
import process from "node:process";
import { Matcher } from "../../src/mask/matcher.ts";

interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a masked stream has handed out and still holds at one moment. */
export interface NaiveResult {
  readonly output: string;
  readonly count: number;
  readonly held: number;
}

/** The mask's search for these byte strings as they are. */
export function matcherOf(patterns: Iterable<string>): Matcher {
  return new Matcher(new Map([...patterns].map((pattern) => [pattern, pattern.length])));
}

/** All occurrences in a byte string, sorted, those that overlap as one; cut off before `floor`. */
function unions(text: string, patterns: readonly string[], floor: number): Span[] {
  const found: Span[] = [];
  for (const pattern of patterns) {
    for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) {
      const end = at + pattern.length;
      if (end > floor) found.push({ start: Math.max(at, floor), end });
    }
  }
  found.sort((a, b) => a.start - b.start);
  const merged: Span[] = [];
  for (const span of found) {
    const last = merged.at(-1);
    if (last !== undefined && span.start < last.end) {
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else merged.push(span);
  }
  return merged;
}

/** Masks what was written since `floor`, all of it. */
export function naiveMask(
  text: string,
  patterns: readonly string[],
  { floor = 0, replacement = "***" } = {},
): NaiveResult {
  const spans = unions(text, patterns, floor);
  let output = "";
  let at = floor;
  for (const span of spans) {
    output += text.slice(at, span.start) + replacement;
    at = span.end;
  }
  return { output: output + text.slice(at), count: spans.length, held: 0 };
}

/** How many bytes must be held back: the longest start of a match, and what overlaps it. */
export function naiveHeld(text: string, patterns: readonly string[], floor = 0): number {
  let hold = text.length;
  for (const pattern of patterns) {
    for (let size = Math.min(pattern.length - 1, text.length); size > 0; size--) {
      if (text.endsWith(pattern.slice(0, size))) {
        hold = Math.min(hold, text.length - size);
        break;
      }
    }
  }
  const waiting = unions(text, patterns, floor).find((span) => span.end > hold);
  return text.length - Math.max(floor, Math.min(hold, waiting?.start ?? hold));
}

/** A seeded random source (mulberry32), so that a failure can be repeated. */
export class RandomSource {
  /** Given by the environment variable MASK_TEST_SEED, otherwise new in each run. */
  readonly seed: number;
  #state: number;

  constructor(seed: number = Number(process.env["MASK_TEST_SEED"] ?? randomInt(2 ** 31))) {
    this.seed = seed;
    this.#state = seed;
  }

  /** A whole number from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return from + ((t ^ t >>> 14) >>> 0) % (to - from + 1);
  }

  pick<T>(items: ArrayLike<T>): T {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** A byte string over the first letters of an alphabet. */
  text(length: number, letters: number): string {
    let text = "";
    const first = letters > 26 ? 0 : 97;
    for (let i = 0; i < length; i++) {
      text += String.fromCharCode(first + this.integer(0, letters - 1));
    }
    return text;
  }
}
