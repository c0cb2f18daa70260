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
  readonly words: readonly string[];
  /** Whether ADC will show its help or version and connect to nothing. */
  readonly information: boolean;
}

/** Commands of ADC that connect to nothing. */
const OFFLINE_COMMANDS: ReadonlySet<string> = new Set(["lint", "convert", "help"]);

/**
 * Tells whether ADC will talk to a backend.
 *
 * A command that adc-run does not know is taken for one that does: it may come from a newer ADC.
 */
export function needsBackend(args: AdcArguments, runningMode?: string): boolean {
  if (args.information || args.command === undefined) return false;
  if (args.command === "server" && runningMode === "ingress") return false;
  return !OFFLINE_COMMANDS.has(args.command);
}

/** Where there are no words of ADC's. */
export const NO_ARGUMENTS: AdcArguments = {
  command: undefined,
  flags: {},
  files: [],
  output: undefined,
  tokens: [],
  words: [],
  information: false,
};

export async function readAdcArguments(words: readonly string[]): Promise<AdcArguments> {
  if (words.length === 0) return NO_ARGUMENTS;
  const { parseAdcArguments } = await import("./parse_arguments.ts");
  return parseAdcArguments(words);
}

/**
 * Reads a duration such as `30s` or `1h10m` as ADC does; `undefined` where ADC would fall back to 10 s
 * without a word.
 */
export async function readDuration(text: string): Promise<number | undefined> {
  const { default: parse } = await import("parse-duration");
  const milliseconds = parse(text);
  if (milliseconds === null || !Number.isFinite(milliseconds) || milliseconds < 0) return undefined;
  // 16.1 s comes out as 16100.000000000002, which no timer takes; and 0 would mean no limit.
  return milliseconds === 0 ? 0 : Math.max(1, Math.round(milliseconds));
}
