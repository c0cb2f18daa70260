import { parseArgs } from "node:util";
import { CONNECTION_FLAGS } from "../adc/connection_flags.ts";
import type { Environment } from "../context.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { SOURCES } from "../profiles/profile_settings.ts";
import { nearest } from "../system/nearest.ts";

/** What can stand for a value, as far as completion can tell. */
export type Values = readonly string[] | "files" | "profiles";

/** An option: parsing, help, the man page and completion are made from it. */
export interface OptionSpec {
  /** How it is written, as in `-p, --profile NAME[,NAME...]`. */
  readonly flags: string;
  /** What it does, in one sentence without a period. */
  readonly text: string;
  /** The variable that stands for it. */
  readonly variable?: string;
  /** What its value can be. */
  readonly values?: Values;
  /** Whether any other value is refused. */
  readonly closed?: true;
  /** Whether several values may stand there, with commas between them. */
  readonly list?: true;
  /** Whether it may be given several times. */
  readonly repeats?: true;
}

/** What is written in an option's flags. */
export interface OptionNames {
  readonly short: string | undefined;
  readonly long: string;
  /** The name of its value in the options that were read. */
  readonly key: string;
  /** Whether it starts with `--no-`. */
  readonly negated: boolean;
  readonly value: "required" | "inline" | undefined;
}

/** Reads an option's flags. */
export function namesOf({ flags }: Pick<OptionSpec, "flags">): OptionNames {
  const [, short, long = "", sign] = /^(?:(-\w), )?(--[a-z0-9-]+)(\[=| )?/.exec(flags) ?? [];
  const name = long.replace(/^--(no-)?/, "");
  return {
    short,
    long,
    key: name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    negated: long.startsWith("--no-"),
    value: sign === undefined ? undefined : sign === " " ? "required" : "inline",
  };
}

/** adc-run's own options. */
export interface GlobalOptions {
  /** `-p, --profile`: the named targets; `false` for `--no-profile`. */
  readonly profile?: readonly string[] | false;
  /** `--parallel`: how many targets at a time. */
  readonly parallel?: number;
  readonly keepGoing?: boolean;
  /** `--source`: the sources to ask, in this order. */
  readonly source?: readonly string[];
  readonly envFile?: string;
  readonly adc?: string;
  /** `--no-check` turns it off. */
  readonly check: boolean;
  /** `--no-mask` turns it off. */
  readonly mask: boolean;
  readonly failOnLeak?: boolean;
  readonly dryRun?: boolean;
  readonly ephemeral?: boolean;
  /** What follows `--ephemeral=`. */
  readonly ephemeralTtl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly version?: boolean;
  readonly help?: boolean;
  /** Which of the others came from variables: one that has no meaning for a command is ignored. */
  readonly ambient: ReadonlySet<string>;
}

/** One of adc-run's own options, which stand before the command. */
export interface GlobalOption extends OptionSpec {
  readonly kind: "switch" | "text" | "list" | "count" | "lifetime";
  /** What it is for: all commands, those that connect somewhere, or runs of ADC alone. */
  readonly scope: "all" | "connections" | "runs";
  /** Whether whoever uses the value asks for the variable himself. */
  readonly readElsewhere?: true;
}

export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  {
    flags: "-p, --profile NAME[,NAME...]",
    text: "the target to use; for a run also several, one after another",
    kind: "list",
    scope: "connections",
    variable: "ADC_RUN_PROFILE",
    readElsewhere: true,
    values: "profiles",
    list: true,
  },
  {
    flags: "--no-profile",
    text: "use no profile, not even the default one",
    kind: "switch",
    scope: "connections",
    variable: "ADC_RUN_NO_PROFILE",
  },
  {
    flags: "--parallel N",
    text: "with several profiles, run this many at once (default: 1)",
    kind: "count",
    scope: "runs",
    variable: "ADC_RUN_PARALLEL",
  },
  {
    flags: "--keep-going",
    text: "with several profiles, go on with the others when one fails",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_KEEP_GOING",
  },
  {
    flags: "--source LIST",
    text: "ask these sources for a token, in this order",
    kind: "list",
    scope: "connections",
    variable: "ADC_RUN_SOURCE",
    values: SOURCES,
    list: true,
  },
  {
    flags: "--env-file PATH",
    text: "read this file instead of .env",
    kind: "text",
    scope: "connections",
    variable: "ADC_RUN_ENV_FILE",
    values: "files",
  },
  {
    // A value without an equals sign would be the command behind it.
    flags: "--ephemeral[=TTL]",
    text: "make a token for this run alone (1h), and revoke it on every way out",
    kind: "lifetime",
    scope: "runs",
    variable: "ADC_RUN_EPHEMERAL",
  },
  {
    flags: "--adc PATH",
    text: "the ADC to run",
    kind: "text",
    scope: "runs",
    variable: "ADC_RUN_ADC",
    readElsewhere: true,
    values: "files",
  },
  {
    flags: "--no-check",
    text: "skip the test call",
    kind: "switch",
    scope: "connections",
    variable: "ADC_RUN_CHECK",
  },
  {
    flags: "--no-mask",
    text: "let the output through untouched",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_MASK",
  },
  {
    flags: "--fail-on-leak",
    text: "exit with 65 when ADC exits with 0 but printed a secret",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_FAIL_ON_LEAK",
  },
  {
    flags: "--dry-run",
    text: "resolve and check, show what would run, run nothing",
    kind: "switch",
    scope: "runs",
    variable: "ADC_RUN_DRY_RUN",
  },
  {
    flags: "--json",
    text:
      "report as one JSON object: of a run or a failure on standard error, else on standard output",
    kind: "switch",
    scope: "all",
    variable: "ADC_RUN_JSON",
  },
  {
    flags: "-q, --quiet",
    text: "say nothing unless it fails",
    kind: "switch",
    scope: "all",
    variable: "ADC_RUN_QUIET",
  },
  { flags: "-V, --version", text: "show the version", kind: "switch", scope: "all" },
  {
    flags: "-h, --help",
    text: "show the help, or that of the command",
    kind: "switch",
    scope: "all",
  },
];

