import { isJson } from "../check/server_words.ts";
import type { HttpResponse } from "../http/http_client.ts";
import type { CallOptions } from "./call_options.ts";
import type { Answered, Requester } from "./requester.ts";

/**
 * `/api/tokens`, which ADC's end-to-end tests use with versions 3.5 to 3.10; older ones have the other.
 */
const PATHS = ["/api/tokens", "/api/settings/tokens"] as const;

/** What was found out, by the server's base address. */
const known = new Map<string, string>();

/** Gets something below the token path, at the new one first and then at the old one. */
export async function getTokens(
  requester: Requester,
  rest: string,
  options: CallOptions,
): Promise<Answered> {
  const answered = await findTokens(requester, rest, options);
  if ("response" in answered) return answered;
  const { missed } = answered;
  throw requester.wrongServer(missed, {
    found: `the server answered ${missed.response.status}, and has neither ${PATHS.join(" nor ")}`,
  });
}

/** Gets something below the token path that a server may lack. */
export async function findTokens(
  requester: Requester,
  rest: string,
  { signal }: CallOptions,
): Promise<Answered | { readonly missed: Answered }> {
  const base = requester.server.display;
  const remembered = known.get(base);
  const paths = [...PATHS].sort((a, b) => Number(b === remembered) - Number(a === remembered));
  let missed: Answered | undefined;
  for (const path of paths) {
    const answered = await requester.send({ method: "GET", path: path + rest, signal });
    if (isElsewhere(answered.response)) {
      missed ??= answered;
      continue;
    }
    requester.requireSuccess(answered);
    known.set(base, path);
    return answered;
  }
  return { missed: missed! };
}

/** The token path, asked for unless it is known. */
export async function tokenPath(
  requester: Requester,
  options: CallOptions,
): Promise<string> {
  const base = requester.server.display;
  if (!known.has(base)) await getTokens(requester, "?page=1&page_size=1", options);
  return known.get(base)!;
}

/** 404, or a Dashboard that serves its page for any path it does not know. */
function isElsewhere(response: HttpResponse): boolean {
  const { status } = response;
  return status === 404 || (status >= 200 && status < 300 && !isJson(response));
}
