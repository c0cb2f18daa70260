import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { UsageError } from "../errors.ts";

/** The longest name that API7 Enterprise takes, in characters (its OpenAPI, `POST /api/tokens`). */
export const LONGEST_TOKEN_NAME = 40;

/** The name of a token that a log-in makes where none is given. */
export function defaultTokenName(user: string, host: string = hostname()): string {
  return cut(`adc-run ${user}@${host}`, LONGEST_TOKEN_NAME);
}

/**
 * A name that no other token has: for a token that lives for one run, or one that gets another's name
 * as soon as that is free.
 */
export function uniqueTokenName(base: string): string {
  const suffix = randomBytes(4).toString("hex");
  // A server that takes no other name later must not make the names grow.
  const start = base.replace(/-[0-9a-f]{8}$/, "");
  return `${cut(start, LONGEST_TOKEN_NAME - suffix.length - 1)}-${suffix}`;
}

/** The same name with a number behind it. */
export function numberedTokenName(base: string, number: number): string {
  const suffix = ` ${number}`;
  return cut(base, LONGEST_TOKEN_NAME - suffix.length) + suffix;
}

/** Refuses a name that the server would refuse. */
export function requireTokenName(name: string): string {
  const { length } = [...name];
  if (name.trim() === "") throw new UsageError("Cannot name a token: the name is empty");
  if (length > LONGEST_TOKEN_NAME) {
    throw new UsageError(
      `Cannot name a token: the name has ${length} characters, and the server takes at most ` +
        LONGEST_TOKEN_NAME,
    );
  }
  return name;
}

/** Cut between characters, not between the halves of one. */
function cut(text: string, length: number): string {
  return [...text].slice(0, length).join("").trimEnd();
}
