import { Command, CommanderError, Option } from "commander";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { onlyList } from "./options.ts";
import type { GlobalOptions } from "./options.ts";
import { unknownOption } from "./unknown.ts";

/** A command that reports by throwing and prints nothing. */
export function quietCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .allowExcessArguments();
}

function listOption(flags: string): Option {
  const option = new Option(flags);
  return option.argParser((value, before: unknown) => onlyList(option.long!, value, before));
}

/** Options that own commands take behind their name as well, where people expect them. */
export function addSharedOptions(command: Command): Command {
  return command
    .addOption(listOption("-p, --profile <names>"))
    .option("--no-profile")
    .addOption(listOption("--source <list>"))
    .option("--env-file <path>")
    .option("--no-check")
    .option("--json")
    .option("-q, --quiet")
    .option("-h, --help");
}

/** Reads options, and refuses what is none. */
export function parseStrictly(command: Command, args: readonly string[]): readonly string[] {
  try {
    const { operands, unknown } = command.parseOptions([...args]);
    const [stray] = unknown;
    if (stray !== undefined) {
      const names = command.options.flatMap(({ short, long }) => [short, long]);
      throw unknownOption(stray, {
        command: command.name(),
        names: names.filter((name) => name !== undefined),
      });
    }
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

/** Options that are for runs of ADC alone, by their names on the command line. */
export const FOR_RUNS = {
  dryRun: "--dry-run",
  adc: "--adc",
  failOnLeak: "--fail-on-leak",
  ephemeral: "--ephemeral",
  ephemeralTtl: "--ephemeral",
  mask: "--no-mask",
  parallel: "--parallel",
  keepGoing: "--keep-going",
} as const satisfies OptionNames;

/** Options that mean nothing where nothing is connected to or run. */
export const FOR_CONNECTIONS = {
  profile: "--profile",
  source: "--source",
  envFile: "--env-file",
  check: "--no-check",
  ...FOR_RUNS,
} as const satisfies OptionNames;

/** Commands that change nothing, whatever a variable says. */
const ONLY_READ = [
  "api",
  "auth list",
  "auth status",
  "auth token",
  "complete",
  "completion",
  "doctor",
  "profile list",
  "profile schema",
  "profile show",
];

/**
 * Refuses to do something where a variable says that nothing is to be done: that is not one to be ignored.
 */
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

/** Options, and how they are written on the command line. */
type OptionNames = { readonly [Name in keyof GlobalOptions]?: string };

/** What a command has no use for. */
interface UnusedOptions {
  readonly name: string;
  readonly refused: OptionNames;
  /** Those that it takes all the same. */
  readonly taken: readonly (keyof GlobalOptions)[];
  /** Why they are refused, to follow a colon. */
  readonly because: string;
}

/**
 * Refuses options that have no meaning for a command. A variable is there for all commands, and is passed
 * over.
 */
export function refuseOptions(
  options: GlobalOptions,
  { name, refused, taken, because }: UnusedOptions,
): void {
  for (const [key, written] of Object.entries(refused)) {
    const option = key as keyof GlobalOptions;
    // These two are always there, and are written to turn them off.
    const said = option === "check" || option === "mask"
      ? !options[option]
      : options[option] !== undefined;
    if (!said || taken.includes(option)) continue;
    if (option === "dryRun" && !ONLY_READ.includes(name)) requireNoDryRun(options, name);
    if (options.ambient.has(option)) continue;
    throw new UsageError(`Cannot use ${written} with "adc-run ${name}": ${because}`);
  }
}
