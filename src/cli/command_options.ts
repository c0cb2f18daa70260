import { Command, CommanderError, Option } from "commander";
import { UsageError } from "../errors.ts";
import { onlyList } from "./option_values.ts";
import { unknownOption } from "./unknown_option.ts";

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
