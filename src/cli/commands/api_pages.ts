import { Buffer } from "node:buffer";
import type { RawAnswer } from "../../admin_api/raw_request.ts";
import { parseObject } from "../../check/response.ts";
import { AdcRunError, EXIT } from "../../errors.ts";
import { memberText } from "./api_output.ts";
import { hasField } from "./api_target.ts";

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
    items: Array.isArray(list) ? memberText(text, "list")!.trim().slice(1, -1).trim() : "",
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

/** What is asked for page by page is something else. */
export function notAList({ request }: RawAnswer, found: string): AdcRunError {
  return new AdcRunError(`Cannot read ${request} page by page: ${found}`, EXIT.data, {
    suggestion: "Omit --paginate to see the raw response.",
  });
}
