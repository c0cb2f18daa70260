import { type Backend, BACKENDS } from "../connection/backends.ts";
import type { HttpResponse } from "../http/http_client.ts";
import type { Verdict } from "./verdict.ts";

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly suggestion?: string | undefined;
}

/** The server is busy or in trouble, or did not get all of the request in time: later it may do better. */
export function isTemporary(status: number): boolean {
  return [408, 425, 429].includes(status) || status >= 500;
}

export function judgeStatus(
  response: HttpResponse,
  backend: Backend,
  { quote = oneLine }: { readonly quote?: (words: string) => string } = {},
): Judgement | undefined {
  const { status } = response;
  if (status >= 200 && status < 300) return undefined;
  const words = errorMessageOf(response);
  const reason = `the server answered ${status}${words === "" ? "" : `: "${quote(words)}"`}`;
  if (isViewerRefusal(response)) return viewerKey(reason);
  const tls = status === 400
    ? TLS_PAGES.find(([words]) => response.body.includes(words))
    : undefined;
  if (tls !== undefined) {
    return { verdict: "tls", reason: `${reason}: "${tls[0]}"`, suggestion: tls[1] };
  }
  if (status === 401) {
    return {
      verdict: "rejected",
      reason,
      suggestion: isStranger(response)
        ? "The response did not come from an Admin API; a proxy in between may require its own login."
        : TOKEN_REJECTED,
    };
  }
  if (status === 403) {
    return {
      verdict: "forbidden",
      reason,
      suggestion: isAddressRefusal(response, backend)
        ? ADDRESS_REFUSED
        : isStranger(response)
        ? "The response did not come from an Admin API; a proxy in between refused the request."
        : /\blicen[sc]e\b/i.test(words)
        ? "Upload a valid license in the Dashboard."
        : BACKENDS[backend].hasUsers
        ? "The token works, but its role does not allow this. Ask for one that does."
        : "The token may be fine: the server may not allow your IP address (allow_admin).",
    };
  }
  if (isTemporary(status)) {
    return { verdict: "server-error", reason, suggestion: "Try again later." };
  }
  if (status === 407) {
    return {
      verdict: "unreachable",
      reason: "the proxy requires a login (407)",
      suggestion: "Put the user name and password in HTTP_PROXY or HTTPS_PROXY.",
    };
  }
  const location = response.header("location");
  const pointing = location === undefined ? "" : `, pointing to "${quote(originOf(location))}"`;
  return notThisBackend(reason + pointing, backend);
}

/** What is known of a bad token without its source, which says how to replace it. */
export const TOKEN_REJECTED = "The token is wrong, expired or revoked.";

const ADDRESS_REFUSED =
  "The key was not checked: the server, or a proxy in front of it, does not allow your IP address. " +
  'Add it to "allow_admin" in the server\'s configuration.';

const HTTPS_PORT = "The server uses https on that port: write https:// in --server or ADC_SERVER.";

/** What servers say of TLS in a page (nginx, Go, Tomcat, Apache), and what to do about it. */
const TLS_PAGES: readonly (readonly [words: string, suggestion: string])[] = [
  [
    "No required SSL certificate was sent",
    "The server requires a client certificate: set one with --tls-client-cert-file and " +
    "--tls-client-key-file.",
  ],
  [
    "The SSL certificate error",
    "The server rejected the client certificate: check --tls-client-cert-file, and which CA the " +
    "server trusts.",
  ],
  ["The plain HTTP request was sent to HTTPS port", HTTPS_PORT],
  ["Client sent an HTTP request to an HTTPS server", HTTPS_PORT],
  ["This combination of host and port requires TLS", HTTPS_PORT],
  ["speaking plain HTTP to an SSL-enabled server port", HTTPS_PORT],
];

/** nginx in APISIX answers by a page to an address that it does not let in, whatever the key. */
export function isAddressRefusal(response: HttpResponse, backend: Backend): boolean {
  return response.status === 403 && !BACKENDS[backend].hasUsers && !isJson(response);
}

/** A key that may only read, where APISIX was asked for something else. */
export function isViewerRefusal(response: HttpResponse): boolean {
  return response.status === 401 &&
    /invalid method for role viewer/i.test(errorMessageOf(response));
}

export function viewerKey(reason: string): Judgement {
  return {
    verdict: "forbidden",
    reason,
    suggestion:
      "The key works, but it is a viewer key, which can only read. Use a key with the admin role.",
  };
}

/** Both backends explain a refusal in JSON; a page, or a request for a password, comes from elsewhere. */
export function isStranger(response: HttpResponse): boolean {
  if (isJson(response)) return false;
  return response.header("www-authenticate") !== undefined || response.body.trim() !== "";
}

export function notThisBackend(reason: string, backend: Backend): Judgement {
  const suggestion = `That is not an Admin API of backend "${backend}". Check --server or ` +
    "ADC_SERVER, and --backend or ADC_BACKEND.";
  return { verdict: "wrong-server", reason, suggestion };
}

function originOf(location: string): string {
  return URL.canParse(location) ? new URL(location).origin : location.split(/[?#]/)[0] ?? "";
}

export function errorMessageOf(response: HttpResponse): string {
  const value = parseObject(response.body);
  const message = value?.error_msg ?? value?.message;
  if (typeof message !== "string" || message === "") return "";
  const details = typeof value?.description === "string" ? ` (${value.description})` : "";
  return message + details;
}

/** Makes a server's words safe for a terminal, which they must not draw on. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}

export function isJson(response: HttpResponse): boolean {
  return parseObject(response.body) !== undefined ||
    (response.cut && response.body.trimStart().startsWith("{"));
}

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Cuts what is quoted, for a server's words must not fill the terminal. Secrets are masked before: half
 * of one would not be recognised.
 */
export function shorten(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

export function describeBody(response: HttpResponse): string {
  const type = response.header("content-type") ?? "";
  if (/html/i.test(type) || /^\s*<(!doctype|html)/i.test(response.body)) return "an HTML page";
  if (response.body.trim() === "") return "nothing";
  return isJson(response) ? "unexpected JSON" : "something that is not JSON";
}
