import { Buffer } from "node:buffer";
import { Findings, type Reader } from "./replacer.ts";

const NEWLINE = 0x0a, RETURN = 0x0d, BLANK = 0x20, COLON = 0x3a;
/** What stands around the column of characters: `|…|`, and `>…<` where `od` writes it. By its end. */
const FRAMES: ReadonlyMap<number | undefined, number> = new Map([[0x7c, 0x7c], [0x3c, 0x3e]]);

const DIGIT = 1, SEPARATOR = 2, OTHER = 4;
/** What bytes are in a dump. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === BLANK || byte === COLON) return SEPARATOR;
  return /[0-9a-f]/i.test(String.fromCharCode(byte)) ? DIGIT : OTHER;
});

/** So many bytes side by side hold a digit and a separator: pairs of digits stand alone, or by two. */
const SAMPLE = 5;
const STRIDE = 19;
/** The shortest run of digits and separators in which one sample is certain to be. */
const MIN_RUN = SAMPLE + STRIDE - 1;
const USUAL_ROW = 16;
/** Of fewer characters it is not clear what is an offset. */
const MAX_OFFSET = 16;
/** Longer rows have no column of characters. */
const MAX_ROW = 4096;
/** So much of a run that goes on is read again with what follows, however long it is. */
const MAX_KEPT = 64 * 1024;

/** Bytes that are printed as hexadecimal digits, and where. */
class Dump {
  readonly bytes: number[] = [];
  /** Where the digits of each byte begin, and where it ends: behind its character, if there is one. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Where each row begins, and with which byte. */
  readonly rows: { readonly start: number; readonly first: number }[] = [];
  /** Where the last group begins, if the text ends in it. */
  cut = Infinity;
  /** Where what follows has to be read. */
  end = 0;
  /** Whether its first row is long enough. */
  isDump = false;
  /** Whether it reaches to the text's end, and may go on. */
  isOpen = false;
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
    let from = 0;
    for (let at = SAMPLE - 1; at < length; at += STRIDE) {
      // Most samples of a text have a byte above "f", which four bytes at once tell.
      const word = view.getInt32(at - 3, true);
      if (((word | word + 0x19191919) & 0x80808080) !== 0) continue;
      const kinds = KINDS[text[at]!]! | KINDS[text[at - 1]!]! | KINDS[text[at - 2]!]! |
        KINDS[text[at - 3]!]! | KINDS[text[at - 4]!]!;
      if (kinds !== (DIGIT | SEPARATOR)) continue;
      const start = runStart(text, at, from);
      const runEnd = endOfRun(text, at);
      // What is too short may go on.
      if (runEnd === length && runEnd - start < MIN_RUN) break;
      from = runEnd - start < MIN_RUN || !hasGroup(text, start, runEnd)
        ? runEnd
        : this.#readRun(text, { start, runEnd, found, end });
      // The next sample is the first behind it.
      at += Math.max(0, Math.floor((from - at) / STRIDE)) * STRIDE;
    }
    if (length === 0 || KINDS[text[length - 1]!] === OTHER) return;
    this.#holdHalf(text, found);
    if (from >= length) return;
    const start = runStart(text, length - 1, Math.max(from, length - MAX_KEPT));
    found.keepFrom(start);
    this.#readRun(text, { start, runEnd: length, found, end });
  }

  /** Half a byte can be a start, too. */
  #holdHalf(text: Uint8Array, found: Findings): void {
    const { length } = text;
    let digits = 0;
    while (digits < 4 && KINDS[text[length - 1 - digits]!] === DIGIT) digits++;
    const half = parseInt(String.fromCharCode(text[length - 1]!), 16);
    if ((digits === 1 || digits === 3) && this.#halves.has(half)) found.holdFrom(length - 1);
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
      if (dump.isOpen || dump.isDump) this.#readBytes(dump, found, end);
      // Without its first group it may be one.
      else while (at < runEnd && KINDS[text[at]!] === SEPARATOR) at++;
      at = Math.max(dump.bytes.length > 0 ? dump.end : 0, at + digitsAt(text, at), at + 1);
    }
    return at;
  }

  #readBytes(dump: Dump, found: Findings, end: boolean): void {
    const { bytes, starts, ends, rows, isOpen, isDump } = dump;
    if (bytes.length === 0 || (!isDump && end)) return;
    const inner = new Findings(bytes.length, { isStart: true });
    const text = Buffer.from(bytes);
    for (const reader of this.#readers) reader.read(text, inner, end || !isOpen);
    const lastRow = rows.at(-1)!;
    let kept = Math.min(inner.keep, bytes.length - 1);
    for (let i = 0; i < inner.bounds.length; i += 2) {
      const first = inner.bounds[i]!, behind = inner.bounds[i + 1]!;
      // One more digit would make it something else.
      const isCut = isOpen && !end && starts[behind - 1]! >= dump.cut;
      if (isDump && !isCut) found.add(starts[first]!, ends[behind - 1]!);
      // Its characters may be still to come.
      if (!isOpen || behind <= lastRow.first) continue;
      found.holdFrom(starts[first]!);
      kept = Math.min(kept, first);
    }
    if (!isOpen) return;
    if (inner.hold < bytes.length) found.holdFrom(starts[inner.hold]!);
    const usual = lastRow.first + USUAL_ROW;
    if (bytes.length > usual) {
      // What is behind a row of usual length may be its characters.
      const shorter = new Findings(usual, { isStart: true });
      for (const reader of this.#readers) reader.read(text.subarray(0, usual), shorter, false);
      if (shorter.hold < usual) found.holdFrom(starts[shorter.hold]!);
    }
    // Whole rows, and one more: the last may be too short to be found by itself.
    let row = rows.length - 1;
    while (row > 0 && rows[row]!.first > kept) row--;
    const { start } = rows[Math.max(0, row - 1)]!;
    found.keepFrom(dump.end - start <= MAX_ROW * 2 ? start : starts[Math.max(0, kept - MIN_RUN)]!);
  }
}

