import type { Command } from "commander";
import { codeOf, UsageError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { ADC_SETTINGS, type AdcFlags } from "./settings.ts";

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

/**
 * ADC's options. All are declared because a parser that does not know which of them take a value would read
 * `-f --token` as the option `--token`.
 */
const OPTIONS: readonly string[] = [
  ...Object.values(ADC_SETTINGS).map(({ flag, kind }) =>
    kind === "boolean" ? flag : `${flag} <value>`
  ),
  "--verbose <integer>",
  "--label-selector <labelKey=labelValue>",
  "--include-resource-type <string>",
  "--exclude-resource-type <string>",
  "--no-managed-by-label",
  "-f, --file <file-path>",
  "-o, --output <file-path>",
  "--with-id",
  "--no-lint",
  "--request-concurrent <integer>",
  "--remote-state-file <file-path>",
  // ADC's own help option; commander looks for it among the words that are no other option's value.
  "-h, --help",
];

/** What ADC takes, before any command, for "say something and end"; the Rust ADC has `-V` instead of `-v`. */
const INFORMATION_OPTIONS: ReadonlySet<string> = new Set(["-v", "-V", "--version", "-h", "--help"]);

/**
 * Reads ADC's words.
 *
 * The parser is commander, as in ADC, so that a word which is another option's value (`-f --token`) is
 * not taken for an option, and every spelling that ADC accepts is accepted.
 */
export async function readAdcArguments(words: readonly string[]): Promise<AdcArguments> {
  const [first] = words;
  if (first === undefined) return NO_ARGUMENTS;
  if (/^--verbose(=|$)/.test(first)) {
    throw new UsageError(
      "Cannot use --verbose before ADC's command: not every ADC accepts it there",
      { suggestion: "Put it after the command." },
    );
  }
  // Loaded only now: what runs another program needs none of it.
  const { Command } = await import("commander");
  const parse = (words: readonly string[]) => parseWith(new Command("adc"), words);
  const parsed = parse(words);
  const { options, files, tokens } = parsed;
  const ambiguous = ambiguousOption(words, parsed);
  const places = tokens.length === 0 ? new Set<number>() : tokenPlaces(words, parse);
  const given = Object.keys(ADC_SETTINGS).filter((key) => key !== "token" && key in options);
  return {
    command: first.startsWith("-") ? undefined : first,
    flags: Object.fromEntries(given.map((key) => [key, options[key]])) as AdcFlags,
    files,
    output: options.output as string | undefined,
    tokens: tokens.map((token) => new Secret(token)),
    argv: words.filter((_, index) => !places.has(index)),
    maskedArgv: words.map((word, index) =>
      !places.has(index) || word === "--token" && !places.has(index - 1)
        ? word
        : word.startsWith("--token=")
        ? "--token=***"
        : "***"
    ),
    ...(ambiguous && { ambiguous }),
    information: options.help === true || INFORMATION_OPTIONS.has(first),
  };
}

interface Parsed {
  readonly options: Record<string, unknown>;
  readonly files: string[];
  readonly tokens: string[];
  readonly given: (readonly [flag: string, value: string | null])[];
  /** What is no option of ADC's, and all that follows such a word and is none either. */
  readonly unknown: readonly string[];
}

/**
 * The Rust ADC's parser takes no option of one value twice, and no word that looks like an option for the
 * value of another.
 */
function ambiguousOption(
  words: readonly string[],
  { given, unknown }: Parsed,
): AdcArguments["ambiguous"] {
  const { flag: skipVerify } = ADC_SETTINGS.tlsSkipVerify;
  if (unknown.some((word) => word.startsWith(`${skipVerify}=`))) {
    const suggestion = "Use it without a value, or remove it to verify the server's certificate.";
    return { flag: skipVerify, found: "it takes no value", suggestion };
  }
  for (const [index, [flag, value]] of given.entries()) {
    if (given.some(([other], at) => other === flag && at > index)) {
      const found = "it is given twice, and not every ADC uses the last one";
      return { flag, found, suggestion: "Use it once." };
    }
    if (value === null || !/^-./s.test(value) || words.includes(`${flag}=${value}`)) continue;
    const found = 'the next word starts with "-", and not every ADC reads it as the value';
    return { flag, found, suggestion: `If it is the value, write ${flag}=VALUE.` };
  }
  return undefined;
}

/** It reports nothing, and lets unknown options pass: a newer ADC may have more of them. */
function parseWith(command: Command, words: readonly string[]): Parsed {
  command.exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments();
  for (const flags of OPTIONS) command.option(flags);
  const files: string[] = [];
  const tokens: string[] = [];
  command.on("option:file", (value: string) => files.push(value));
  command.on("option:token", (value: string) => tokens.push(value));
  const given: [string, string | null][] = [];
  for (const { flag } of Object.values(ADC_SETTINGS)) {
    command.on(`option:${flag.slice(2)}`, (value: string | null) => given.push([flag, value]));
  }
  try {
    const { unknown } = command.parseOptions([...words]);
    return { options: command.opts(), files, tokens, given, unknown };
  } catch (error) {
    if (codeOf(error) !== "commander.optionMissingArgument") throw error;
    const option = words.at(-1);
    throw new UsageError(`ADC's option "${option}" has no value: nothing follows it`, {
      suggestion: option === "--verbose"
        ? "It needs a level, such as 2. adc-run's own --verbose goes before the command."
        : "Give it a value, or remove it.",
      cause: error,
    });
  }
}

/**
 * Finds `--token VALUE` and `--token=VALUE` among the words.
 *
 * Commander does not tell where in argv an option stood, so each candidate is put to the test: its value
 * is replaced by a word that occurs nowhere else, and if that word comes out as a token, it is one.
 */
function tokenPlaces(
  words: readonly string[],
  parse: (words: readonly string[]) => Parsed,
): ReadonlySet<number> {
  const places = new Set<number>();
  let probe = "adc-run-probe";
  while (words.some((word) => word.includes(probe))) probe += "-";
  words.forEach((word, index) => {
    const inline = word.startsWith("--token=");
    if (!inline && word !== "--token") return;
    const at = inline ? index : index + 1;
    if (at >= words.length) return;
    try {
      const { tokens } = parse(words.with(at, inline ? `--token=${probe}` : probe));
      if (tokens.includes(probe)) places.add(index).add(at);
    } catch (error) {
      // Another word in the place of an option may leave the next one without a value.
      if (!(error instanceof UsageError)) throw error;
    }
  });
  return places;
}
