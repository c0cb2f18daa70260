import { parseArgs } from "node:util";
import type { Environment } from "../context.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { unknownOption } from "./unknown.ts";

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
  /**
   * Which of the others came from variables: one that has no meaning for a command is ignored.
   */
  readonly ambient: ReadonlySet<string>;
}

/** The command line, taken apart. */
export interface CommandLine {
  /** adc-run's own options. */
  readonly options: GlobalOptions;
  /** The command and all that follows it. */
  readonly words: readonly string[];
  /** Whether `--` stands before the words, which are then ADC's whatever they are. */
  readonly verbatim: boolean;
}

/** What was said on the command line, and no more. */
type Said = { -readonly [Name in keyof GlobalOptions]?: GlobalOptions[Name] };

/** One of adc-run's own options. */
interface OwnOption {
  /** Its letter, if it has one. */
  readonly short?: string;
  /** Whether a value follows, or may follow an equals sign; else there is none. */
  readonly value?: "required" | "inline";
  /** Notes what it says. */
  readonly note: (said: Said, value: string | undefined) => void;
}

const OPTIONS: Readonly<Record<string, OwnOption>> = {
  profile: {
    short: "p",
    value: "required",
    note: (said, value = "") => {
      if (said.profile === false) throw contradiction();
      said.profile = onlyList("--profile", value, said.profile);
    },
  },
  "no-profile": {
    note: (said) => {
      if (said.profile) throw contradiction();
      said.profile = false;
    },
  },
  source: {
    value: "required",
    note: (said, value = "") => said.source = onlyList("--source", value, said.source),
  },
  "env-file": { value: "required", note: (said, value = "") => said.envFile = value },
  "no-check": { note: (said) => said.check = false },
  json: { note: (said) => said.json = true },
  quiet: { short: "q", note: (said) => said.quiet = true },
  help: { short: "h", note: (said) => said.help = true },
  adc: { value: "required", note: (said, value = "") => said.adc = value },
  "no-mask": { note: (said) => said.mask = false },
  "fail-on-leak": { note: (said) => said.failOnLeak = true },
  "dry-run": { note: (said) => said.dryRun = true },
  parallel: { value: "required", note: (said, value = "") => said.parallel = readCount(value) },
  "keep-going": { note: (said) => said.keepGoing = true },
  // A value without an equals sign would be the command behind it.
  ephemeral: {
    value: "inline",
    note: (said, value) => {
      if (value === undefined) said.ephemeral = true;
      else said.ephemeralTtl = value;
    },
  },
  version: { short: "V", note: (said) => said.version = true },
};

/**
 * Reads adc-run's own options, up to the first word that is none.
 *
 * The parser is the system's: commander, which reads ADC's words and those of own commands, takes longer to
 * load than a run of another program spends on anything else.
 */
export function readCommandLine(args: readonly string[], env: Environment = {}): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(OPTIONS).map(([name, { short, value }]) => [name, {
        type: value === "required" ? "string" as const : "boolean" as const,
        ...(short !== undefined && { short }),
      }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const said: Said = {};
  let end = args.length;
  let verbatim = false;
  for (const token of tokens) {
    if (token.kind !== "option") {
      verbatim = token.kind === "option-terminator";
      end = token.index + (verbatim ? 1 : 0);
      break;
    }
    noteOption(said, token, args[token.index]!);
  }
  return { options: withVariables(said, env), words: args.slice(end), verbatim };
}

/** What the parser says of an option. */
interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function noteOption(said: Said, { name, rawName, value }: OptionToken, word: string): void {
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (option !== undefined && option.value === undefined && value !== undefined) {
    throw new UsageError(`Cannot use ${rawName} with a value: it takes none`);
  }
  if (option === undefined) {
    // Of several letters in one word, the one that is meant.
    throw unknownOption(word.startsWith(rawName) ? word : rawName, { names: optionNames() });
  }
  if (option.value === "required" && (value === undefined || value === "--")) {
    throw new UsageError(`Option "--${name}" has no value`);
  }
  option.note(said, value);
}

function contradiction(): UsageError {
  return new UsageError("Cannot use --profile with --no-profile");
}

function optionNames(): readonly string[] {
  return Object.entries(OPTIONS).flatMap(([name, { short }]) =>
    short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]
  );
}

