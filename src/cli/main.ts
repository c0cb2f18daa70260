/**
 * The command line: from argv to the exit code.
 *
 * @module
 */

import { codeOf, UsageError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { helpText } from "./help.ts";
import { Interrupted } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { readCommandLine } from "./options.ts";
import type { CommandLine } from "./options.ts";
import type { OwnCall } from "./own_command.ts";
import { createReporter } from "./report.ts";

/**
 * Runs adc-run.
 *
 * @param args The command line without the program's name.
 * @param io The process.
 * @returns The exit code.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let line: CommandLine | undefined;
  try {
    line = readCommandLine(args);
    return await dispatch(line, io);
  } catch (error) {
    if (error instanceof Interrupted) {
      io.endedBy?.(error.signal);
      return error.exitCode;
    }
    // Deno throws where Node emits an event that bin.ts listens to.
    if (codeOf(error) === "EPIPE") return 0;
    const json = line?.options.json ?? args.includes("--json");
    return createReporter(io, { json }).fail(error);
  }
}

async function dispatch({ words, verbatim, options }: CommandLine, io: Io): Promise<number> {
  if (options.version) {
    io.stdout.write(`adc-run ${VERSION}\n`);
    return 0;
  }
  const [command, ...rest] = words;
  if (options.help || (command === "help" && !verbatim)) {
    io.stdout.write(helpText(rest.join(" ")));
    return 0;
  }
  if (command === undefined) {
    throw new UsageError("There is no command", { suggestion: 'See "adc-run --help".' });
  }
  if (verbatim) return await runAdcCommand({ words, options }, io);
  switch (command) {
    case "auth":
      return await auth({ words: rest, options }, io);
    case "exec":
      return await exec({ words: rest, options }, io);
    default:
      return await runAdcCommand({ words, options }, io);
  }
}

async function runAdcCommand(call: OwnCall, io: Io): Promise<number> {
  const { run } = await import("./commands/run.ts");
  return await run({ ...call, exec: false }, io);
}

async function exec({ words, options }: OwnCall, io: Io): Promise<number> {
  const [first, ...rest] = words;
  if (first === "--help" || first === "-h") {
    io.stdout.write(helpText("exec"));
    return 0;
  }
  const command = first === "--" ? rest : words;
  if (!command[0] || (first !== "--" && first!.startsWith("-"))) {
    throw new UsageError("There is no command to execute", {
      suggestion: "Write it behind two dashes: adc-run exec -- <command> [args]",
    });
  }
  const { run } = await import("./commands/run.ts");
  return await run({ words: command, options, exec: true }, io);
}

async function auth({ words, options }: OwnCall, io: Io): Promise<number> {
  const [name, ...rest] = words;
  if (rest.includes("--help") || rest.includes("-h") || name === "--help" || name === "-h") {
    io.stdout.write(helpText(name?.startsWith("-") ? "auth" : `auth ${name}`));
    return 0;
  }
  const call = { words: rest, options };
  switch (name) {
    case "login":
      return await (await import("./commands/auth_login.ts")).authLogin(call, io);
    case "status":
      return await (await import("./commands/auth_status.ts")).authStatus(call, io);
    case "token":
      return await (await import("./commands/auth_token.ts")).authToken(call, io);
    case "list":
      return await (await import("./commands/auth_list.ts")).authList(call, io);
    case "rotate":
      return await (await import("./commands/auth_rotate.ts")).authRotate(call, io);
    case "revoke":
      return await (await import("./commands/auth_revoke.ts")).authRevoke(call, io);
    case "logout":
      return await (await import("./commands/auth_logout.ts")).authLogout(call, io);
    default:
      throw new UsageError(
        name === undefined ? "There is no auth command" : `There is no command "auth ${name}"`,
        { suggestion: "There are auth login, status, token, list, rotate, revoke and logout." },
      );
  }
}
