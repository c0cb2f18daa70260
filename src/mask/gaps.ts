import type { Buffer } from "node:buffer";
import { type Automaton, ROOT } from "./automaton.ts";
import { digitsAt } from "./hex_dumps.ts";
import type { Findings } from "./replacer.ts";
import type { ShiftTable } from "./shift_table.ts";

const TAB = 0x09, NEWLINE = 0x0a, RETURN = 0x0d, ESCAPE = 0x1b, BLANK = 0x20, BACKSLASH = 0x5c;
const BELL = 0x07, BACKSPACE = 0x08, SHIFT_IN = 0x0f, COLON = 0x3a;
/** ESC [ as one character, of which UTF-8 makes two bytes. */
const CSI = 0x9b, CSI_LEAD = 0xc2;

/** What breaks a line, or ends it at a full margin, and what may be in front of it. */
const BREAKS: ReadonlyMap<number | undefined, number> = new Map([
  [NEWLINE, BACKSLASH],
  [RETURN, BLANK],
  [BACKSPACE, BLANK],
  [CSI, CSI_LEAD],
]);

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
 * line breaks with the indent or the offset of a dump behind them, and a backslash in front, and
 * what is written at a terminal's margin.
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
    let floor = from, escape = -1, end = from;
    while ((escape = nextEscape(text, Math.max(floor, end))) >= 0) {
      const isCandidate = escape > floor && this.#table.isInside(text[escape - 1]!);
      const behind = isCandidate ? gapEnd(text, escape) : -1;
      // Of sequences side by side the first alone has text in front; the last may turn out to be none.
      end = behind < length ? behind : text.lastIndexOf(ESCAPE);
      end = Math.max(end, escape + 1);
      // What a sequence is made of may be read as text as well.
      floor = isCandidate && this.#mayGoOn(text, escape, floor, behind)
        ? this.#follow(text, { floor, at: escape, found })
        : escape + 1;
    }
    // The rest of a sequence is not to be taken for text.
    const last = end > from ? text.lastIndexOf(ESCAPE) : -1;
    if (last >= 0 && sequenceEnd(text, last) === length) found.keepFrom(last);
    const place = { floor: from, found };
    if (length > 0 && startsGap(text, length - 1)) this.#lookAt(text, length - 1, place);
    this.before(text, { ...place, at: length - 2 });
  }

  /** Looks at a line break, if one is here; returns before where that has been done. */
  at(text: Buffer, { at, ...place }: Place): number {
    return startsGap(text, at) ? this.#lookAt(text, at, place) : place.floor;
  }

  /** The same for the line break before a piece of a pattern, if it is behind `since`. */
  before(text: Buffer, { floor, at, found, since = 0 }: Place & { since?: number }): number {
    const least = Math.max(floor, since, at - this.#table.longest - MAX_INDENT);
    let place = at;
    while (place >= least && !isBreak(text[place]!)) place--;
    return place < least ? floor : this.#lookAt(text, place, { floor, found });
  }

  #lookAt(text: Buffer, at: number, { floor, found }: Omit<Place, "at">): number {
    let gap = at;
    while (gap > floor && text[gap - 1] === RETURN) gap--;
    // The backslash in front, or the blank, may be a part of the gap or of the pattern.
    const hasLead = text[gap - 1] === BREAKS.get(text[at]);
    if (hasLead && this.#mayGoOn(text, gap - 1, floor)) gap--;
    if (!this.#mayGoOn(text, gap, floor)) return Math.max(floor, at + 1);
    const place = { floor, at: gap, found };
    const behind = this.#follow(text, place);
    return text[gap] === BACKSLASH ? Math.max(behind, this.#follow(text, place, true)) : behind;
  }

  /** Whether a pattern may go on behind a gap; `floor` is where the one before ends. */
  #mayGoOn(text: Uint8Array, start: number, floor: number, end = gapEnd(text, start)): boolean {
    const table = this.#table;
    if (start <= floor || !table.isInside(text[start - 1]!)) return false;
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
   * that was passed over. If `isContinued`, a backslash before a line break is never the pattern's.
   */
  #follow(text: Buffer, { floor: least, at: gap, found }: Place, isContinued = false): number {
    const from = Math.max(least, gap - this.#table.longest - MAX_INDENT);
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
      const goesOn = automaton.depth(next) === depth + 1 &&
        !(isContinued && byte === BACKSLASH && isContinuation(text, at));
      const end = depth === 0 || goesOn ? -1 : gapEnd(text, at);
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
    if (state === ROOT || length - gap > MAX_EXTENT) return length;
    found.holdFrom(position(count - automaton.depth(state)));
    return length;
  }
}

/** Whether a gap begins here, as far as the text can tell. */
function mayBeGap(text: Uint8Array, at: number): boolean {
  return at >= text.length || text[at] === ESCAPE || startsGap(text, at);
}

function startsGap(text: Uint8Array, at: number): boolean {
  const byte = text[at]!;
  if (byte !== BLANK && byte !== CSI_LEAD) return byte === BACKSLASH || isBreak(byte);
  return at + 1 === text.length || BREAKS.get(text[at + 1]) === byte;
}

function isBreak(byte: number): boolean {
  return (byte < BLANK || byte === CSI) && BREAKS.has(byte);
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
    if (byte === ESCAPE || byte === CSI || byte === CSI_LEAD) {
      const end = sequenceEnd(text, at);
      if (end < 0) break;
      // `tput sgr0` adds it in tmux, screen and at a Linux console.
      at = text[end] === SHIFT_IN ? end + 1 : end;
    } else if (byte > BLANK && byte !== BACKSLASH) break;
    else if (byte === NEWLINE || byte === RETURN) {
      isBroken = true;
      at++;
    } else if (byte === BLANK && text[at + 1] === BACKSPACE) at += 2;
    else if (isBroken && (byte === BLANK || byte === TAB)) at++;
    else if (!isBroken && byte === BLANK && startsGap(text, at)) at++;
    else if (!isBroken && byte === BACKSLASH && isContinuation(text, at)) at++;
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
  const at = start + Math.min(digitsAt(text, start), 8);
  if (at === text.length) return at;
  if (at - start < 4 || text[at] !== COLON) return start;
  if (at + 1 === text.length) return at + 1;
  return text[at + 1] === BLANK ? at + 2 : start;
}

/** OSC, DCS, SOS, PM and APC. */
const STRINGS: readonly number[] = [0x5d, 0x50, 0x58, 0x5e, 0x5f];

/** Where a sequence for the terminal ends, the text's end if it is cut off, or a negative number. */
function sequenceEnd(text: Uint8Array, start: number): number {
  const length = text.length, limit = Math.min(length, start + MAX_GAP);
  let at = start + 1;
  if (text[start] === CSI_LEAD && at < length && text[at++] !== CSI) return -1;
  if (at >= length) return length;
  const kind = text[start] === ESCAPE ? text[at++]! : 0x5b;
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