/** Whether a run has a group of two or four digits. */
function hasGroup(text: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const digits = digitsAt(text, at);
    if (digits === 2 || digits === 4) return true;
    at += digits;
  }
  return false;
}

/** Where a run begins, without three separators side by side. */
function runStart(text: Uint8Array, at: number, floor: number): number {
  let start = at, separators = 0;
  for (; start > floor && separators < 3; start--) {
    const kind = KINDS[text[start - 1]!];
    if (kind === OTHER) break;
    separators = kind === SEPARATOR ? separators + 1 : 0;
  }
  return start;
}

function endOfRun(text: Uint8Array, at: number): number {
  let end = at + 1, separators = 0;
  for (; end < text.length && separators < 3; end++) {
    const kind = KINDS[text[end]!];
    if (kind === OTHER) break;
    separators = kind === SEPARATOR ? separators + 1 : 0;
  }
  return end;
}

/** Reads row by row, as long as one is directly below the other. */
function readDump(text: Buffer, start: number): Dump {
  const dump = new Dump();
  let at = start, width = Infinity;
  for (;;) {
    const first = dump.bytes.length;
    const isUnclear = at > start && text.length - at < MAX_OFFSET && !text.includes(NEWLINE, at);
    let dataEnd = isUnclear ? text.length : readRow(text, at, dump);
    if (dump.bytes.length - first > width) {
      // The column of characters can look like digits.
      dump.bytes.length = dump.starts.length = dump.ends.length = first + width;
      dataEnd = dump.ends.at(-1)!;
    }
    const last = dump.bytes.length - 1;
    if (last >= first) dump.rows.push({ start: at, first });
    const isWide = last >= first && dump.starts[last]! + 2 - dump.starts[first]! >= MIN_RUN;
    if (at === start) dump.isDump = isWide;
    dump.end = Math.max(dataEnd, dump.end);
    const newline = text.indexOf(NEWLINE, dataEnd);
    const lineEnd = newline < 0 ? text.length : newline;
    const count = dump.bytes.length - first;
    // The column of characters is as long as there are bytes.
    const isLong = lineEnd - dataEnd > MAX_ROW ||
      lineEnd - behindBlanks(text, dataEnd) > count + 2;
    if (newline < 0) {
      dump.isOpen = !isLong && (count > 0 || dataEnd === text.length);
      if (dump.isOpen) dump.end = text.length;
      return dump;
    }
    if (count === 0 || isLong) return dump;
    const textEnd = text[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
    const hasCharacters = addCharacters(text, textEnd, { dump, first });
    if (hasCharacters) width = dump.bytes.length - first;
    const isWhole = hasCharacters || isBlank(text, dataEnd, textEnd);
    if (!isWhole) return dump;
    dump.end = newline + 1;
    if (dump.end === text.length) {
      dump.isOpen = true;
      return dump;
    }
    if (!isWide) return dump;
    at = newline + 1;
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
    if (!isCut && digits !== 2 && digits !== 4) return end;
    if (isLetter(next)) return end;
    if (digits > 4) return end;
    if (isCut) dump.cut = at;
    for (let i = 0; i + 1 < digits; i += 2) {
      dump.bytes.push(parseInt(String.fromCharCode(text[at + i]!, text[at + i + 1]!), 16));
      dump.starts.push(at + i);
      dump.ends.push(at + i + 2);
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
  while (KINDS[text[at]!] === SEPARATOR) at++;
  const digits = digitsAt(text, at);
  let next = at + digits;
  if (next === text.length) return digits > 4 ? next : at;
  const isMarked = digits >= 4 && text[next] === COLON &&
    (next + 1 === text.length || text[next + 1] === BLANK);
  if (isMarked) next++;
  next = behindBlanks(text, next);
  if (isMarked || digits > 4) return next;
  // Four digits in front of pairs.
  return digits === 4 && text[at + 4] === BLANK && digitsAt(text, next) === 2 &&
      text[next + 2] === BLANK && digitsAt(text, next + 3) === 2
    ? next
    : at;
}

function digitsAt(text: Uint8Array, start: number): number {
  let at = start;
  while (at < text.length && KINDS[text[at]!] === DIGIT) at++;
  return at - start;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && /\w/.test(String.fromCharCode(byte));
}

function behindBlanks(text: Uint8Array, start: number): number {
  let at = start;
  while (text[at] === BLANK) at++;
  return at;
}

function isBlank(text: Uint8Array, from: number, to: number): boolean {
  return behindBlanks(text, from) >= to;
}

/**
 * Finds the column of characters at the end of a row: one for each byte, a dot for many. What was
 * taken for bytes may be a part of it.
 */
function addCharacters(
  text: Uint8Array,
  lineEnd: number,
  { dump: { bytes, starts, ends }, first }: { readonly dump: Dump; readonly first: number },
): boolean {
  const opening = FRAMES.get(text[lineEnd - 1]);
  for (const end of opening === undefined ? [lineEnd] : [lineEnd, lineEnd - 1]) {
    for (let count = bytes.length - first; count > 0; count--) {
      const start = end - count, dataEnd = starts[first + count - 1]! + 2;
      const before = end < lineEnd && text[start - 1] === opening ? start - 1 : start;
      if (before <= dataEnd || !isBlank(text, dataEnd, before)) continue;
      const fits = bytes.slice(first, first + count).every((byte, index) =>
        byte < 0x20 || byte > 0x7e || byte === text[start + index]
      );
      if (!fits) continue;
      bytes.length = starts.length = ends.length = first + count;
      for (let i = 0; i < count; i++) ends[first + i] = start + i + 1;
      return true;
    }
  }
  return false;
}
