import { Command, CommanderError, Option } from "commander";
import { UsageError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { AdcArguments } from "./arguments.ts";
import { ADC_SETTINGS, type AdcFlags } from "./settings.ts";

const CONNECTION_OPTIONS: readonly string[] = Object.values(ADC_SETTINGS).map((
  { flag, kind },
) => kind === "boolean" ? flag : `${flag} <value>`);

/**
 * ADC's other options. They are declared because a parser that does not know which of them take a value
 * would read `-f --token` as the option `--token`.
 */
const OTHER_OPTIONS = [
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
] as const;

/**
 * A commander command that reads ADC's options, reports nothing, and lets unknown options pass: a newer
 * ADC may have more of them.
 */
function adcCommand(): Command {
  const command = new Command("adc")
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments();
  for (const flags of [...CONNECTION_OPTIONS, ...OTHER_OPTIONS]) {
    command.addOption(new Option(flags));
  }
  return command;
}

/** What ADC takes, before any command, for "say something and end"; the Rust ADC has `-V` instead of `-v`. */
const INFORMATION_OPTIONS: ReadonlySet<string> = new Set(["-v", "-V", "--version", "-h", "--help"]);

/**
 * Reads ADC's words.
 *
 * The parser is commander, as in ADC, so that a word which is another option's value (`-f --token`) is
 * not taken for an option, and every spelling that ADC accepts is accepted.
 */
export function parseAdcArguments(words: readonly string[]): AdcArguments {
  const command = words[0]?.startsWith("-") ? undefined : words[0];
  if (/^--verbose(=|$)/.test(words[0] ?? "")) {
    throw new UsageError(
      "Cannot use --verbose before ADC's command: not every ADC accepts it there",
      {
        suggestion: "Put it after the command.",
      },
    );
  }
  const parsed = parse(words);
  const { options, files, tokens } = parsed;
  const ambiguous = ambiguousOption(words, parsed);
  const places = tokenPlaces(words, tokens.length);
  const given = Object.keys(ADC_SETTINGS).filter((key) => key !== "token" && key in options);
  return {
    command,
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
    information: options.help === true ||
      (words[0] !== undefined && INFORMATION_OPTIONS.has(words[0])),
  };
}

interface Parsed {
  readonly options: Record<string, unknown>;
  readonly files: string[];
  readonly tokens: string[];
  /** The connection options in their order, with their values; a switch has none. */
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

function parse(words: readonly string[]): Parsed {
  const command = adcCommand();
  const files: string[] = [];
  const tokens: string[] = [];
  command.on("option:file", (value: string) => files.push(value));
  command.on("option:token", (value: string) => tokens.push(value));
  const given: [string, string | null][] = [];
  for (const { flag } of Object.values(ADC_SETTINGS)) {
    command.on(`option:${flag.slice(2)}`, (value: string | null) => given.push([flag, value]));
  }
  let unknown: readonly string[];
  try {
    ({ unknown } = command.parseOptions([...words]));
  } catch (error) {
    if (error instanceof CommanderError && error.code === "commander.optionMissingArgument") {
      const option = words.at(-1) ?? "";
      throw new UsageError(`ADC's option "${option}" has no value: nothing follows it`, {
        suggestion: option === "--verbose"
          ? "It needs a level, such as 2. adc-run's own --verbose goes before the command."
          : "Give it a value, or remove it.",
        cause: error,
      });
    }
    throw error;
  }
  return { options: command.opts(), files, tokens, given, unknown };
}

/**
 * Finds `--token VALUE` and `--token=VALUE` among the words.
 *
 * Commander does not tell where in argv an option stood, so each candidate is put to the test: its value
 * is replaced by a word that occurs nowhere else, and if that word comes out as a token, it is one.
 */
function tokenPlaces(words: readonly string[], count: number): ReadonlySet<number> {
  const places = new Set<number>();
  if (count === 0) return places;
  let probe = "adc-run-probe";
  while (words.some((word) => word.includes(probe))) probe += "-";
  words.forEach((word, index) => {
    const inline = word.startsWith("--token=");
    if (!inline && word !== "--token") return;
    const at = inline ? index : index + 1;
    if (at >= words.length) return;
    const probed = words.with(at, inline ? `--token=${probe}` : probe);
    if (hasToken(probed, probe)) places.add(index).add(at);
  });
  return places;
}

/**
 * Another word in the place of an option may leave the next one without a value; then it is no token's place.
 */
function hasToken(words: readonly string[], token: string): boolean {
  try {
    return parse(words).tokens.includes(token);
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}
