import type { SpawnOptions } from "node:child_process";
import { extname } from "node:path";
import { type Environment, variableIn } from "../context.ts";
import { UsageError } from "../errors.ts";

interface WindowsCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: Pick<SpawnOptions, "windowsVerbatimArguments">;
}

/**
 * What no batch file is given. cmd.exe replaces what stands between `%` and between `!`, ends a command at
 * a line break, and takes the others for operators where a `"` has ended its quotes, or where a batch file
 * takes them off (`%~1`) or puts some of its own around (`"%1"`). No way to write them is safe in all files.
 */
const UNSAFE = /["%!^&|<>`\p{C}\p{Zl}\p{Zp}]/u;

/** Words that mean the same with quotes and without; cmd.exe splits at others, such as `=` and `,`. */
const PLAIN = /^[\w.:/\\@+-]+$/;

/** cmd.exe cuts off what is longer. */
const MAX_LENGTH = 8_191;

/**
 * What starts a program on Windows: itself, or for a batch file cmd.exe, which Node.js does not start by
 * itself, since cmd.exe reads a command line by rules of its own.
 */
export function windowsCommand(
  file: string,
  args: readonly string[],
  env: Environment,
): WindowsCommand {
  if (!/^\.(cmd|bat)$/i.test(extname(file))) return { program: file, args, options: {} };
  const refuse = (found: string, suggestion: string) =>
    new UsageError(`Cannot run "${file}": it is a batch file, and ${found}`, { suggestion });
  const around = "Name the .exe or .js file that the batch file starts, or write it without.";
  if (UNSAFE.test(file)) {
    throw refuse("its path has a character that cmd.exe acts on", "Move or rename it.");
  }
  for (const [index, arg] of args.entries()) {
    const [found] = UNSAFE.exec(arg) ?? [];
    if (found === undefined) continue;
    const shown = /[\p{C}\p{Z}]/u.test(found) ? "a control character" : `a ${found}`;
    throw refuse(`cmd.exe may act on ${shown} in argument ${index + 1}`, around);
  }
  const line = [`"${file}"`, ...args.map(quoted)].join(" ");
  if (line.length > MAX_LENGTH) {
    throw refuse(`cmd.exe takes no more than ${MAX_LENGTH} characters`, around);
  }
  const system = variableIn(env, "SystemRoot", "win32") ?? "C:\\Windows";
  return {
    // By its path: Windows would take one that lies in the working directory.
    program: `${system}\\System32\\cmd.exe`,
    // Without AutoRun, and with `!` for nothing special.
    args: ["/d", "/v:off", "/s", "/c", `"${line}"`],
    options: { windowsVerbatimArguments: true },
  };
}

/** A backslash in front of the last quote would take it for a part of the word in what the file starts. */
function quoted(arg: string): string {
  return PLAIN.test(arg) ? arg : `"${arg}${/\\*$/.exec(arg)![0]}"`;
}
