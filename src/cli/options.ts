/**
 * adc-run's own options, which stand before the command.
 *
 * @module
 */

import { Command, CommanderError, Option } from "commander";
import type { Environment } from "../connection/origin.ts";
import { UsageError } from "../errors.ts";
import { countOf, splitList } from "./option_values.ts";
import { readVariables } from "./option_variables.ts";
import { unknownOption } from "./unknown_option.ts";

/** adc-run's own options. */
export interface GlobalOptions {
  /** `-p, --profile`: the named targets; `false` for `--no-profile`. */
  readonly profile?: readonly string[] | false;
  /** `--parallel`: how many targets at a time. */
  readonly parallel?: number;
  /** `--keep-going`. */
  readonly keepGoing?: boolean;
  /** `--source`: the sources to ask, in this order. */
  readonly source?: readonly string[];
  /** `--env-file`. */
  readonly envFile?: string;
  /** `--adc`. */
  readonly adc?: string;
  /** `--no-check` turns it off. */
  readonly check: boolean;
  /** `--no-mask` turns it off. */
  readonly mask: boolean;
  /** `--fail-on-leak`. */
  readonly failOnLeak?: boolean;
  /** `--dry-run`. */
  readonly dryRun?: boolean;
  /** `--ephemeral`. */
  readonly ephemeral?: boolean;
  /** What follows `--ephemeral=`. */
  readonly ephemeralTtl?: string;
  /** `--json`. */
  readonly json?: boolean;
  /** `-q, --quiet`. */
  readonly quiet?: boolean;
  /** `-V, --version`. */
  readonly version?: boolean;
  /** `-h, --help`. */
  readonly help?: boolean;
  /** Which of the others came from variables: one that has no meaning for a command is passed over. */
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

/** A command that reports by throwing and prints nothing. */
export function quietCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .allowExcessArguments();
}

/** Takes a list apart, which a second one would replace without a word. */
function onlyList(name: string): (value: string, before: unknown) => string[] {
  return (value, before) => {
    if (!Array.isArray(before)) return splitList(value);
    throw new UsageError(`Cannot use ${name} twice`, {
      suggestion: "Write all names in one, apart by commas.",
    });
  };
}

/** Options that own commands take behind their name as well, where people expect them. */
export function addSharedOptions(command: Command): Command {
  return command
    .addOption(new Option("-p, --profile <names>").argParser(onlyList("--profile")))
    .option("--no-profile")
    .addOption(new Option("--source <list>").argParser(onlyList("--source")))
    .option("--env-file <path>")
    .option("--no-check")
    .option("--json")
    .option("-q, --quiet")
    .option("-h, --help");
}

/**
 * Reads adc-run's own options, up to the first word that is none.
 *
 * @param args The command line without the program's name.
 * @param env The environment, which has a variable for each option.
 * @returns The options, and the words from the command on.
 * @throws {UsageError} There is no such option, or it has no value.
 * @throws {ConnectionError} A variable cannot be used.
 */
export function readCommandLine(args: readonly string[], env: Environment = {}): CommandLine {
  const command = addSharedOptions(quietCommand("adc-run"))
    .passThroughOptions()
    .option("--adc <path>")
    .option("--no-mask")
    .option("--fail-on-leak")
    .option("--dry-run")
    .option("--parallel <number>")
    .option("--keep-going")
    .option("--ephemeral")
    .option("--ephemeral-ttl <ttl>")
    .option("-V, --version");
  // An optional value would swallow the command behind it: it counts only with an equals sign.
  const plain = args.map((word) => word.replace(/^--ephemeral=/, "--ephemeral-ttl="));
  const { length } = parseStrictly(command, plain);
  const words = args.slice(args.length - length);
  const options = withVariables(command, env);
  if (options.failOnLeak && !options.mask) {
    throw new UsageError("Cannot use --fail-on-leak with --no-mask: the mask is what finds a leak");
  }
  const before = args[args.length - words.length - 1];
  return { options, words, verbatim: before === "--" };
}

/** What was not said on the command line is taken from the variables. */
function withVariables(command: Command, env: Environment): GlobalOptions {
  const { parallel, profile, ...given } = command.opts<
    Omit<GlobalOptions, "parallel"> & {
      parallel?: string;
    }
  >();
  // Commander has `true` there for "not said", because of --no-profile.
  const said = Object.keys(command.opts()).filter((name) =>
    command.getOptionValueSource(name) === "cli"
  );
  const ambient = Object.fromEntries(
    Object.entries(readVariables(env)).filter(([name]) =>
      !said.includes(name) && !(name.startsWith("ephemeral") && said.some(isEphemeral))
    ),
  );
  return {
    ...given,
    ...(Array.isArray(profile) || profile === false ? { profile } : {}),
    ...(parallel !== undefined && { parallel: readCount(parallel, "--parallel") }),
    ...ambient,
    ambient: new Set(Object.keys(ambient)),
  };
}

function isEphemeral(name: string): boolean {
  return name.startsWith("ephemeral");
}

function readCount(text: string, name: string): number {
  const count = countOf(text);
  if (count !== undefined) return count;
  throw new UsageError(`Cannot use ${name} "${text}": it is no whole number from 1 to 1000`);
}

/**
 * Reads options, and refuses what is none.
 *
 * @param command The options.
 * @param args The words.
 * @returns The words that are no options.
 * @throws {UsageError} There is no such option, or it has no value.
 */
export function parseStrictly(command: Command, args: readonly string[]): readonly string[] {
  try {
    const { operands, unknown } = command.parseOptions([...args]);
    const [stray] = unknown;
    if (stray !== undefined) throw unknownOption(stray, command);
    for (const option of command.options) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if ([value].flat().includes("--")) {
        throw new UsageError(`Option "${option.long}" has no value`);
      }
    }
    return operands;
  } catch (error) {
    if (error instanceof CommanderError) {
      const [, option = "an option"] = /option '(?:-\w, )?([^' ]+)/.exec(error.message) ?? [];
      throw new UsageError(`Option "${option}" has no value`, { cause: error });
    }
    throw error;
  }
}
