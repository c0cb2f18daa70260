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
import { keysOf, readOwnOptions, requireNoDryRun } from "./options.ts";
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
  const { given, operands } = readOwnOptions(words, { options: known, command: name });
  if (given.help) return undefined;
  requireOperands(operands, spec);
  const options = {
    ...before,
    ...given as GlobalOptions & T,
    check: before.check && given.check !== false,
    mask: before.mask && given.mask !== false,
    fromEnvironment: new Set([...before.fromEnvironment].filter((key) => !(key in given))),
  };
  // After the command `--token` is ADC's.
  rejectUnusedOptions({ ...options, token: before.token !== false }, spec);
  if (connection === "with the stored token" && "token" in given) {
    throw new UsageError(`--token has no effect with "adc-run ${name}"`);
  }
  const connectionWords = CONNECTION_FLAGS.flatMap((option) => {
    const { long, key } = namesOf(option);
    const value = given[key];
    return value === undefined ? [] : value === true ? [long] : [`${long}=${value}`];
  });
  return { spec, options, operands, connectionWords, reporter: createReporter(io, options) };
}

function connects({ connection }: CommandSpec): boolean {
  return connection !== undefined && connection !== "to keep";
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

/** Refuses options that have no meaning for a command. A variable is there for all commands, and is ignored. */
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
