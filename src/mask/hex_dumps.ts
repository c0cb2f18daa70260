import { Buffer } from "node:buffer";
import { Findings, type Reader } from "./replacer.ts";

const NEWLINE = 0x0a, RETURN = 0x0d, BLANK = 0x20, DOT = 0x2e, COLON = 0x3a;
/** What stands around the column of characters: `|…|`, and `>…<` where `od` writes it. By its end. */
const FRAMES: ReadonlyMap<number | undefined, number> = new Map([[0x7c, 0x7c], [0x3c, 0x3e]]);

/** What a byte is in a dump; below `DIGIT` is a digit's value. */
const DIGIT = 0x10, SEPARATOR = 0x20, OTHER = 0x40, LETTER = 0x80;
const KINDS = new Uint8Array(256).fill(OTHER);
for (const char of "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ_") {
  KINDS[char.charCodeAt(0)] = OTHER | LETTER;
}
for (const char of "0123456789abcdefABCDEF") KINDS[char.charCodeAt(0)] = DIGIT | parseInt(char, 16);
KINDS[BLANK] = KINDS[COLON] = SEPARATOR;

/** So many bytes side by side hold a digit and a separator: pairs of digits stand alone, or by two. */
const SAMPLE = 5;
const STRIDE = 19;
/** The shortest run of digits and separators in which one sample is certain to be. */
const MIN_RUN = SAMPLE + STRIDE - 1;
/** Of fewer characters it is not clear what is an offset; more digits are none. */
const MAX_OFFSET = 16;
/** Longer rows have no column of characters. */
const MAX_ROW = 4096;

interface Row {
  readonly start: number;
  readonly first: number;
  readonly column: number | undefined;
}

/** Bytes that are printed as hexadecimal digits, and where. */
class Dump {
  readonly bytes: number[] = [];
  readonly starts: number[] = [];
  readonly rows: Row[] = [];
  /** Where the last group begins, if the text ends in it. */
  cut = Infinity;
  /** Where a row begins of which there is too little to tell its bytes from its offset. */
  unclear = Infinity;
  /** Where what follows has to be read. */
  end = 0;
  /** Whether its first row is long enough, or has a column of characters. */
  isDump = false;
  /** Whether it reaches to the text's end, and may go on. */
  isOpen = false;

  /** Where a byte ends: behind its character, if there is one. */
  endOf(index: number): number {
    const { first, column } = this.rows.findLast(({ first }) => first <= index)!;
    return column === undefined ? this.starts[index]! + 2 : column + index - first + 1;
  }
}

/**
 * Reads hexadecimal digits with blanks or colons between the bytes, as dumps have them: `<Buffer …>`
 * of Node.js, `xxd`, `hexdump -C`, `curl --trace`. What they say is given to other readers. Offsets
 * and line breaks in between are no part of it; the column of characters beside the digits is.
 */
export class HexDumps implements Reader {
  readonly #readers: readonly Reader[];
  readonly #halves: ReadonlySet<number>;

  /** `first` has the bytes with which something can begin that they look for. */
  constructor(readers: readonly Reader[], first: ReadonlySet<number>) {
    this.#readers = readers;
    this.#halves = new Set([...first].map((byte) => byte >> 4));
  }

  read(text: Buffer, found: Findings, end: boolean): void {
    const length = text.length;
    const view = new DataView(text.buffer, text.byteOffset, length);
    this.#holdHalf(text, found);
    let from = 0;
    for (let at = SAMPLE - 1; (at = nextSample(text, view, at)) < length; at += STRIDE) {
      const start = edgeOfRun(text, at, from), runEnd = edgeOfRun(text, at, length);
      // What is too short may go on.
      if (runEnd === length && runEnd - start < MIN_RUN) break;
      from = runEnd - start < MIN_RUN || (runEnd < length && !hasGroup(text, start, runEnd))
        ? runEnd
        : this.#readRun(text, { start, runEnd, found, end });
      // The next sample is the first behind it.
      at += Math.max(0, Math.floor((from - at) / STRIDE)) * STRIDE;
    }
    if (from >= length || is(OTHER, text[length - 1])) return;
    const start = edgeOfRun(text, length, Math.max(from, length - MAX_ROW));
    this.#readRun(text, { start, runEnd: length, found, end });
  }

