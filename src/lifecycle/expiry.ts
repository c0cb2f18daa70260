import { readDuration } from "../connection/duration.ts";
import { UsageError } from "../errors.ts";

/** How long a token lives where nothing else was asked for, in milliseconds: 30 days. */
export const DEFAULT_LIFETIME = 30 * 24 * 60 * 60 * 1000;

/** How long a token for one run lives where it cannot be revoked, in milliseconds: an hour. */
export const DEFAULT_TTL = 60 * 60 * 1000;

/** A token that ends within this time is worth a line, in milliseconds: 7 days. */
const SOON = 7 * 24 * 60 * 60 * 1000;

const DAY = 24 * 60 * 60 * 1000;

/** Numbers with units: the parser passes over whatever else stands there, a date, say. */
const DURATION = /^-?(\d+(\.\d+)?\s*[a-z]+\s*)+$/;

/** A century: longer is a slip, and the server's clock may not take it. */
const LONGEST = 100 * 365 * DAY;

/** Reads how long a token is to live. */
export async function readLifetime(text: string, option: string): Promise<number | undefined> {
  if (text === "never") return undefined;
  const lifetime = DURATION.test(text) ? await readDuration(text.replace(/^-/, "")) : undefined;
  if (lifetime === undefined) {
    throw new UsageError(`Cannot use ${option} "${text}": it is no duration`, {
      suggestion: 'Write it like "30d" or "12h".',
    });
  }
  // The server counts in seconds.
  if (lifetime < 1000 || text.startsWith("-")) {
    throw new UsageError(`Cannot use ${option} "${text}": the token would have ended already`, {
      suggestion: 'Write it like "30d" or "12h".',
    });
  }
  if (lifetime > LONGEST) {
    throw new UsageError(`Cannot use ${option} "${text}": that is more than 100 years`, {
      suggestion: 'A token without an end is made with "never".',
    });
  }
  return lifetime;
}

/** The end of a token that is made now. */
export function endOf(lifetime: number | undefined, now: number): number | undefined {
  return lifetime === undefined ? undefined : Math.floor((now + lifetime) / 1000);
}

/** Writes a day for people. */
export function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** Says when a token ends. */
export function describeEnd(expiresAt: number | undefined, now: number): string {
  if (expiresAt === undefined) return "never expires";
  return `${hasEnded(expiresAt, now) ? "expired" : "expires"} on ${day(expiresAt)}`;
}

/** Tells whether a token has ended. */
export function hasEnded(expiresAt: number | undefined, now: number): boolean {
  return expiresAt !== undefined && expiresAt * 1000 <= now;
}

/** Says that a token ends soon. */
export function endsSoon(expiresAt: number | undefined, now: number): string | undefined {
  if (expiresAt === undefined) return undefined;
  const left = expiresAt * 1000 - now;
  if (left <= 0 || left > SOON) return undefined;
  if (left < DAY) return "in less than a day";
  return `in ${Math.ceil(left / DAY)} days`;
}