/** What was not said on the command line is taken from the variables. */
function withVariables(said: Said, env: Environment): GlobalOptions {
  const isSaid = (name: string) =>
    name in said || (isEphemeral(name) && Object.keys(said).some(isEphemeral));
  const ambient = Object.fromEntries(
    Object.entries(readVariables(env)).filter(([name]) => !isSaid(name)),
  );
  return { check: true, mask: true, ...said, ...ambient, ambient: new Set(Object.keys(ambient)) };
}

function isEphemeral(name: string): boolean {
  return name.startsWith("ephemeral");
}

function readCount(text: string): number {
  const count = countOf(text);
  if (count !== undefined) return count;
  throw new UsageError(`Cannot use --parallel "${text}": it is no whole number from 1 to 1000`);
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

/** A whole number from 1 to 1,000, or `undefined` where a text is none. */
function countOf(text: string): number | undefined {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 1000 ? count : undefined;
}

/** Variables that say yes or no, and the option that each stands for. */
const SWITCHES = {
  ADC_RUN_CHECK: "check",
  ADC_RUN_MASK: "mask",
  ADC_RUN_FAIL_ON_LEAK: "failOnLeak",
  ADC_RUN_DRY_RUN: "dryRun",
  ADC_RUN_KEEP_GOING: "keepGoing",
  ADC_RUN_JSON: "json",
  ADC_RUN_QUIET: "quiet",
} as const;

/**
 * Every variable that stands for an option; `ADC_RUN_ADC` and `ADC_RUN_PROFILE` are read where they are used.
 */
export const OPTION_VARIABLES: readonly string[] = [
  ...Object.keys(SWITCHES),
  "ADC_RUN_NO_PROFILE",
  "ADC_RUN_SOURCE",
  "ADC_RUN_ENV_FILE",
  "ADC_RUN_EPHEMERAL",
  "ADC_RUN_PARALLEL",
];

/** Reads the variables; an empty one counts as unset. A `.env` file is not asked. */
function readVariables(env: Environment): Partial<GlobalOptions> {
  const options: Record<string, unknown> = {};
  for (const [variable, option] of Object.entries(SWITCHES)) {
    const value = readSwitch(variable, env);
    if (value !== undefined) options[option] = value;
  }
  // A child of a run for several targets has its own target's name, which counts.
  const none = readSwitch("ADC_RUN_NO_PROFILE", env);
  if (none && !env.ADC_RUN_PROFILE) options.profile = false;
  const { ADC_RUN_SOURCE: source, ADC_RUN_ENV_FILE: envFile } = env;
  const { ADC_RUN_EPHEMERAL: ephemeral, ADC_RUN_PARALLEL: parallel } = env;
  if (source) options.source = splitList(source);
  if (envFile) options.envFile = envFile;
  if (ephemeral) {
    const value = yesOrNo(ephemeral);
    if (value === undefined) options.ephemeralTtl = ephemeral;
    else options.ephemeral = value;
  }
  if (parallel) {
    const count = countOf(parallel);
    if (count === undefined) throw wrong("ADC_RUN_PARALLEL", "a whole number from 1 to 1000");
    options.parallel = count;
  }
  return options;
}

function readSwitch(variable: string, env: Environment): boolean | undefined {
  const text = env[variable];
  if (!text) return undefined;
  const value = yesOrNo(text);
  if (value === undefined) throw wrong(variable, "true or false");
  return value;
}

function yesOrNo(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/i.test(text.trim())) return true;
  return /^(0|false|no|off)$/i.test(text.trim()) ? false : undefined;
}

/** Without the value: people put tokens into the wrong variable. */
function wrong(variable: string, wanted: string): ConnectionError {
  return new ConnectionError(`Cannot use ${variable}: its value is not ${wanted}`, EXIT.config);
}
