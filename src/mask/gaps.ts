import type { Buffer } from "node:buffer";
import { type Automaton, ROOT } from "./automaton.ts";
import type { Findings } from "./replacer.ts";
import type { ShiftTable } from "./shift_table.ts";

const TAB = 0x09, NEWLINE = 0x0a, RETURN = 0x0d, ESCAPE = 0x1b, BLANK = 0x20, BACKSLASH = 0x5c;
const BELL = 0x07, COLON = 0x3a;

/** A longer sequence of a terminal is none: a link's address is the longest that there are. */
const MAX_GAP = 4096;
/** As many more bytes in front of a gap can be read again: indents and colors in it. */
const MAX_INDENT = 64;
/** What is spread over more bytes is not followed. */
const MAX_EXTENT = 64 * 1024;

interface Place {
  /** Before it all gaps have been looked at. */
  readonly floor: number;
  readonly at: number;
  readonly found: Findings;
}

/**
 * Finds patterns with *gaps* in them, which a reader does not see or ignores: a terminal's colors,
 * line breaks with the indent or the offset of a dump behind them, and a backslash in front.
 *
 * Of each gap the four bytes around it are looked up. Where a pattern has those side by side, the
 * automaton reads what is in front of the gap and passes over it. Each color is looked at; a line
 * break only at the end of what begins like a pattern, and in front of a piece of one.
 */
export class Gaps {
  readonly #table: ShiftTable;
  readonly #automaton: () => Automaton;

  constructor(table: ShiftTable, automaton: () => Automaton) {
    this.#table = table;
    this.#automaton = automaton;
  }

  /** Looks at all colors, and at what the text's end cuts off. */
  read(text: Buffer, { floor: from, found }: Omit<Place, "at">): void {
    const length = text.length;
    let floor = from, escape = -1, last = -1;
    while ((escape = nextEscape(text, Math.max(floor, last + 1))) >= 0) {
      last = escape;
      const isCandidate = escape > floor && this.#table.isInside(text[escape - 1]!);
      floor = isCandidate ? this.#lookAt(text, escape, { floor, found }) : escape + 1;
    }
    // The rest of a sequence is not to be taken for text.
    if (last >= 0 && sequenceEnd(text, last) === length) found.keepFrom(last);
    const newline = text.lastIndexOf(NEWLINE);
    const tail = text[length - 1];
    if (tail === BACKSLASH || tail === RETURN) {
      this.#lookAt(text, length - 1, { floor: from, found });
    } else if (newline >= from && newline >= length - this.#table.longest - MAX_INDENT) {
      this.#lookAt(text, newline, { floor: from, found });
    }
  }

  /** Looks at a line break, if one is here; returns before where that has been done. */
  at(text: Buffer, { at, ...place }: Place): number {
    const byte = text[at];
    return byte === NEWLINE || byte === RETURN || byte === BACKSLASH
      ? this.#lookAt(text, at, place)
      : place.floor;
  }

  /** The same for the line break before a piece of a pattern. */
  before(text: Buffer, { floor, at, found }: Place): number {
    const least = Math.max(floor, at - this.#table.longest - MAX_INDENT);
    let newline = at;
    while (newline >= least && text[newline] !== NEWLINE) newline--;
    return newline < least ? floor : this.#lookAt(text, newline, { floor, found });
  }

  #lookAt(text: Buffer, at: number, { floor, found }: Omit<Place, "at">): number {
    let gap = at;
    if (text[at] === NEWLINE) {
      if (gap > floor && text[gap - 1] === RETURN) gap--;
      // The backslash in front may be a part of the gap or of the pattern.
      if (text[gap - 1] === BACKSLASH && this.#mayGoOn(text, gap - 1, floor)) gap--;
    }
    // What a sequence is made of may be read as text as well.
    if (!this.#mayGoOn(text, gap, floor)) return Math.max(floor, at + 1);
    return this.#follow(text, Math.max(floor, gap - this.#table.longest - MAX_INDENT), {
      gap,
      found,
    });
  }

