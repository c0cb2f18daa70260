/**
 * adc-run's own options, which stand before the command.
 *
 * @module
 */

import { Command, CommanderError, Option } from "commander";
import { CONNECTION_OPTIONS } from "../connection/adc_options.ts";
import { UsageError } from "../errors.ts";

/** adc-run's own options. */
export interface GlobalOptions {
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

const splitList = (value: string): string[] =>
  value.split(",").map((each) => each.trim()).filter((each) => each !== "");

/** Options that own commands take behind their name as well, where people expect them. */
export function addSharedOptions(command: Command): Command {
  return command
    .addOption(new Option("--source <list>").argParser(splitList))
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
 * @returns The options, and the words from the command on.
 * @throws {UsageError} There is no such option, or it has no value.
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const command = addSharedOptions(quietCommand("adc-run"))
    .passThroughOptions()
    .option("--adc <path>")
    .option("--no-mask")
    .option("--fail-on-leak")
    .option("--dry-run")
    .option("--ephemeral")
    .option("--ephemeral-ttl <ttl>")
    .option("-V, --version");
  // An optional value would swallow the command behind it: it counts only with an equals sign.
  const plain = args.map((word) => word.replace(/^--ephemeral=/, "--ephemeral-ttl="));
  const { length } = parseStrictly(command, plain);
  const words = args.slice(args.length - length);
  const options = command.opts<GlobalOptions>();
  if (options.failOnLeak && !options.mask) {
    throw new UsageError("Cannot use --fail-on-leak with --no-mask: the mask is what finds a leak");
  }
  const before = args[args.length - words.length - 1];
  return { options, words, verbatim: before === "--" };
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
    if (stray !== undefined) throw unknownOption(stray);
    for (const [name, value] of Object.entries(command.opts())) {
      if (value === "--") throw new UsageError(`Option "${name}" has no value`);
    }
    return operands;
  } catch (error) {
    if (error instanceof CommanderError) {
      const [, option = "an option"] = /option '([^' ]+)/.exec(error.message) ?? [];
      throw new UsageError(`Option "${option}" has no value`, { cause: error });
    }
    throw error;
  }
}

/** The word may hold a secret behind its `=`, so only its name is shown. */
function unknownOption(word: string): UsageError {
  const [written] = word.split("=");
  // A value can follow a short option without a space, and a long one where the equals sign was left out.
  const name =
    /^--?[a-z]+(-[a-z]+)*$/.test(written!) && (written!.startsWith("--") || written!.length === 2)
      ? written!
      : `${written!.slice(0, 2)}…`;
  const adcs = CONNECTION_OPTIONS.some((flags) => flags.split(" ")[0] === name);
  return new UsageError(`There is no option "${name}" here`, {
    suggestion: adcs
      ? `It is ADC's: write it behind the command, as in "adc-run sync ${name} …".`
      : 'See "adc-run --help".',
  });
}