/** The command line, taken apart. */
export interface CommandLine {
  /** adc-run's own options. */
  readonly options: GlobalOptions;
  /** The command and all that follows it. */
  readonly words: readonly string[];
  /** Whether `--` stands before the words, which are then ADC's whatever they are. */
  readonly verbatim: boolean;
}

/** Values by the names that the options have in {@linkcode GlobalOptions}. */
type GivenOptions = Record<string, unknown>;

/**
 * Reads adc-run's own options, up to the first word that is none.
 *
 * The parser is the system's: commander, which reads ADC's words and those of own commands, takes longer to
 * load than a run of another program spends on anything else.
 */
export function readCommandLine(args: readonly string[], env: Environment = {}): CommandLine {
  const names = GLOBAL_OPTIONS.map(namesOf);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(names.map(({ short, long, value }) => [long.slice(2), {
      type: value === "required" ? "string" : "boolean",
      ...(short !== undefined && { short: short[1]! }),
    }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: GivenOptions = {};
  let end = args.length;
  let verbatim = false;
  for (const token of tokens) {
    if (token.kind !== "option") {
      verbatim = token.kind === "option-terminator";
      end = token.index + (verbatim ? 1 : 0);
      break;
    }
    noteOption(given, token, args[token.index]!);
  }
  return { options: withVariables(given, env), words: args.slice(end), verbatim };
}

/** What the parser says of an option. */
interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function noteOption(given: GivenOptions, token: OptionToken, word: string): void {
  const { name, rawName, value } = token;
  const option = GLOBAL_OPTIONS.find((each) => namesOf(each).long === `--${name}`);
  if (option === undefined) {
    // Of several letters in one word, the one that is meant.
    throw unknownOption(word.startsWith(rawName) ? word : rawName, { options: GLOBAL_OPTIONS });
  }
  const { key, long, negated, value: takes } = namesOf(option);
  if (takes === undefined && value !== undefined) {
    throw new UsageError(`Cannot use ${rawName} with a value: it takes none`);
  }
  if (takes === "required" && (value === undefined || value === "--")) {
    throw new UsageError(`Option "${long}" has no value`);
  }
  const before = given[key];
  if (key === "profile" && before !== undefined && (before === false) !== negated) {
    throw new UsageError("Cannot use --profile with --no-profile");
  }
  if (value === undefined) given[key] = !negated;
  else if (option.kind === "list") given[key] = onlyList(long, value, before);
  else if (option.kind === "count") given[key] = readCount(value);
  else given[option.kind === "lifetime" ? `${key}Ttl` : key] = value;
}

/** What was not given on the command line is taken from the variables. */
function withVariables(given: GivenOptions, env: Environment): GlobalOptions {
  const variables = readVariables(env);
  for (const keys of GLOBAL_OPTIONS.map(keysOf)) {
    if (!keys.some((key) => key in given)) continue;
    for (const key of keys) delete variables[key];
  }
  const ambient = new Set(Object.keys(variables));
  return { check: true, mask: true, ...given, ...variables, ambient } as GlobalOptions;
}

/** The names that an option's values have in {@linkcode GlobalOptions}. */
function keysOf(option: Pick<GlobalOption, "flags" | "kind">): readonly string[] {
  const { key } = namesOf(option);
  return option.kind === "lifetime" ? [key, `${key}Ttl`] : [key];
}

/** Takes a list apart. */
export function splitList(value: string): string[] {
  return value.split(",").map((each) => each.trim()).filter((each) => each !== "");
}

/** Takes the one list of an option apart, which a second one would replace without a word. */
export function onlyList(name: string, value: string, before: unknown): string[] {
  if (!Array.isArray(before)) return splitList(value);
  throw new UsageError(`Cannot use ${name} twice`, {
    suggestion: "Write all names in one, apart by commas.",
  });
}

function readCount(text: string): number {
  const count = countOf(text);
  if (count !== undefined) return count;
  throw new UsageError(`Cannot use --parallel "${text}": it is no whole number from 1 to 1000`);
}

/** A whole number from 1 to 1,000, or `undefined` where a text is none. */
function countOf(text: string): number | undefined {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 1000 ? count : undefined;
}

/** Reads the variables; an empty one counts as unset. A `.env` file is not asked. */
function readVariables(env: Environment): GivenOptions {
  const options: GivenOptions = {};
  for (const option of GLOBAL_OPTIONS) {
    const { variable, kind, readElsewhere } = option;
    const text = variable === undefined || readElsewhere ? undefined : env[variable];
    if (variable === undefined || !text) continue;
    const { key } = namesOf(option);
    const answer = yesOrNo(text);
    if (kind === "text") options[key] = text;
    else if (kind === "list") options[key] = splitList(text);
    else if (kind === "count") {
      options[key] = countOf(text);
      if (options[key] === undefined) {
        throw wrongVariable(variable, "a whole number from 1 to 1000");
      }
    } else if (kind === "lifetime") {
      options[answer === undefined ? `${key}Ttl` : key] = answer ?? text;
    } else {
      if (answer === undefined) throw wrongVariable(variable, "true or false");
      if (key !== "profile") options[key] = answer;
      // A child of a run for several targets has its own target's name, which counts.
      else if (answer && !env.ADC_RUN_PROFILE) options[key] = false;
    }
  }
  return options;
}

function yesOrNo(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/i.test(text.trim())) return true;
  return /^(0|false|no|off)$/i.test(text.trim()) ? false : undefined;
}

/** Without the value: people put tokens into the wrong variable. */
function wrongVariable(variable: string, wanted: string): ConnectionError {
  return new ConnectionError(`Cannot use ${variable}: its value is not ${wanted}`, EXIT.config);
}

/** What a command has no use for. */
interface UnusedOptions {
  /** The command. */
  readonly name: string;
  readonly scopes: readonly GlobalOption["scope"][];
  /** The options, by their long names, that it takes all the same. */
  readonly taken: readonly string[];
  /** Whether it changes nothing, so that a dry run has nothing to hold it back from. */
  readonly readOnly: boolean;
  /** Why they are refused, to follow a colon. */
  readonly because: string;
}

/**
 * Refuses options that have no meaning for a command. A variable is there for all commands, and is ignored.
 */
export function rejectUnusedOptions(options: GlobalOptions, unused: UnusedOptions): void {
  const { name, scopes, taken, readOnly, because } = unused;
  for (const option of GLOBAL_OPTIONS.filter(({ scope }) => scopes.includes(scope))) {
    const { long } = namesOf(option);
    if (taken.includes(long)) continue;
    for (const key of keysOf(option) as readonly (keyof GlobalOptions)[]) {
      // These two are always there, and are written to turn them off.
      const isGiven = key === "check" || key === "mask"
        ? !options[key]
        : options[key] !== undefined;
      if (!isGiven) continue;
      if (key === "dryRun" && !readOnly) requireNoDryRun(options, name);
      if (options.ambient.has(key)) continue;
      throw new UsageError(`Cannot use ${long} with "adc-run ${name}": ${because}`);
    }
  }
}

/** Refuses to do something where a variable says that nothing is to be done: that is not to be ignored. */
export function requireNoDryRun(
  { dryRun, ambient }: Pick<GlobalOptions, "dryRun" | "ambient">,
  name: string,
): void {
  if (!dryRun || !ambient.has("dryRun")) return;
  throw new ConnectionError(
    `Cannot use ADC_RUN_DRY_RUN with "adc-run ${name}": it would be done all the same`,
    EXIT.config,
    { suggestion: "Unset it for this command." },
  );
}

/**
 * The error for an option that is not there. The word may hold a secret behind its `=`, so only its name is
 * shown.
 */
export function unknownOption(
  word: string,
  { command, options }: {
    readonly command?: string;
    readonly options: readonly OptionSpec[];
  },
): UsageError {
  const names = options.map(namesOf).flatMap(({ short, long }) => short ? [short, long] : [long]);
  const [written = ""] = word.split("=");
  // A value can follow a short option without a space, and a long one where the equals sign was left out.
  const name = /^(-[a-zA-Z]|--[a-z]+(-[a-z]+)*)$/.test(written)
    ? written
    : `${written.slice(0, 2)}…`;
  // Own commands take ADC's flags themselves, or have no use for them.
  const adcs = command === undefined ? CONNECTION_FLAGS.map((each) => namesOf(each).long) : [];
  const meant = nearestOption(written, names) ?? nearestOption(written, adcs);
  const found = `There is no option "${name}" here`;
  return new UsageError(
    meant === undefined || meant === name ? found : `${found}: did you mean "${meant}"?`,
    {
      suggestion: meant !== undefined && adcs.includes(meant)
        ? `It is ADC's: write it behind the command, as in "adc-run sync ${meant} …".`
        : `See "adc-run ${command === undefined ? "" : `${command} `}--help".`,
    },
  );
}

/** Any letter is near any other: of a short option only capitals and small letters are confused. */
function nearestOption(word: string, names: readonly string[]): string | undefined {
  if (word.startsWith("--")) {
    const long = names.filter((name) => name.startsWith("--")).map((name) => name.slice(2));
    return nearest(word.slice(2), long)?.replace(/^/, "--");
  }
  return names.find((name) => name.length === 2 && name.toLowerCase() === word.toLowerCase());
}
