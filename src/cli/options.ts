import { parseArgs } from "node:util";
import type { Environment } from "../connection/origin.ts";
import { UsageError } from "../errors.ts";
import { countOf, onlyList } from "./option_values.ts";
import { readVariables } from "./option_variables.ts";
import { unknownOption } from "./unknown_option.ts";

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
   * Which of the others came from variables: one that has no meaning for a command is passed over.
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
