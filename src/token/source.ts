import type { Connection } from "../connection/connection.ts";
import type { Secret } from "../secret.ts";

/**
 * What a source is told when it is asked.
 * @category Token sources
 */
export interface SourceContext {
  /** Where the token will be used: a stored token belongs to one server's origin. */
  readonly connection: Connection;
  /** Ends the search: on an interrupt, or when the source's time limit is over. */
  readonly signal: AbortSignal;
}

/**
 * What a source answers.
 * @category Token sources
 */
export type SourceAnswer =
  /** There is a token. */
  | {
    readonly status: "found";
    /** The bare token; for `apisix-standalone` it may be a comma-separated list. */
    readonly token: Secret;
    /** Where exactly, for example `ADC_TOKEN` or `.env`. */
    readonly detail: string;
    /** What else must stay secret because of it, such as the password it was made with. */
    readonly secrets?: readonly Secret[] | undefined;
    /** Set where the token lives for one run alone. */
    readonly lease?: TokenLease | undefined;
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
    readonly suggestion?: string | undefined;
    /** What led to it. */
    readonly cause?: unknown;
    /** The code that the command line exits with. @default 74 */
    readonly exitCode?: number | undefined;
  };

/**
 * A token that was made for one run, and has to be given back.
 * @category Token sources
 */
export interface TokenLease {
  /** The token's name on the server. */
  readonly name: string;
  /** When it ends by itself, in Unix seconds. */
  readonly expiresAt: number;
  /** The token that it was made with, and stands in for; `undefined` after a login with a password. */
  readonly parent?: Secret | undefined;
  /**
   * Revokes the token. Calling it again does nothing.
   *
   * @param options What ends the attempt.
   * @throws {AdcRunError} The token could not be revoked; the next run will try again.
   */
  release(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/**
 * A place that a token may come from.
 *
 * @category Token sources
 * @example
 * ```ts
 * import { Secret } from "@adc-run/adc-run";
 * import type { TokenSource } from "@adc-run/adc-run";
 *
 * const fixed: TokenSource = {
 *   name: "fixed",
 *   timeoutMs: 1_000,
 *   find: () =>
 *     Promise.resolve({ status: "found", token: new Secret("a7ee-example"), detail: "the code" }),
 * };
 * ```
 */
export interface TokenSource {
  /** The name that messages and `--source` use. */
  readonly name: string;
  /** How long the source may take, in milliseconds. */
  readonly timeoutMs: number;
  /** What to do where the source does not answer in time. @default none */
  readonly whenSlow?: string | undefined;
  /**
   * How long the source may take to undo what it had begun when it is told to give up, in milliseconds.
   *
   * @default 0
   */
  readonly graceMs?: number | undefined;
  /**
   * Says what {@linkcode TokenSource.find} would do, where that leaves traces: a survey asks for this
   * instead.
   *
   * @param context Where the token would be used.
   * @returns What would happen, or why nothing would.
   */
  preview?(context: SourceContext): Promise<string>;
  /**
   * Looks for a token.
   *
   * @param context Where the token will be used, and when to give up.
   * @returns What was found. A rejection counts as broken.
   */
  find(context: SourceContext): Promise<SourceAnswer>;
}
