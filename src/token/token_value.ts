import { type Backend, BACKENDS } from "../connection/backends.ts";
import { Secret } from "../secret.ts";

/**
 * Far more than any token, in bytes: what is longer is something else, and is not read to its end.
 */
export const MAX_TOKEN_BYTES = 64 * 1024;

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
    const issue = issueOf(part.reveal());
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

function issueOf(value: string): string | undefined {
  if (value === "") return "it is empty";
  if (/[\r\n]/.test(value)) return "it has a line break in it";
  if (/[ \t]/.test(value)) return "it has a space in it";
  if (/^(["'`]).*\1$/.test(value)) return "it has quotes around it";
  // Only visible ASCII can stand in an HTTP header without being mangled on the way.
  if (!/^[\x21-\x7e]+$/.test(value)) return "it has a character outside printable ASCII";
  return undefined;
}

/** Tells whether a value counts as "no token". */
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
 * The accounts under which a token is looked for: the profile's own, then the server's, which all share.
 */
export function accountsFor(
  origin: string,
  connection: { readonly profile?: { readonly name: string } | undefined },
): readonly string[] {
  return [...new Set([accountOf(origin, connection), origin])];
}

export function originsOf(servers: readonly { readonly origin: string }[]): readonly string[] {
  return [...new Set(servers.map(({ origin }) => origin))];
}
