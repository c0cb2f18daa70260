import { Buffer } from "node:buffer";
import { Readable, type Writable } from "node:stream";
import type { RawAnswer } from "../../admin_api/raw_request.ts";
import { parseObject } from "../../check/response.ts";
import { AdcRunError, EXIT, reasonOf } from "../../errors.ts";
import type { Mask } from "../../mask/mask.ts";
import { isReaderGone, pipeOutput } from "../../run/output.ts";
import { hasField } from "./api_request.ts";

/** What is longer is not laid out, for that takes all of it at once. */
const MAX_LAID_OUT = 16 * 1024 * 1024;

const START = 64 * 1024;

export async function writePieces(
  pieces: AsyncIterable<Uint8Array>,
  to: Writable,
  { mask }: { readonly mask: Mask },
): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  async function* watched() {
    const iterator = pieces[Symbol.asyncIterator]();
    try {
      while (true) {
        // What goes wrong at the other end is thrown at the `yield`.
        const next = await iterator.next().catch((error) => {
          failed = { error };
          throw error;
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  const { failure } = await pipeOutput(Readable.from(watched(), { objectMode: false }), to, {
    mask,
  }).done;
  if (failed !== undefined) throw failed.error;
  if (failure === undefined || isReaderGone(failure)) return;
  throw new AdcRunError(`Cannot write the output: ${reasonOf(failure)}`, EXIT.source);
}

export interface BodyStart {
  readonly body: AsyncIterable<Uint8Array>;
  text(): string;
  full(): boolean;
  /** Whether more than that has passed, or the end was not reached. */
  cut(): boolean;
}

export function keepStart(body: AsyncIterable<Uint8Array>): BodyStart {
  const kept: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  async function* passing() {
    for await (const chunk of body) {
      if (length < START) kept.push(chunk.slice(0, START - length));
      length += chunk.length;
      yield chunk;
    }
    ended = true;
  }
  return {
    body: passing(),
    text: () => Buffer.concat(kept).toString(),
    full: () => length >= START,
    cut: () => !ended || length > START,
  };
}

/** The status line and the headers of an answer. The values of cookies are secrets and are left out. */
export function headOf({ status, reason, headers }: RawAnswer): Uint8Array {
  const lines = headers.map(([name, value]) =>
    `${name}: ${name === "set-cookie" ? value.replace(/=[^;]*/, "=***") : value}`
  );
  const plain = [`HTTP/1.1 ${status} ${reason}`.trimEnd(), ...lines]
    // deno-lint-ignore no-control-regex
    .map((line) => line.replace(/[\x00-\x08\x0a-\x1f]/g, "").replace(DRAWS_ON_TERMINAL, ""));
  return Buffer.from(plain.map((line) => `${line}\r\n`).join("") + "\r\n");
}

export async function* forTerminal(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder();
  let held: string | undefined = "";
  let last = "\n";
  const shown = (text: string) => {
    const plain = text.replace(STRIPPED, "").replace(DRAWS_ON_TERMINAL, "");
    last = plain.at(-1) ?? last;
    return Buffer.from(plain);
  };
  let cutOff: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of body) {
      const text = decoder.decode(chunk, { stream: true });
      if (held === undefined) {
        yield shown(text);
        continue;
      }
      held += text;
      if (held.length < MAX_LAID_OUT && /^\s*([[{]|$)/.test(held)) continue;
      yield shown(held);
      held = undefined;
    }
  } catch (error) {
    cutOff = { error };
  }
  const rest: string = (held ?? "") + decoder.decode();
  if (isJson(rest)) yield Buffer.from(`${indentJson(rest)}\n`);
  else {
    yield shown(rest);
    // What is said next, of an answer that was cut off say, starts a line of its own.
    if (last !== "\n") yield Buffer.from("\n");
  }
  if (cutOff !== undefined) throw cutOff.error;
}

// deno-lint-ignore no-control-regex
const STRIPPED = /[\x00-\x08\x0b-\x1f]/g;

function isJson(text: string): boolean {
  if (text.trim() === "") return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Piece {
  readonly text: string;
  readonly at: number;
}

const STRUCTURE = "{}[],:";

function* piecesOf(json: string): Generator<Piece> {
  let at = 0;
  while (at < json.length) {
    const first = json[at]!;
    let end = at + 1;
    if (first === '"') {
      while (json[end] !== '"') end += json[end] === "\\" ? 2 : 1;
      end += 1;
    } else if (!STRUCTURE.includes(first) && first.trim() !== "") {
      while (end < json.length && !/[\s{}[\],:"]/.test(json[end]!)) end += 1;
    }
    if (first.trim() !== "") yield { text: json.slice(at, end), at };
    at = end;
  }
}

/** What a terminal acts upon and JSON lets through: C1 controls, and what turns the direction of writing. */
const DRAWS_ON_TERMINAL = /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Two spaces a level; only whitespace, and the spelling of what draws on a terminal, is changed. */
export function indentJson(json: string): string {
  const out: string[] = [];
  let depth = 0;
  let before = "";
  const line = () => out.push("\n", "  ".repeat(depth));
  for (const { text } of piecesOf(json)) {
    const opens = before === "{" || before === "[";
    if (text === "}" || text === "]") {
      depth -= 1;
      if (!opens) line();
    } else if (opens || before === ",") line();
    else if (before === ":") out.push(" ");
    if (text === "{" || text === "[") depth += 1;
    out.push(text.replace(DRAWS_ON_TERMINAL, escaped));
    before = text;
  }
  return out.join("");
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Cuts the value of a name out of a JSON object, as it is written; of two the last. */
export function memberText(json: string, name: string): string | undefined {
  let found: string | undefined;
  let start: number | undefined;
  let depth = 0;
  let before = "";
  for (const { text, at } of piecesOf(json)) {
    const closes = text === "}" || text === "]";
    if (depth === 1 && text === ":") start = JSON.parse(before) === name ? at + 1 : undefined;
    else if (depth === 1 && (text === "," || closes) && start !== undefined) {
      found = json.slice(start, at).trim();
      start = undefined;
    }
    if (text === "{" || text === "[") depth += 1;
    else if (closes) depth -= 1;
    before = text;
  }
  return found;
}

const PAGE_SIZE = 100;

/** One page is held at a time; what is longer is none, in bytes. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024;

/** A list that goes on beyond has no end. */
const MAX_PAGES = 100_000;

export function pageFields(path: string, page: number): readonly (readonly [string, string])[] {
  const fields = [["page", String(page)], ["page_size", String(PAGE_SIZE)]] as const;
  return fields.filter(([name]) => name === "page" || !hasField(path, name));
}

/**
 * Reads all pages of a list and makes them one: `{"list":[…],"total":n}`. The items are passed on as they
 * were written; no more than one page is held. Items that move from page to page meanwhile, because
 * somebody changes the list, can come twice or not at all.
 */
export async function* allPages(
  first: RawAnswer,
  next: (page: number) => Promise<RawAnswer>,
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let page = 1;
  let received = 0;
  let before: string | undefined;
  while (true) {
    const { items, count, total } = await readPage(answer);
    if (page === 1) yield Buffer.from('{"list":[');
    // A server that knows no pages gives the same one again.
    const repeated = count > 0 && items === before;
    if (count > 0 && !repeated) {
      yield Buffer.from(received === 0 ? items : `,${items}`);
      received += count;
    }
    if (count === 0 || repeated || (total !== undefined && received >= total)) {
      yield Buffer.from(`],"total":${total ?? received}}\n`);
      return;
    }
    before = items;
    page += 1;
    if (page > MAX_PAGES) {
      throw notAList(answer, `the list does not end after ${MAX_PAGES} pages`);
    }
    answer = await next(page);
  }
}

async function readPage(answer: RawAnswer): Promise<
  { readonly items: string; readonly count: number; readonly total: number | undefined }
> {
  const text = await readText(answer);
  const { list, total } = parseObject(text) ?? {};
  // Go writes an empty list as null, Lua as an empty object.
  const empty = list === null ||
    (typeof list === "object" && !Array.isArray(list) && Object.keys(list).length === 0);
  const known = total === undefined || total === null || Number.isInteger(total);
  if (!(empty || Array.isArray(list)) || !known) {
    throw notAList(answer, 'the response is not a list, {"list": […], "total": n}');
  }
  return {
    items: Array.isArray(list) ? memberText(text, "list")!.slice(1, -1).trim() : "",
    count: Array.isArray(list) ? list.length : 0,
    total: typeof total === "number" ? total : undefined,
  };
}

async function readText(answer: RawAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > MAX_PAGE_BYTES) {
      throw notAList(answer, `a page is longer than ${MAX_PAGE_BYTES / 1024 / 1024} MiB`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export function notAList({ request }: RawAnswer, found: string): AdcRunError {
  return new AdcRunError(`Cannot read ${request} page by page: ${found}`, EXIT.data, {
    suggestion: "Omit --paginate to see the raw response.",
  });
}
