import { codeOf, UsageError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { Interrupted } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { readCommandLine } from "./options.ts";
import type { CommandLine } from "./options.ts";
import { createReporter } from "./output/report.ts";
import type { OwnCall } from "./own_command.ts";

/** Runs adc-run. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let line: CommandLine | undefined;
  try {
    line = readCommandLine(args, io.env);
    return await dispatch(line, io);
  } catch (error) {
    if (error instanceof Interrupted) {
      io.endedBy?.(error.signal);
      return error.exitCode;
    }
    // Deno throws where Node emits an event that bin.ts listens to.
    if (codeOf(error) === "EPIPE") return 0;
    return createReporter(io, { json: wantsJson(line, args) }).fail(error);
  }
}

/** adc-run's own commands, each loaded when it is called; every other word is ADC's. */
const COMMANDS: Readonly<
  Record<string, () => Promise<(call: OwnCall, io: Io) => Promise<number>>>
> = {
  auth: async () => (await import("./commands/auth.ts")).auth,
  profile: async () => (await import("./commands/profile.ts")).profile,
  api: async () => (await import("./commands/api.ts")).api,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  completion: async () => (await import("./completion/scripts.ts")).completion,
  complete: async () => (await import("./completion/complete.ts")).complete,
  help: async () => (await import("./manual/help.ts")).help,
};

/** A word such as `--help` may be a value there. */
const READ_THEIR_OWN_HELP = ["api", "complete"];

/** ADC's commands that are called every day; a word that is neither is held against all of them. */
const FAMILIAR = ["sync", "diff", "dump", "ping", "validate", "lint", "convert"];

async function dispatch({ words, verbatim, options }: CommandLine, io: Io): Promise<number> {
  if (options.version) {
    io.stdout.write(`adc-run ${VERSION}\n`);
    return 0;
  }
  const [command, ...rest] = words;
  if (options.help) return await showHelp(words, io);
  if (command === undefined) {
    throw new UsageError("There is no command", { suggestion: 'See "adc-run --help".' });
  }
  if (verbatim) return await runAdcCommand({ words, options }, io);
  if (Object.hasOwn(COMMANDS, command)) {
    if (!READ_THEIR_OWN_HELP.includes(command) && asksForHelp(rest)) {
      return await showHelp(words, io);
    }
    return await (await COMMANDS[command]!())({ words: rest, options }, io);
  }
  if (command === "exec") return await exec({ words: rest, options }, io);
  if (options.ephemeral && /^\d+(ms|s|m|h|d)$/.test(command)) {
    throw new UsageError(`There is no command "${command}"`, {
      suggestion: `The time of --ephemeral stands behind an equals sign: --ephemeral=${command}`,
    });
  }
  if (!FAMILIAR.includes(command)) {
    (await import("./unknown.ts")).refuseMistypedCommand(command);
  }
  return await runAdcCommand({ words, options }, io);
}

/** Own commands take `--json` behind their name as well; another's word it is none of ours. */
function wantsJson(line: CommandLine | undefined, args: readonly string[]): boolean {
  if (line === undefined) return args.includes("--json");
  const { words: [command, ...rest], options, verbatim } = line;
  const own = !verbatim && command !== undefined && Object.hasOwn(COMMANDS, command);
  return options.json ?? (own && rest.includes("--json"));
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => ["--help", "-h"].includes(word));
}

/** The page on the command that the words start with, or the main help. */
async function showHelp(words: readonly string[], io: Io): Promise<number> {
  const { helpText } = await import("./manual/help.ts");
  const { findPage } = await import("./manual/manual.ts");
  const names = words.map((_, index) => words.slice(0, index + 1).join(" "));
  const name = names.findLast((each) => findPage(each) !== undefined);
  io.stdout.write(helpText(name));
  return 0;
}

async function runAdcCommand(call: OwnCall, io: Io): Promise<number> {
  const { runCommand } = await import("./commands/run.ts");
  return await runCommand({ ...call, exec: false }, io);
}

async function exec({ words, options }: OwnCall, io: Io): Promise<number> {
  const [first, ...rest] = words;
  if (first === "--help" || first === "-h") return await showHelp(["exec"], io);
  const command = first === "--" ? rest : words;
  if (!command[0] || (first !== "--" && first!.startsWith("-"))) {
    throw new UsageError("There is no command to execute", {
      suggestion: "Write it behind two dashes, and options before the word exec: " +
        "adc-run [options] exec -- <command> [args]",
    });
  }
  const { runCommand } = await import("./commands/run.ts");
  return await runCommand({ words: command, options, exec: true }, io);
}
