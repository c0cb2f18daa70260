import { parseObject } from "../check/server_words.ts";
import type { Answered, Requester } from "./requester.ts";
import type { Reader } from "./shapes.ts";

/** How many items a page may have. */
const PAGE_SIZE = 100;

/** A list that goes on beyond has no end. */
const MOST_PAGES = 1_000;

/** Reads the value of an answer. */
export function readValue<T>(requester: Requester, answered: Answered, read: Reader<T>): T {
  const value = read(parseObject(answered.response.body)?.value);
  if (value === undefined) throw requester.wrongServer(answered);
  return value;
}

/** Reads a list to its end. */
export async function readPages<T extends { readonly id: string }>(
  requester: Requester,
  get: (query: string) => Promise<Answered>,
  read: Reader<T>,
): Promise<readonly T[]> {
  const items = new Map<string, T>();
  let received = 0;
  let answered: Answered | undefined;
  for (let page = 1; page <= MOST_PAGES; page++) {
    answered = await get(`page=${page}&page_size=${PAGE_SIZE}`);
    const { list, total } = parseObject(answered.response.body) ?? {};
    // Go writes an empty list as null.
    const found = list === null ? [] : list;
    const known = total === undefined || total === null || Number.isInteger(total);
    if (!Array.isArray(found) || !known) throw requester.wrongServer(answered);
    const before = items.size;
    for (const each of found) {
      const item = read(each);
      if (item === undefined) throw requester.wrongServer(answered);
      items.set(item.id, item);
    }
    received += found.length;
    const complete = typeof total === "number" && received >= total;
    // A server that knows no pages gives the same one again.
    if (complete || items.size === before) return [...items.values()];
  }
  throw requester.wrongServer(answered!, {
    found: `the list has no end after ${MOST_PAGES} pages`,
  });
}
