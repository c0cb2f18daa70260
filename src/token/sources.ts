import process from "node:process";
import type { Connection } from "../connection/connection.ts";
import { isFromProject } from "../connection/origin.ts";
import { type Environment, variableName } from "../context.ts";
import type { Secret } from "../secret.ts";

/** What is known of a source; what makes it is in `lifecycle/default_sources.ts`. */
interface SourceTraits {
  readonly summary: string;
  /** Whether its token is for one server: one is kept for each, or it stands where the server is named. */
  readonly bound: boolean;
  /** Variables that lead to its token: no other program gets them, and no `.env` sets them. */
  readonly ways: readonly string[];
  /** What a run's line calls it. @default what it says of the token */
  readonly place?: string;
}

const TABLE = {
  "flag": { summary: "--token in ADC's options", bound: true, ways: [] },
  "env": {
    summary: "ADC_TOKEN, else API_KEY if it starts with a7ee- or a7adm-",
    bound: false,
    ways: [],
  },
  "file": {
    summary: "the file set in ADC_TOKEN_FILE",
    bound: false,
    ways: ["ADC_TOKEN_FILE"],
    place: "ADC_TOKEN_FILE",
  },
  "dotenv": {
    summary: "ADC_TOKEN in .env, else API_KEY under the same condition",
    bound: true,
    ways: [],
  },
  "command": {
    summary: "the output of the profile's tokenCommand, or of ADC_TOKEN_COMMAND",
    bound: false,
    ways: ["ADC_TOKEN_COMMAND"],
    place: "token command",
  },
  "store": {
    summary: "the file where auth login --storage file stores tokens",
    bound: true,
    ways: [],
    place: "file store",
  },
  "keychain": {
    summary: 'the system keychain: service "adc-run", account PROFILE@ORIGIN or the origin',
    bound: true,
    ways: [],
    place: "keychain",
  },
  "admin-api": {
    summary: "logs in as API7_USERNAME and creates a token",
    bound: true,
    ways: ["API7_USERNAME", "API7_PASSWORD"],
    place: "login",
  },
} satisfies Record<string, SourceTraits>;

export type SourceName = keyof typeof TABLE;

export const SOURCES: Readonly<Record<SourceName, SourceTraits>> = TABLE;

/**
 * Says that a token which is for no server in particular goes where a file says that came along with the
 * folder; `ADC_RUN_ALLOWED_SERVERS` has said before that it may.
 */
export function strayWarning(
  { server: { origin } }: Pick<Connection, "server">,
  { source, detail, env }: {
    readonly source: string;
    readonly detail: string;
    readonly env: Environment;
  },
): string | undefined {
  if (!isFromProject(origin) || !isSourceName(source) || SOURCES[source].bound) return undefined;
  if (env.ADC_RUN_ALLOWED_SERVERS !== undefined) return undefined;
  const file = origin.kind === "profile" ? `adc-run.json (profile "${origin.name}")` : ".env";
  return `The token from ${detail} goes to the server set in ${file}, a file that comes with this ` +
    "folder. Pin the server in a profile of your own, or list it in ADC_RUN_ALLOWED_SERVERS.";
}

export const SOURCE_NAMES = Object.keys(SOURCES) as readonly SourceName[];

export function isSourceName(word: unknown): word is SourceName {
  return typeof word === "string" && Object.hasOwn(SOURCES, word);
}

const TOKENS = ["ADC_TOKEN", "API_KEY"];

/** Set by our GitHub action for its own step: adc-run tells the runner tokens there, in lines of their own. */
export const ACTION_VARIABLE = "ADC_RUN_ACTION";

/** Ways to more tokens, which are none of another program's business. */
const WAYS_TO_TOKENS = [...Object.values(SOURCES).flatMap(({ ways }) => ways), ACTION_VARIABLE];

export function isWayToTokens(name: string): boolean {
  return WAYS_TO_TOKENS.includes(variableName(name));
}

/** The environment without the ways to more tokens than the one that a program is given. */
export function withoutWaysToTokens(
  env: Environment,
  platform: string = process.platform,
): Record<string, string | undefined> {
  return without(WAYS_TO_TOKENS, env, platform);
}

/** The environment of a program that is given no token, such as a helper that is to print one. */
export function environmentWithoutTokens(
  env: Environment,
  platform: string = process.platform,
): Record<string, string | undefined> {
  return without([...TOKENS, ...WAYS_TO_TOKENS], env, platform);
}

function without(names: readonly string[], env: Environment, platform: string) {
  const kept = Object.entries(env).filter(([name]) =>
    !names.includes(variableName(name, platform))
  );
  return Object.fromEntries(kept);
}

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
    /** What else must stay secret because of it, such as the password it was created with. */
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
 * A token that was created for one run, and has to be revoked.
 * @category Token sources
 */
export interface TokenLease {
  /** The token's name on the server. */
  readonly name: string;
  /** When it expires, in Unix seconds. */
  readonly expiresAt: number;
  /** The token that it was created with, and stands in for; `undefined` after a login with a password. */
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
