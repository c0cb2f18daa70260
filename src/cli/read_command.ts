import { Command, CommanderError, Option } from "commander";
import { UsageError } from "../errors.ts";
import {
  CONNECTION_FLAGS,
  GLOBAL_OPTIONS,
  type GlobalOptions,
  namesOf,
  type OptionSpec,
} from "./global_options.ts";
import type { Io } from "./io.ts";
import type { CommandSpec, OwnCall } from "./manual/manual.ts";
import { keysOf, onlyList, requireNoDryRun, unknownOption } from "./options.ts";
import { createReporter } from "./output/report.ts";

interface Words {
  readonly words: readonly string[];
  readonly options: GlobalOptions;
}

/** Reads the words of a command; gives `undefined` where its help is asked for. */
export function readCommand<T>(
  spec: CommandSpec,
  { words, options: before }: Words,
  io: Io,
): OwnCall<T> | undefined {
  const { name, options: own = [], shared = [], connection } = spec;
  const known: readonly OptionSpec[] = [
    ...own,
    ...connection === undefined ? [] : CONNECTION_FLAGS,
    // Those that mean nothing to this command are read all the same: what is said of them tells more.
    ...GLOBAL_OPTIONS.filter((option) => {
      const { long } = namesOf(option);
      return shared.includes(long) || ["--json", "--quiet", "--verbose", "--help"].includes(long) ||
        (connects(spec) && option.scope === "connections");
    }),
  ];
  const command = new Command(name)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .allowExcessArguments();
  for (const option of known) command.addOption(commanderOption(option));
  const operands = parse(command, { words, known });
  const behind = command.opts<GlobalOptions & T>();
  if (behind.help) return undefined;
  requireOperands(operands, spec);
  const isGiven = (key: string) => command.getOptionValueSource(key) === "cli";
  const options = {
    ...before,
    ...behind,
    check: before.check && behind.check !== false,
    mask: before.mask && behind.mask !== false,
    fromEnvironment: new Set([...before.fromEnvironment].filter((key) => !isGiven(key))),
  };
  // Behind the command `--token` is ADC's.
  rejectUnusedOptions({ ...options, token: before.token !== false }, spec);
  if (connection === "with the stored token" && isGiven("token")) {
    throw new UsageError(`--token has no effect with "adc-run ${name}"`);
  }
  const connectionWords = CONNECTION_FLAGS.flatMap((option) => {
    const { long, key } = namesOf(option);
    const value: unknown = command.getOptionValue(key);
    return value === undefined ? [] : value === true ? [long] : [`${long}=${value}`];
  });
  return { spec, options, operands, connectionWords, reporter: createReporter(io, options) };
}

function connects({ connection }: CommandSpec): boolean {
  return connection !== undefined && connection !== "to keep";
}

function commanderOption(spec: OptionSpec): Option {
  const { long, short, value } = namesOf(spec);
  const name = short === undefined ? long : `${short}, ${long}`;
  const option = new Option(value === undefined ? name : `${name} <value>`);
  if (spec.repeats) option.argParser((each, all: string[] = []) => [...all, each]);
  // Own commands take the lists of their own apart themselves.
  else if (spec.list && GLOBAL_OPTIONS.some(({ flags }) => flags === spec.flags)) {
    option.argParser((each, before: unknown) => onlyList(long, each, before));
  }
  return option;
}

function parse(
  command: Command,
  { words, known }: { readonly words: readonly string[]; readonly known: readonly OptionSpec[] },
): readonly string[] {
  try {
    const { operands, unknown: [stray] } = command.parseOptions([...words]);
    if (stray !== undefined) {
      throw unknownOption(stray, { command: command.name(), options: known });
    }
    for (const option of known) {
      const { long, key } = namesOf(option);
      const value: unknown = command.getOptionValue(key);
      if ([value].flat().includes("--")) throw new UsageError(`Option "${long}" has no value`);
      const { closed, values = [] } = option;
      if (!closed || value === undefined || values.includes(String(value))) continue;
      const all = Array.isArray(values) ? values.join(" or ") : values;
      throw new UsageError(`Cannot use ${long} "${value}": use ${all}`);
    }
    return operands;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [, option = "an option"] = /option '(?:-\w, )?([^' ]+)/.exec(error.message) ?? [];
    throw new UsageError(`Option "${option}" has no value`, { cause: error });
  }
}

function requireOperands(operands: readonly string[], spec: CommandSpec): void {
  const { name } = spec;
  const { least = 0, most = Infinity, what = "" } = spec.operands ?? { most: 0 };
  const suggestion = `See "adc-run ${name} --help".`;
  if (operands.length < least) {
    throw new UsageError(`"adc-run ${name}" needs ${what}`, { suggestion });
  }
  // The word itself is not shown: it may be a secret that strayed.
  if (operands.length > most) {
    const takes = most === 0 ? "only options" : what;
    throw new UsageError(`Too many arguments for "adc-run ${name}": it takes ${takes}`, {
      suggestion,
    });
  }
}

/**
 * Refuses options that have no meaning for a command. A variable is there for all commands, and is ignored.
 */
function rejectUnusedOptions(options: GlobalOptions, spec: CommandSpec): void {
  const { name, options: own = [], shared = [], readOnly } = spec;
  const taken = [...shared, ...own.map((option) => namesOf(option).long)];
  for (const option of GLOBAL_OPTIONS) {
    const { long, negated } = namesOf(option);
    if (option.scope === "all" || taken.includes(long)) continue;
    for (const key of keysOf(option) as readonly (keyof GlobalOptions)[]) {
      // Some are always there, and are written to turn them off.
      const isGiven = negated && key !== "profile"
        ? options[key] === false
        : options[key] !== undefined;
      if (!isGiven) continue;
      if (key === "dryRun" && !readOnly) requireNoDryRun(options, name);
      if (options.fromEnvironment.has(key)) continue;
      throw new UsageError(`${long} has no effect with "adc-run ${name}"`);
    }
  }
}
