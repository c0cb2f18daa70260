import { codeOf, UsageError } from "../errors.ts";
import { Interrupted } from "../run/signals.ts";
import { Secret } from "../secret.ts";
import { VERSION } from "../version.ts";
import type { Io } from "./io.ts";
import type { CommandSpec } from "./manual/manual.ts";
import { type CommandLine, readCommandLine } from "./options.ts";
import { fixed, writeText } from "./output/out.ts";
import { createReporter } from "./output/report.ts";

export async function main(args: readonly string[], io: Io): Promise<number> {
  let line: CommandLine | undefined;
  io.secrets.add(...tokensIn(args));
  try {
    if (args.length === 0) return await showHelp([], io);
    line = readCommandLine(args, io.env);
    const exitCode = await dispatch(line, io);
    const { reportFailure } = io;
    if (reportFailure === undefined) return exitCode;
    if (!line.options.json) createReporter(io, line.options).complain(reportFailure.message);
    return exitCode || reportFailure.exitCode;
  } catch (error) {
    if (error instanceof Interrupted) {
      io.endedBy?.(error.signal);
      return error.exitCode;
    }
    // Deno throws where Node emits an event that bin.ts listens to.
    if (codeOf(error) === "EPIPE") return 0;
    const verbose = line?.options.verbose ??
      args.some((each) => ["-v", "--verbose"].includes(each));
    return createReporter(io, { json: wantsJson(line, args), verbose }).fail(error);
  }
}

function tokensIn(args: readonly string[]): readonly Secret[] {
  return args.flatMap((word, index) => {
    if (args[index - 1] === "--token") return [new Secret(word)];
    return word.startsWith("--token=") ? [new Secret(word.slice("--token=".length))] : [];
  });
}

/** The first words of adc-run's own commands, whose specs are loaded when one is called. */
const SPECS: Readonly<Record<string, () => Promise<readonly CommandSpec[]>>> = {
  auth: async () => (await import("./manual/auth_commands.ts")).AUTH_COMMANDS,
  profile: async () => (await import("./manual/profile_commands.ts")).PROFILE_COMMANDS,
  api: otherCommands,
  doctor: otherCommands,
  completion: otherCommands,
};

async function otherCommands(): Promise<readonly CommandSpec[]> {
  return (await import("./manual/other_commands.ts")).OTHER_COMMANDS;
}

/** Words of adc-run's own that are about all commands, and so are none of the table's. */
const ABOUT_COMMANDS: Readonly<
  Record<string, (words: readonly string[], io: Io) => Promise<number>>
> = {
  help: async (words, io) => (await import("./manual/help.ts")).help(words, io),
  complete: async (words, io) =>
    await (await import("./completion/complete.ts")).complete(words, io),
};

/** A word such as `--help` may be a value there. */
const READ_THEIR_OWN_HELP = ["api", "complete"];

function isOwn(word: string): boolean {
  return Object.hasOwn(SPECS, word) || Object.hasOwn(ABOUT_COMMANDS, word);
}

/** ADC's commands that are called every day; a word that is neither is held against all of them. */
const FAMILIAR = ["sync", "diff", "dump", "ping", "validate", "lint", "convert"];

type Line = Pick<CommandLine, "words" | "options">;

async function dispatch({ words, verbatim, options }: CommandLine, io: Io): Promise<number> {
  if (options.version) {
    if (options.json) createReporter(io, options).printJson({ name: "adc-run", version: VERSION });
    else writeText(fixed(`adc-run ${VERSION}`), io, "stdout");
    return 0;
  }
  const [command, ...rest] = words;
  if (options.help) return await showHelp(words, io);
  if (command === undefined) {
    throw new UsageError("No command given", { suggestion: 'See "adc-run --help".' });
  }
  if (verbatim) return await runAdcCommand({ words, options }, io);
  if (isOwn(command) && !READ_THEIR_OWN_HELP.includes(command) && asksForHelp(rest)) {
    return await showHelp(words, io);
  }
  if (Object.hasOwn(ABOUT_COMMANDS, command)) return await ABOUT_COMMANDS[command]!(rest, io);
  if (Object.hasOwn(SPECS, command)) return await runOwnCommand({ words, options }, io);
  if (command === "exec") return await exec({ words: rest, options }, io);
  if (options.ephemeral && /^\d+(ms|s|m|h|d)$/.test(command)) {
    throw new UsageError(`Unknown command "${command}"`, {
      suggestion: `Write the lifetime after an equals sign: --ephemeral=${command}`,
    });
  }
  if (!FAMILIAR.includes(command)) {
    (await import("./manual/manual.ts")).refuseUnknownCommand(command);
  }
  return await runAdcCommand({ words, options }, io);
}

/** Own commands take `--json` behind their name as well; another's word it is none of ours. */
function wantsJson(line: CommandLine | undefined, args: readonly string[]): boolean {
  if (line === undefined) return args.includes("--json");
  const { words: [command, ...rest], options, verbatim } = line;
  const own = !verbatim && command !== undefined && isOwn(command);
  return options.json ?? (own && rest.includes("--json"));
}

async function runOwnCommand({ words, options }: Line, io: Io): Promise<number> {
  const [command = "", second] = words;
  const specs = await SPECS[command]!();
  const spec = specs.find(({ name }) => name === `${command} ${second}`) ??
    specs.find(({ name }) => name === command);
  if (spec?.run === undefined) {
    if (second === undefined) return await showHelp(words, io);
    throw (await import("./manual/manual.ts")).unknownSubcommand(command, second);
  }
  const { readCommand } = await import("./read_command.ts");
  const rest = words.slice(spec.name.split(" ").length);
  const call = readCommand<never>(spec, { words: rest, options }, io);
  if (call === undefined) return await showHelp(words, io);
  return await (await spec.run())(call, io);
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => ["--help", "-h"].includes(word));
}

async function showHelp(words: readonly string[], io: Io): Promise<number> {
  const { helpText } = await import("./manual/help.ts");
  const { findPage } = await import("./manual/manual.ts");
  const names = words.map((_, index) => words.slice(0, index + 1).join(" "));
  const name = names.findLast((each) => findPage(each) !== undefined);
  const { widthOf } = await import("./output/layout.ts");
  writeText(fixed(helpText(name, widthOf(io, "stdout"))), io, "stdout");
  return 0;
}

async function runAdcCommand(call: Line, io: Io): Promise<number> {
  const { runCommand } = await import("./commands/run.ts");
  return await runCommand({ ...call, exec: false }, io);
}

async function exec({ words, options }: Line, io: Io): Promise<number> {
  const [first, ...rest] = words;
  if (first === "--help" || first === "-h") return await showHelp(["exec"], io);
  const command = first === "--" ? rest : words;
  if (!command[0] || (first !== "--" && first!.startsWith("-"))) {
    throw new UsageError("No command to run", {
      suggestion: "Put the command after two dashes, and options before exec: " +
        "adc-run [options] exec -- <command> [args]",
    });
  }
  const { runCommand } = await import("./commands/run.ts");
  return await runCommand({ words: command, options, exec: true }, io);
}
