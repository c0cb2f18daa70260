import { VERSION } from "../version.ts";
import type { HttpRequest } from "./http.ts";

/** More than any answer that is read to its end; longer ones are cut. */
const MAX_BYTES = 1024 * 1024;

/** A failed connection and a server that is busy are tried again, at most twice. */
export const RETRY = {
  maxRetries: 2,
  minTimeout: 100,
  maxTimeout: 2_000,
  timeoutFactor: 3,
  statusCodes: [429, 502, 503, 504],
  throwOnError: false,
};

/** What a request says of itself. */
export const OWN_HEADERS: Readonly<Record<string, string>> = {
  accept: "application/json",
  "user-agent": `adc-run/${VERSION}`,
};

/** The headers that say whose request it is. */
export function credentialHeaders(
  { server, token }: Pick<HttpRequest, "server" | "token">,
): Readonly<Record<string, string>> {
  return {
    ...(token && { "x-api-key": token.reveal() }),
    ...(server.authorization && { authorization: server.authorization.reveal() }),
  };
}

export function headersOf(request: HttpRequest): Readonly<Record<string, string>> {
  const { cookie, body } = request;
  return {
    ...OWN_HEADERS,
    ...credentialHeaders(request),
    ...(cookie && { cookie: cookie.reveal() }),
    ...(body !== undefined && { "content-type": "application/json" }),
  };
}

/** Reads an answer, as far as any answer goes that is of use. */
export async function readStart(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly text: string; readonly cut: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop destroys the body, so that an endless one ends here.
    if (length > MAX_BYTES) return { text, cut: true };
  }
  return { text: text + decoder.decode(), cut: false };
}
