/**
 * What a token source is, and what it can answer.
 *
 * @module
 */

import type { Connection } from "../connection/connection.ts";
import type { Secret } from "../secret.ts";

/** What a source is told when it is asked. */
export interface SourceContext {
  /** Where the token will be used: a stored token belongs to one server's origin. */
  readonly connection: Connection;
  /** Ends the search: on an interrupt, or when the source's time limit is over. */
  readonly signal: AbortSignal;
}

/** What a source answers. */
export type SourceAnswer =
  /** There is a token. */
  | {
    readonly status: "found";
    /** The bare token; for `apisix-standalone` it may be a comma-separated list. */
    readonly token: Secret;
    /** Where exactly, for example `ADC_TOKEN` or `.env`. */
    readonly detail: string;
  }
  /** There is none here; the next source is asked. */
  | {
    readonly status: "absent";
    /** Why, for example `ADC_TOKEN is not set`. */
    readonly reason: string;
  }
  /** Something is wrong here, which is not the same as no token; no further source is asked. */
  | {
    readonly status: "broken";
    /** What is wrong. */
    readonly reason: string;
    /** What to do about it. */
    readonly suggestion?: string;
    /** What led to it. */
    readonly cause?: unknown;
    /** Set where the token itself is malformed, which has an exit code of its own. */
    readonly malformed?: boolean;
  };

/**
 * A place that a token may come from.
 *
 * @example
 * ```ts
 * import { Secret } from "@adc-run/adc-run";
 * import type { TokenSource } from "@adc-run/adc-run";
 *
 * const fixed: TokenSource = {
 *   name: "fixed",
 *   timeout: 1_000,
 *   find: () =>
 *     Promise.resolve({ status: "found", token: new Secret("a7ee-example"), detail: "the code" }),
 * };
 * ```
 */
export interface TokenSource {
  /** The name that messages and `--source` use. */
  readonly name: string;
  /** How long the source may take, in milliseconds. */
  readonly timeout: number;
  /**
   * What to do where the source does not answer in time.
   *
   * @default undefined
   */
  readonly whenSlow?: string;
  /**
   * Looks for a token.
   *
   * @param context Where the token will be used, and when to give up.
   * @returns What was found. A rejection counts as broken.
   */
  find(context: SourceContext): Promise<SourceAnswer>;
}