  /** Half a byte can be a start, too. */
  #holdHalf(text: Uint8Array, found: Findings): void {
    const last = text.length - 1;
    let digits = 0;
    while (digits < 4 && is(DIGIT, text[last - digits])) digits++;
    if (digits % 2 === 1 && this.#halves.has(KINDS[text[last]!]! & 0xf)) found.holdFrom(last);
  }

  /** Reads the dumps that begin in a run of digits and separators; returns where they end. */
  #readRun(
    text: Buffer,
    { start, runEnd, found, end }: {
      readonly start: number;
      readonly runEnd: number;
      readonly found: Findings;
      readonly end: boolean;
    },
  ): number {
    let at = start;
    while (at < runEnd) {
      const dump = readDump(text, at);
      // A few digits are more likely a time of day; but they may go on.
      if (dump.isOpen || dump.isDump) this.#readBytes(text, dump, { found, end });
      // Without its first group it may be one.
      else while (at < runEnd && is(SEPARATOR, text[at])) at++;
      const next = Math.max(dump.bytes.length > 0 ? dump.end : 0, at + digitsAt(text, at), at + 1);
      // What is kept is not to begin within it.
      if (!dump.isDump && (dump.isOpen || next > found.keep)) {
        found.keepFrom(Math.max(at, text.length - MAX_ROW));
      }
      at = next;
    }
    return at;
  }

  #readBytes(
    text: Uint8Array,
    dump: Dump,
    { found, end }: { readonly found: Findings; readonly end: boolean },
  ): void {
    const { starts, rows, isOpen, isDump } = dump;
    const bytes = Buffer.from(dump.bytes), count = bytes.length;
    if (count === 0 || (!isDump && end)) return;
    const inner = this.#readInner(bytes, end || !isOpen);
    const lastRow = rows.at(-1)!;
    const mayHaveColumn = isOpen && starts.at(-1)! + 2 - lastRow.start <= MAX_ROW;
    let kept = Math.min(inner.keep, count - 1);
    for (let i = 0; i < inner.bounds.length; i += 2) {
      const first = inner.bounds[i]!, behind = inner.bounds[i + 1]!;
      // One more digit would make it something else.
      const isCut = isOpen && !end && starts[behind - 1]! >= dump.cut;
      if (isDump && !isCut) found.add(starts[first]!, dump.endOf(behind - 1));
      // Its characters may be still to come.
      if (!isCut && (!mayHaveColumn || behind <= lastRow.first)) continue;
      // Many that overlap are not all to be read again.
      const from = Math.max(first, behind - MAX_ROW);
      if (isDump && isCut && from > first) found.add(starts[first]!, dump.cut);
      found.holdFrom(starts[from]!);
      kept = Math.min(kept, from);
    }
    if (!isOpen) return;
    found.holdFrom(dump.unclear);
    if (inner.hold < count) found.holdFrom(starts[inner.hold]!);
    // What is behind the row's bytes may be its characters.
    for (let behind = lastRow.first + 1; mayHaveColumn && behind < count; behind++) {
      if (!mayBeColumn(text, starts[behind]!, bytes.subarray(lastRow.first, behind))) continue;
      const { hold } = this.#readInner(bytes.subarray(0, behind), false);
      if (hold < behind) found.holdFrom(starts[hold]!);
      kept = Math.min(kept, hold);
    }
    // Whole rows, and one more: the last may be too short to be found by itself.
    let row = rows.length - 1;
    while (row > 0 && rows[row]!.first > kept) row--;
    const { start } = rows[Math.max(0, row - 1)]!;
    const isNear = text.length - start <= MAX_ROW * 2;
    found.keepFrom(isNear ? start : starts[Math.max(0, kept - MIN_RUN)]!);
  }

  #readInner(bytes: Buffer, end: boolean): Findings {
    const found = new Findings(bytes.length, { isStart: true });
    for (const reader of this.#readers) reader.read(bytes, found, end);
    return found;
  }
}

