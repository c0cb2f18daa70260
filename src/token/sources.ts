import process from "node:process";
import type { Connection } from "../connection/connection.ts";
import { describeOrigin, isFromProject } from "../connection/origin.ts";
import { type Environment, variableName } from "../context.ts";

export type SourceName =
  | "flag"
  | "env"
  | "file"
  | "dotenv"
  | "command"
  | "store"
  | "keychain"
  | "admin-api";

/** What is known of a source; what makes it is in `lifecycle/default_sources.ts`. */
interface SourceTraits {
  /** Where it looks, for a line of help. */
  readonly summary: string;
  /**
   * Whether its token is for one server: one is kept for each, or it stands where the server is named.
   */
  readonly bound: boolean;
  /** Variables that lead to its token: no other program gets them, and no `.env` sets them. */
  readonly ways: readonly string[];
  /** What a run's line calls it. @default what it says of the token */
  readonly place?: string;
}

/** The sources, in the order in which they are asked. */
export const SOURCES: Readonly<Record<SourceName, SourceTraits>> = {
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
    place: "token file",
  },
  "keychain": {
    summary: 'service "adc-run", account PROFILE@ORIGIN or the origin',
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
};

/**
 * Says that a token which is for no server in particular goes where a file says that came along with the
 * folder; `ADC_RUN_ALLOWED_SERVERS` has said before that it may.
 */
export function strayWarning(
  { server: { origin } }: Pick<Connection, "server">,
  { source, env }: { readonly source: string; readonly env: Environment },
): string | undefined {
  if (!isFromProject(origin) || !isSourceName(source) || SOURCES[source].bound) return undefined;
  if (env.ADC_RUN_ALLOWED_SERVERS !== undefined) return undefined;
  return `The token from ${source} is sent wherever ${describeOrigin(origin)} says, which comes ` +
    "with this folder. Pin the server in a profile of your own, or list it in ADC_RUN_ALLOWED_SERVERS.";
}

export const SOURCE_NAMES = Object.keys(SOURCES) as readonly SourceName[];

export function isSourceName(word: unknown): word is SourceName {
  return typeof word === "string" && Object.hasOwn(SOURCES, word);
}

/** The names that a token goes by itself. */
const TOKENS = ["ADC_TOKEN", "API_KEY"];

/** Set by our GitHub action for its own step: adc-run tells the runner tokens there, in lines of their own. */
export const ACTION_VARIABLE = "ADC_RUN_ACTION";

/** Ways to more tokens, which are none of another program's business. */
const WAYS_TO_TOKENS = [...Object.values(SOURCES).flatMap(({ ways }) => ways), ACTION_VARIABLE];

export function isWayToTokens(name: string, platform: string = process.platform): boolean {
  return WAYS_TO_TOKENS.includes(variableName(name, platform));
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

function without(
  names: readonly string[],
  env: Environment,
  platform: string,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !names.includes(variableName(name, platform))),
  );
}