  /** Whether a pattern may go on behind a gap; `floor` is where the one before ends. */
  #mayGoOn(text: Uint8Array, start: number, floor: number): boolean {
    const table = this.#table;
    if (start <= floor || !table.isInside(text[start - 1]!)) return false;
    const end = gapEnd(text, start);
    // At its end the text has too little to tell.
    if (end < 0 || end >= text.length) return end > 0;
    const last = text[start - 1]!, next = text[end]!;
    if (!table.isInside(next)) return false;
    if (mayBeGap(text, end + 1)) return true;
    const second = text[end + 1]!;
    // Two bytes on either side; if a pattern begins or ends here, one.
    if (start - 2 >= floor && table.has(text[start - 2]!, last, next, second)) return true;
    if (start - 3 >= floor && table.has(text[start - 3]!, text[start - 2]!, last, next)) {
      return true;
    }
    return table.isFirst(last) &&
      (mayBeGap(text, end + 2) || table.has(last, next, second, text[end + 2]!));
  }

  /**
   * Reads on behind a gap until no prefix has a gap in it; returns behind where the last gap begins
   * that was passed over.
   */
  #follow(
    text: Buffer,
    from: number,
    { gap, found }: { readonly gap: number; readonly found: Findings },
  ): number {
    let floor = gap + 1;
    const automaton = this.#automaton();
    const length = text.length;
    /** How many bytes were read before each gap, and where they would be without it. */
    const before: number[] = [], shift: number[] = [];
    let count = 0, skipped = 0, state = ROOT, at = from;
    const position = (index: number): number => {
      let gaps = before.length;
      while (gaps > 0 && before[gaps - 1]! > index) gaps--;
      return from + index + (gaps === 0 ? 0 : shift[gaps - 1]!);
    };
    while (at < length) {
      const byte = text[at]!;
      const depth = automaton.depth(state);
      const next = automaton.next(state, byte);
      const end = depth === 0 || automaton.depth(next) === depth + 1 ? -1 : gapEnd(text, at);
      if (end > 0) {
        floor = Math.max(floor, at + 1);
        skipped += end - at;
        before.push(count);
        shift.push(skipped);
        at = end;
        continue;
      }
      at++;
      count++;
      state = next;
      const longest = automaton.longest(state);
      if (longest !== 0) {
        found.add(position(count - longest), at);
        state = automaton.settle(state);
      }
      const isWithin = automaton.depth(state) > count - (before.at(-1) ?? 0);
      if (at > gap && (!isWithin || at - from > MAX_EXTENT)) return floor;
    }
    if (state !== ROOT) found.holdFrom(position(count - automaton.depth(state)));
    return length;
  }
}

/** Whether a gap begins here, as far as the text can tell. */
function mayBeGap(text: Uint8Array, at: number): boolean {
  const byte = text[at];
  return byte === undefined || byte === NEWLINE || byte === RETURN || byte === ESCAPE ||
    byte === BACKSLASH;
}

/** Where there is one, there are more; a call for each would take longer. */
function nextEscape(text: Buffer, from: number): number {
  const near = Math.min(text.length, from + 128);
  for (let at = from; at < near; at++) if (text[at] === ESCAPE) return at;
  return text.indexOf(ESCAPE, near);
}

/**
 * Where the gap ends that begins here, or a negative number if there is none. One that reaches to
 * the text's end may go on.
 */
function gapEnd(text: Uint8Array, start: number): number {
  const length = text.length;
  let at = start;
  let isBroken = false;
  while (at < length) {
    const byte = text[at]!;
    if (byte === NEWLINE || (byte === RETURN && (at + 1 === length || text[at + 1] === NEWLINE))) {
      isBroken = true;
      at++;
    } else if (byte === ESCAPE) {
      const end = sequenceEnd(text, at);
      if (end < 0) break;
      at = end;
    } else if (isBroken && (byte === BLANK || byte === TAB)) at++;
    else if (byte === BACKSLASH && !isBroken && isContinuation(text, at)) at++;
    else break;
  }
  if (at === start) return -1;
  return isBroken ? offsetEnd(text, at) : at;
}

function isContinuation(text: Uint8Array, at: number): boolean {
  const next = at + 1 < text.length && text[at + 1] === RETURN ? at + 2 : at + 1;
  return next >= text.length || text[next] === NEWLINE;
}

/** Behind what `curl --trace-ascii` writes in front of each line, `0040: `, if it is there. */
function offsetEnd(text: Uint8Array, start: number): number {
  let at = start;
  while (at < text.length && at - start < 8 && isHexDigit(text[at]!)) at++;
  if (at === text.length) return at;
  if (at - start < 4 || text[at] !== COLON) return start;
  if (at + 1 === text.length) return at + 1;
  return text[at + 1] === BLANK ? at + 2 : start;
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) ||
    (byte >= 0x41 && byte <= 0x46);
}

/** OSC, DCS, SOS, PM and APC. */
const STRINGS: readonly number[] = [0x5d, 0x50, 0x58, 0x5e, 0x5f];

/** Where a sequence for the terminal ends, the text's end if it is cut off, or a negative number. */
function sequenceEnd(text: Uint8Array, start: number): number {
  const length = text.length, limit = Math.min(length, start + MAX_GAP);
  let at = start + 1;
  if (at >= length) return length;
  const kind = text[at++]!;
  // OSC: a title, or a link, up to BEL or ESC \; and other strings that are not shown.
  if (STRINGS.includes(kind)) {
    while (at < limit && text[at]! >= BLANK) at++;
    if (at === limit) return limit === length ? length : -1;
    if (text[at] === BELL) return at + 1;
    if (text[at] !== ESCAPE) return -1;
    if (at + 1 === length) return length;
    return text[at + 1] === BACKSLASH ? at + 2 : -1;
  }
  // CSI, with its parameters; and of the others those that change a character set.
  const isControl = kind === 0x5b;
  if (!isControl && (kind < BLANK || kind > 0x2f)) return kind >= 0x30 && kind <= 0x7e ? at : -1;
  while (at < limit && text[at]! >= BLANK && text[at]! <= (isControl ? 0x3f : 0x2f)) at++;
  if (at === limit) return limit === length ? length : -1;
  return text[at]! >= 0x30 && text[at]! <= 0x7e ? at + 1 : -1;
}