/** The next of the samples that may be of a run. */
function nextSample(text: Uint8Array, view: DataView, from: number): number {
  let at = from;
  for (; at < text.length; at += STRIDE) {
    // Most samples of a text have a byte above "f", which four bytes at once tell.
    const word = view.getInt32(at - 3, true);
    if (((word | word + 0x19191919) & 0x80808080) !== 0) continue;
    const kinds = KINDS[text[at]!]! | KINDS[text[at - 1]!]! | KINDS[text[at - 2]!]! |
      KINDS[text[at - 3]!]! | KINDS[text[at - 4]!]!;
    if ((kinds & 0xf0) === (DIGIT | SEPARATOR)) break;
  }
  return at;
}

/** Whether a byte is of a kind; none is beyond a text's end. */
function is(kind: number, byte: number | undefined): boolean {
  return byte !== undefined && (KINDS[byte]! & kind) !== 0;
}

/** Whether a run has a group of two or four digits. */
function hasGroup(text: Uint8Array, start: number, end: number): boolean {
  let at = start, digits = 0;
  for (; at < end && digits !== 2 && digits !== 4; at += digits + 1) digits = digitsAt(text, at);
  return digits === 2 || digits === 4;
}

/** How far a run reaches to one side: without three separators, or more digits than an offset has. */
function edgeOfRun(text: Uint8Array, from: number, limit: number): number {
  const step = limit < from ? -1 : 1;
  let at = from, separators = 0, digits = 0;
  for (; at !== limit && separators < 3 && digits <= MAX_OFFSET; at += step) {
    const kind = KINDS[text[step < 0 ? at - 1 : at]!]!;
    if ((kind & OTHER) !== 0) break;
    separators = kind === SEPARATOR ? separators + 1 : 0;
    digits = kind === SEPARATOR ? 0 : digits + 1;
  }
  return at;
}

