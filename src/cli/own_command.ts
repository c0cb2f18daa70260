import { Option } from "commander";
import type { Command } from "commander";
import { CONNECTION_OPTIONS } from "../adc/parse_arguments.ts";
import { resolveConnection } from "../connection/connection.ts";
import type { Connection } from "../connection/connection.ts";
import { UsageError } from "../errors.ts";
import type { TokenSource } from "../token/source.ts";
import {
  addSharedOptions,
  FOR_CONNECTIONS,
  FOR_RUNS,
  parseStrictly,
  quietCommand,
  refuseOptions,
} from "./command_options.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";
import { createReporter } from "./output/report.ts";
import type { Reporter } from "./output/report.ts";
import { namedEnvFile, oneProfile, sourcesOf } from "./settings.ts";

/** An own command's line, taken apart. */
export interface OwnCommand<T> {
  /** adc-run's own options, from before and behind the command's name. */
  readonly options: GlobalOptions & T;
  /** Where and how to connect. */
  readonly connection: Connection;
  /** The sources that the options name. */
  readonly sources: readonly TokenSource[];
  /** Prints for this command. */
  readonly reporter: Reporter;
  readonly operands: readonly string[];
}

/** An option that most own commands have, and not all. */
type SharedOption = "--source" | "--no-check" | "--token";

/** What an own command takes. */
interface OwnCommandSyntax {
  readonly name: string;
  /** The options that it alone has, in commander's spelling. */
  readonly options: readonly string[];
  /**
   * Which of the shared options have a meaning here: others are refused, instead of ignored.
   */
  readonly uses: readonly SharedOption[];
  /** Whether words follow that are no options. */
  readonly operands?: boolean;
  /**
   * The backend where none is set: a command that only API7 Enterprise has needs no flag to say so.
   */
  readonly backend?: "api7ee";
  /** Asks for the server where none is set. */
  readonly askServer?: (options: GlobalOptions) => Promise<string | undefined>;
}

/** What an own command was called with. */
export interface OwnCall {
  /** The words behind the command's name. */
  readonly words: readonly string[];
  /** adc-run's own options before it. */
  readonly options: GlobalOptions;
}

/** Reads an own command's words. */
export async function readOwnCommand<T extends object>(
  call: OwnCall,
  io: Io,
  own: OwnCommandSyntax,
): Promise<OwnCommand<T>> {
  requireApplicable(call.options, own.name);
  const command = addSharedOptions(quietCommand(own.name));
  for (const flags of [...CONNECTION_OPTIONS, ...own.options]) {
    command.addOption(new Option(flags));
  }
  const operands = parseStrictly(command, call.words);
  if (operands.length > 0 && !own.operands) {
    throw new UsageError(`"adc-run ${own.name}" takes options only: found another word`, {
      suggestion: `See "adc-run ${own.name} --help".`,
    });
  }
  const behind = command.opts<GlobalOptions & T>();
  const isSaid = (name: string) => command.getOptionValueSource(name) === "cli";
  const options = {
    ...call.options,
    ...behind,
    check: call.options.check && behind.check,
    ambient: new Set([...call.options.ambient].filter((name) => !isSaid(name))),
  };
  const { env, cwd } = io;
  const reporter = createReporter(io, options);
  const profile = await oneProfile(io, { options, reporter, name: own.name });
  const envFile = await namedEnvFile(io, options);
  const connect = (args: readonly string[]) =>
    resolveConnection({ args: [own.name, ...args], env, cwd, envFile, profile });
  // The connection flags mean the same as for ADC, and are read by the same code. It does not know the
  // command's own options, and would take the value of one for a flag: they are not shown to it.
  const args = [...connectionWords(command)];
  let connection = await connect(args);
  if (own.backend !== undefined && connection.backend.origin.kind === "default") {
    args.push("--backend", own.backend);
    connection = await connect(args);
  }
  if (connection.server.origin.kind === "default") {
    const server = await own.askServer?.(options);
    if (server !== undefined) connection = await connect([...args, "--server", server]);
  }
  requireMeaning(own, { options, connection });
  for (const warning of connection.warnings) reporter.warn(warning);
  const sources = sourcesOf(io, { options, reporter, connection });
  return { options, connection, sources, reporter, operands };
}

/** The connection flags as they were read, each in one word. */
function connectionWords(command: Command): readonly string[] {
  return CONNECTION_OPTIONS.flatMap((flags) => {
    const [flag = ""] = flags.split(" ");
    const value: unknown = command.getOptionValue(new Option(flags).attributeName());
    return value === undefined ? [] : value === true ? [flag] : [`${flag}=${value}`];
  });
}

function requireMeaning(
  { name, uses }: OwnCommandSyntax,
  { options, connection }: { readonly options: GlobalOptions; readonly connection: Connection },
): void {
  const given: Readonly<Record<SharedOption, boolean>> = {
    "--source": options.source !== undefined && !options.ambient.has("source"),
    "--no-check": !options.check && !options.ambient.has("check"),
    "--token": connection.args.tokens.length > 0,
  };
  for (const option of Object.keys(given) as SharedOption[]) {
    if (!given[option] || uses.includes(option)) continue;
    throw new UsageError(`Cannot use ${option} with "adc-run ${name}": it means nothing there`);
  }
}

/** Refuses options before the command that are for runs of ADC. */
export function requireApplicable(
  options: GlobalOptions,
  name: string,
  taken: readonly (keyof typeof FOR_RUNS)[] = [],
): void {
  refuseOptions(options, { name, refused: FOR_RUNS, taken, because: "it is for runs of ADC" });
}

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
interface PlainCommand<T> {
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
