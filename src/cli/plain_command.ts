import { Option } from "commander";
import { UsageError } from "../errors.ts";
import type { Io } from "./io.ts";
import { parseStrictly, quietCommand } from "./command_options.ts";
import type { GlobalOptions } from "./options.ts";
import type { OwnCall } from "./own_command.ts";
import { FOR_CONNECTIONS, refuseOptions } from "./refuse_options.ts";
import { createReporter } from "./report.ts";
import type { Reporter } from "./report.ts";

/** What a command that connects to nothing takes. */
export interface PlainCommandSyntax {
  readonly name: string;
  /** The options that it alone has, in commander's spelling. */
  readonly options: readonly string[];
  /**
   * Which of adc-run's own options before the command have a meaning here; all others are refused.
   */
  readonly takes?: readonly "dryRun"[];
  /** How many words may follow that are no options, and what they are. */
  readonly operands?: { readonly least?: number; readonly most?: number; readonly what: string };
}

/** The line of a command that connects to nothing, taken apart. */
export interface PlainCommand<T> {
  /** The command's own options, and `--json` and `--quiet` from before and behind its name. */
  readonly options: Pick<GlobalOptions, "json" | "quiet"> & T;
  /** Prints for this command. */
  readonly reporter: Reporter;
  readonly operands: readonly string[];
}

/** Reads the words of a command that connects to nothing. */
export function readPlainCommand<T extends object>(
  call: OwnCall,
  io: Io,
  syntax: PlainCommandSyntax,
): PlainCommand<T> {
  refuseOptions(call.options, {
    name: syntax.name,
    refused: FOR_CONNECTIONS,
    taken: syntax.takes ?? [],
    because: "it means nothing there",
  });
  const command = quietCommand(syntax.name)
    .option("--json")
    .option("-q, --quiet")
    .option("-h, --help");
  for (const flags of syntax.options) command.addOption(new Option(flags));
  const operands = parseStrictly(command, call.words);
  requireOperands(operands, syntax);
  const behind = command.opts<Pick<GlobalOptions, "json" | "quiet"> & T>();
  const { json, quiet, dryRun } = call.options;
  const options = {
    ...(json !== undefined && { json }),
    ...(quiet !== undefined && { quiet }),
    ...(syntax.takes?.includes("dryRun") && dryRun !== undefined && { dryRun }),
    ...behind,
  };
  return { options, reporter: createReporter(io, options), operands };
}

function requireOperands(
  operands: readonly string[],
  { name, ...syntax }: PlainCommandSyntax,
): void {
  const { least = 0, most = Infinity, what } = syntax.operands ?? { most: 0, what: "" };
  const suggestion = `See "adc-run ${name} --help".`;
  if (operands.length < least) {
    throw new UsageError(`"adc-run ${name}" needs ${what}: found none`, { suggestion });
  }
  // The word itself is not shown: it may be a secret that strayed.
  if (operands.length > most) {
    const takes = most === 0 ? "takes options only" : `takes ${what} only`;
    throw new UsageError(`"adc-run ${name}" ${takes}: found another word`, { suggestion });
  }
}