/** Reads row by row, as long as one is directly below the other. */
function readDump(text: Buffer, start: number): Dump {
  const dump = new Dump();
  const { bytes, starts } = dump, { length } = text;
  let at = start, width = Infinity;
  for (;;) {
    const first = bytes.length;
    const isUnclear = at > start && length - at < MAX_OFFSET &&
      text.subarray(at).every((byte) => !is(OTHER, byte));
    if (isUnclear) dump.unclear = at;
    let dataEnd = isUnclear ? length : readRow(text, at, dump);
    const isWider = bytes.length - first > width;
    if (isWider) {
      // The column of characters can look like digits.
      bytes.length = starts.length = first + width;
      dataEnd = starts.at(-1)! + 2;
    }
    const count = bytes.length - first;
    const isWide = count > 0 && starts.at(-1)! + 2 - starts[first]! >= MIN_RUN;
    if (at === start) dump.isDump = isWide;
    dump.end = Math.max(dataEnd, dump.end);
    // The column of characters is as long as there are bytes.
    const column = behindBlanks(text, dataEnd);
    const limit = Math.min(length, column + count + 3);
    let lineEnd = column;
    while (lineEnd < limit && text[lineEnd] !== NEWLINE) lineEnd++;
    const textEnd = text[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
    const mayHaveColumn = dataEnd - at <= MAX_ROW;
    const isLong = lineEnd - column > count + 2 || lineEnd - dataEnd > MAX_ROW ||
      (!mayHaveColumn && column < textEnd);
    // Or it is none of this dump's rows, and the first of another.
    if (isWider && isLong) dump.end = at;
    const row: Row = { start: at, first, column: undefined };
    if (count > 0) dump.rows.push(row);
    if (lineEnd === length) {
      dump.isOpen = !isLong && (count > 0 || dataEnd === length);
      return dump;
    }
    if (count === 0 || isLong) return dump;
    const characters = mayHaveColumn ? charactersOf(text, textEnd, { dump, first }) : undefined;
    let isLast = !isWide;
    if (characters !== undefined) {
      bytes.length = starts.length = first + characters.count;
      // With its offset it is as certain to be found.
      const behind = starts.at(-1)! + 2;
      dump.isDump ||= at === start && behind - at >= MIN_RUN && behind - starts[0]! >= STRIDE;
      isLast &&= !dump.isDump || (at > start && characters.count < width);
      width = characters.count;
      dump.rows[dump.rows.length - 1] = { ...row, column: characters.column };
    } else if (column < textEnd) return dump;
    dump.end = lineEnd + 1;
    dump.isOpen = dump.end === length;
    if (dump.isOpen || isLast) return dump;
    at = lineEnd + 1;
  }
}

/** Adds the bytes of a row; returns where its digits end. */
function readRow(text: Uint8Array, start: number, dump: Dump): number {
  let at = behindOffset(text, start);
  let end = at;
  for (;;) {
    const digits = digitsAt(text, at);
    const next = text[at + digits];
    const isCut = at + digits === text.length;
    if (digits > 4 || (!isCut && digits !== 2 && digits !== 4) || is(LETTER, next)) return end;
    if (isCut) dump.cut = at;
    for (let i = at; i + 1 < at + digits; i += 2) {
      dump.bytes.push((KINDS[text[i]!]! & 0xf) << 4 | KINDS[text[i + 1]!]! & 0xf);
      dump.starts.push(i);
    }
    at += digits;
    end = at;
    if (isCut) return end;
    // One blank or colon between two groups, two blanks in the middle of a row.
    if (next === COLON) at++;
    else for (let blanks = 0; blanks < 2 && text[at] === BLANK; blanks++) at++;
    if (at === end) return end;
    if (at === text.length) return at;
  }
}

/** Behind the blanks and the offset with which a row may begin. */
function behindOffset(text: Uint8Array, start: number): number {
  let at = start;
  while (is(SEPARATOR, text[at])) at++;
  const digits = digitsAt(text, at);
  const behind = at + digits;
  if (behind === text.length) return digits > 4 ? behind : at;
  const isMarked = text[behind] === COLON &&
    (digits > 4 || (digits === 4 && text[behind + 1] === BLANK));
  const next = behindBlanks(text, isMarked ? behind + 1 : behind);
  if (isMarked || digits > 4) return next;
  // Four digits in front of pairs.
  return digits === 4 && text[at + 4] === BLANK && digitsAt(text, next) === 2 &&
      text[next + 2] === BLANK && digitsAt(text, next + 3) === 2
    ? next
    : at;
}

export function digitsAt(text: Uint8Array, start: number): number {
  let at = start;
  while (is(DIGIT, text[at])) at++;
  return at - start;
}

function behindBlanks(text: Uint8Array, start: number): number {
  let at = start;
  while (text[at] === BLANK) at++;
  return at;
}

/** Whether a text's rest may be the first characters of a row's bytes. */
function mayBeColumn(text: Uint8Array, column: number, bytes: Uint8Array): boolean {
  return text[column - 1] === BLANK && text.length - column <= bytes.length &&
    text.subarray(column).every((char, index) => char === bytes[index] || char === DOT);
}

/**
 * Finds the column of characters at the end of a row: one for each byte, a dot for many. What was
 * taken for bytes may be a part of it.
 */
function charactersOf(
  text: Uint8Array,
  lineEnd: number,
  { dump: { bytes, starts }, first }: { readonly dump: Dump; readonly first: number },
): { readonly count: number; readonly column: number } | undefined {
  const opening = FRAMES.get(text[lineEnd - 1]);
  for (const end of opening === undefined ? [lineEnd] : [lineEnd, lineEnd - 1]) {
    for (let count = bytes.length - first; count > 0; count--) {
      const column = end - count, dataEnd = starts[first + count - 1]! + 2;
      const before = end < lineEnd && text[column - 1] === opening ? column - 1 : column;
      if (before <= dataEnd || behindBlanks(text, dataEnd) < before) continue;
      const fits = bytes.slice(first, first + count).every((byte, index) =>
        byte < 0x20 || byte > 0x7e || byte === text[column + index]
      );
      if (fits) return { count, column };
    }
  }
  return undefined;
}
