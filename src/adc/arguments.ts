import type { Secret } from "../secret.ts";
import type { AdcFlags } from "./settings.ts";

/**
 * ADC's words, taken apart.
 * @category Connection
 */
export interface AdcArguments {
  /** ADC's command, such as `sync`; `undefined` where an option stands in its place. */
  readonly command: string | undefined;
  /** The connection flags. */
  readonly flags: AdcFlags;
  /** Every value of `-f`, in order. */
  readonly files: readonly string[];
  /** The value of `-o`; ADC takes the last. */
  readonly output: string | undefined;
  /** Every value of `--token`, in order; ADC takes the last. */
  readonly tokens: readonly Secret[];
  /** The words without `--token` and its values: what ADC's own argv will be. */
  readonly argv: readonly string[];
  /**
   * All words, with each token as `***`: what ADC's own argv will be where it needs none, and has an answer
   * of its own to `--token`.
   */
  readonly maskedArgv: readonly string[];
  /** A connection option that not every ADC reads alike, why, and what to write instead. */
  readonly ambiguous?: {
    readonly flag: string;
    readonly found: string;
    readonly suggestion: string;
  } | undefined;
  /** Whether ADC will show its help or version and connect to nothing. */
  readonly information: boolean;
}

/**
 * Commands of ADC that connect to nothing, and those that take a token with each request that they get: the
 * TypeScript ADC has `server` in its ingress mode alone, the Rust ADC always, by both names.
 */
const OFFLINE_COMMANDS: ReadonlySet<string> = new Set([
  "lint",
  "convert",
  "help",
  "server",
  "ingress-server",
]);

/**
 * Tells whether ADC will talk to a backend.
 *
 * A command that adc-run does not know is taken for one that does: it may come from a newer ADC.
 */
export function needsBackend(args: AdcArguments): boolean {
  if (args.information || args.command === undefined) return false;
  return !OFFLINE_COMMANDS.has(args.command);
}

/** Where there are no words of ADC's. */
export const NO_ARGUMENTS: AdcArguments = {
  command: undefined,
  flags: {},
  files: [],
  output: undefined,
  tokens: [],
  argv: [],
  maskedArgv: [],
  information: false,
};

export async function readAdcArguments(words: readonly string[]): Promise<AdcArguments> {
  if (words.length === 0) return NO_ARGUMENTS;
  const { parseAdcArguments } = await import("./parse_arguments.ts");
  return parseAdcArguments(words);
}

/** From here on the timers of Node.js end at once. */
const MAX_TIMER = 2 ** 31;

const UNITS = "ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?";

/** What both ADCs read, the one by parse-duration and the other by humantime, and read alike. */
const DURATION = new RegExp(`^[ \\t\\r\\n]*(\\d{1,15}[ \\t\\r\\n]*(${UNITS})[ \\t\\r\\n]*)+$`);

/** A time limit; or what is wrong with it, and what to write instead. */
type TimeLimit =
  | { readonly milliseconds: number }
  | { readonly found: string; readonly suggestion: string };

/**
 * Reads ADC's time limit. Of a flag only what every ADC reads alike will do; what a profile says is handed
 * on in one spelling, whatever its own is.
 */
export async function readTimeLimit(
  text: string,
  { handedOn }: { readonly handedOn: "as it is" | "in milliseconds" },
): Promise<TimeLimit> {
  const milliseconds = await readDuration(text);
  const suggestion = 'Use a value such as "30s" or "1h10m".';
  if (milliseconds === undefined) return { found: `"${text}" is not a duration`, suggestion };
  if (milliseconds >= MAX_TIMER) {
    const found = `"${text}" is longer than ADC can wait: the request would fail at once`;
    return { found, suggestion: 'Use "24d" or less.' };
  }
  if (milliseconds === 0) {
    return {
      found: `"${text}" means no limit to one ADC and no time at all to another`,
      suggestion,
    };
  }
  if (handedOn === "in milliseconds" || DURATION.test(text)) return { milliseconds };
  const [seconds, rest] = [milliseconds / 1000, milliseconds % 1000];
  return {
    found: `not every ADC reads "${text}" the same way`,
    suggestion: `Use "${rest === 0 ? `${seconds}s` : `${milliseconds}ms`}".`,
  };
}

/**
 * Reads a duration such as `30s` or `1h10m` as parse-duration does; `undefined` where it is none.
 */
export async function readDuration(text: string): Promise<number | undefined> {
  const { default: parse } = await import("parse-duration");
  const milliseconds = parse(text);
  if (milliseconds === null || !Number.isFinite(milliseconds) || milliseconds < 0) return undefined;
  // 16.1 s comes out as 16100.000000000002, which no timer takes; and 0 would mean no limit.
  return milliseconds === 0 ? 0 : Math.max(1, Math.round(milliseconds));
}
