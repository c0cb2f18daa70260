import { createHash } from "node:crypto";

/** The kinds of API7 tokens that can be told by their prefix. */
export type TokenPrefix = "a7ee-" | "a7adm-";

const PREFIXES: readonly TokenPrefix[] = ["a7ee-", "a7adm-"];

/**
 * Tells whether a value starts the way that API7 Enterprise's tokens do.
 *
 * `a7ee-` is a user's token with that user's roles, `a7adm-` an admin key that belongs to no user.
 * Apache APISIX has no such prefix: its admin keys are free text.
 *
 * @param value The bare token.
 * @returns The prefix, or `undefined` for any other value.
 */
export function tokenPrefix(value: string): TokenPrefix | undefined {
  return PREFIXES.find((prefix) => value.startsWith(prefix));
}

/** Tells API7 Enterprise's admin keys, which belong to no user and for which ADC names no gateway group. */
export function isAdminKey(token: Secret): boolean {
  return tokenPrefix(token.reveal()) === "a7adm-";
}

/**
 * A value that is shorter is more likely a word than a secret, in characters, where nobody said that it is
 * one: masking it would garble what it occurs in.
 */
export const MIN_SECRET_LENGTH = 8;

/**
 * A secret that prints itself redacted.
 *
 * `String()`, template literals, `JSON.stringify`, `console.log` and `util.inspect` show the token's
 * public prefix and a fingerprint, never the value. {@linkcode Secret.reveal} is the one way out.
 *
 * @example
 * ```ts
 * import { Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const token = new Secret("a7ee-example");
 * assert.equal(`${token}`, "a7ee-*** (9261e1c1)");
 * assert.equal(token.reveal(), "a7ee-example");
 * ```
 */
export class Secret {
  readonly #value: string;

  /**
   * Wraps a value.
   *
   * @param value The bare value. It may be empty; {@linkcode Secret} does not judge it.
   */
  constructor(value: string) {
    this.#value = value;
  }

  /**
   * The bare value. Whoever calls this answers for where it goes.
   *
   * @returns The value as it was given.
   */
  reveal(): string {
    return this.#value;
  }

  /**
   * The first 8 hexadecimal digits of the value's SHA-256: enough to tell two tokens apart, too few
   * to find a token by.
   *
   * @returns Eight lower-case hexadecimal digits.
   */
  get fingerprint(): string {
    return createHash("sha256").update(this.#value).digest("hex").slice(0, 8);
  }

  /**
   * The value without what is secret: its public prefix, if it has one, and three asterisks.
   *
   * @returns For example `a7ee-***`.
   */
  get redacted(): string {
    return `${tokenPrefix(this.#value) ?? ""}***`;
  }

  /**
   * What `String()` and template literals show.
   *
   * @returns For example `a7ee-*** (9261e1c1)`.
   */
  toString(): string {
    return `${this.redacted} (${this.fingerprint})`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The same as {@linkcode Secret.toString}.
   */
  toJSON(): string {
    return this.toString();
  }

  /**
   * What `console.log` and `util.inspect` show on Node.js, Deno and Bun.
   *
   * @returns The same as {@linkcode Secret.toString}.
   */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
