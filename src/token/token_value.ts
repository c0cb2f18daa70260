import { type Backend, BACKENDS } from "../connection/backends.ts";
import { Secret, tokenPrefix } from "../secret.ts";

/** Far more than any token, in bytes: what is longer is something else, and is not read to its end. */
export const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * A token without the white space, byte order mark and line breaks around it: what is handed on. ADC drops
 * most of them as well, but not all, and each version others. Of a list a last entry that is empty goes too.
 */
export function trimToken(token: Secret, backend: Backend): Secret {
  const parts = splitTokens(token, backend).map((part) => part.reveal().trim());
  if (parts.length > 1 && parts.at(-1) === "") parts.pop();
  const trimmed = parts.join(",");
  return trimmed === token.reveal() ? token : new Secret(trimmed);
}

/**
 * What the child gets where no token is used: one ADC wants some value. Nothing but this very object is it, for
 * a key may be the same word.
 */
export const PLACEHOLDER = new Secret("unused");

/** The token that a server is sent: none where there is only the placeholder. */
export function sentToken(token: Secret): Secret | undefined {
  return token === PLACEHOLDER ? undefined : token;
}

/**
 * Says what keeps a value from being a token.
 *
 * The answer never holds any part of the value.
 */
export function validateToken(token: Secret, backend: Backend): string | undefined {
  const parts = splitTokens(token, backend);
  for (const [index, part] of parts.entries()) {
    const issue = issueOf(part.reveal(), backend);
    if (issue === undefined) continue;
    return parts.length === 1 ? issue : `in token ${index + 1} of ${parts.length}: ${issue}`;
  }
  return undefined;
}

export function splitTokens(token: Secret, backend: Backend): readonly Secret[] {
  return BACKENDS[backend].hasServerList
    ? token.reveal().split(",").map((part) => new Secret(part))
    : [token];
}

function issueOf(value: string, backend: Backend): string | undefined {
  if (value === "") return "it is empty";
  if (value.includes("\0")) return "it contains a NUL byte; it may be UTF-16 text";
  if (/[\r\n]/.test(value)) return "it contains a line break";
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f-\x9f]/.test(value)) return "it contains a control character";
  if (/^(export\s+)?ADC_TOKEN\s*[=:]/.test(value)) {
    return "it is a whole line of .env, with the name";
  }
  // API7's tokens have nothing of the kind; a key of Apache APISIX is whatever somebody wrote.
  if (BACKENDS[backend].hasUsers || tokenPrefix(value.replace(/^["'`]/, "")) !== undefined) {
    if (value.includes(" ")) return "it contains a space";
    if (/^(["'`]).*\1$/.test(value)) return "it is in quotes";
  }
  // Only visible ASCII can stand in an HTTP header without being mangled on the way.
  if (!/^[\x20-\x7e]+$/.test(value)) return "it contains a character outside printable ASCII";
  // Where the one ADC sends it whole, the other takes what is in front of the comma.
  if (value.includes(",")) return "it contains a comma, which not every ADC accepts";
  return undefined;
}

export function isBlank(value: string): boolean {
  return value.trim() === "";
}

/** Drops the line break that editors, `echo` and helper programs put at the end. */
export function withoutTrailingNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}

/**
 * The account under which a token is stored: the server's origin, or `PROFILE@ORIGIN` where a profile is
 * in force, so that two profiles for one server have a token each.
 */
export function accountOf(
  origin: string,
  { profile }: { readonly profile?: { readonly name: string } | undefined },
): string {
  return profile === undefined ? origin : `${profile.name}@${origin}`;
}

/**
 * The accounts under which a token is looked for: the profile's own, then the server's, which all share. A
 * profile that was named is meant itself, and has its own alone.
 */
export function accountsFor(
  origin: string,
  connection: {
    readonly profile?: { readonly name: string; readonly explicit?: boolean } | undefined;
  },
): readonly string[] {
  const own = accountOf(origin, connection);
  return connection.profile?.explicit ? [own] : [...new Set([own, origin])];
}

export function originsOf(servers: readonly { readonly origin: string }[]): readonly string[] {
  return [...new Set(servers.map(({ origin }) => origin))];
}
