import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import process from "node:process";
import type { Context, Environment } from "../context.ts";
import { codeOf, CommandError, EXIT, reasonOf } from "../errors.ts";
import {
  findOnPath,
  findProgram,
  interpreterOf,
  isExecutable,
  isFile,
  isNode,
  isScript,
  lookUpProgram,
} from "../system/programs.ts";
import { isStartedAdc } from "./environment.ts";

/**
 * A program and the arguments that stand before its own.
 * @category Run
 */
export interface Program {
  /** The file to execute. */
  readonly file: string;
  /** Arguments that come first: the script, where the file is Node.js. */
  readonly prefix: readonly string[];
  /** The name for messages. */
  readonly name: string;
}

type Place = Pick<Context, "env" | "cwd">;

const HOW_TO_GET_ADC =
  'Install it (curl -sL "https://run.api7.ai/adc/install" | sh), or set its path with --adc or ADC_RUN_ADC.';

/**
 * Finds ADC: the one asked for, else `adc` on `PATH`, else `node_modules/.bin/adc` here or further up.
 */
export function locateAdc(
  { env, cwd, adc }: Place & { readonly adc?: string | undefined },
): Program {
  const asked = adc ?? (env.ADC_RUN_ADC === "" ? undefined : env.ADC_RUN_ADC);
  if (asked !== undefined) {
    const file = requireExecutable(findProgram(asked, { env, cwd }), asked);
    return refuseRecursion(programOf(file, { env, cwd }), env);
  }
  const file = findOnPath("adc", { env, cwd }) ?? findInNodeModules({ env, cwd });
  if (file === undefined) {
    const message = 'Cannot run ADC: "adc" is not on PATH or in node_modules/.bin';
    throw new CommandError(message, EXIT.notFound, { suggestion: HOW_TO_GET_ADC });
  }
  return refuseRecursion(programOf(file, { env, cwd }), env);
}

/** A script that calls adc-run, or adc-run itself, would be run again and again. */
function refuseRecursion(program: Program, env: Environment): Program {
  if (!isStartedAdc(program, env)) return program;
  throw new CommandError(
    `Cannot run ADC: "${program.name}" starts adc-run, which would start it again`,
    EXIT.notExecutable,
    { suggestion: "Name ADC itself with --adc or ADC_RUN_ADC." },
  );
}

/**
 * Makes sure that a program that is run instead of ADC can be started. It is still started by its name,
 * for a program may look at the name that it was called by.
 */
export function locateProgram(name: string, where: Place): Program {
  const found = lookUpProgram(name, where);
  if ("code" in found) throw notStarted(found, { name });
  // Windows would take another, of another ending, and no script.
  if (process.platform === "win32") return { ...programOf(found.file, where), name };
  return { file: name, prefix: [], name };
}

function requireExecutable(file: string | undefined, asked: string): string {
  if (file === undefined || !isFile(file)) {
    throw new CommandError(`Cannot run ADC: "${asked}" was not found`, EXIT.notFound, {
      suggestion: "Check the path in --adc or ADC_RUN_ADC.",
    });
  }
  if (!isScript(file) && !isExecutable(file)) {
    throw new CommandError(`Cannot run ADC: "${file}" is not executable`, EXIT.notExecutable, {
      suggestion: process.platform === "win32"
        ? "Name a file that ends in .exe, .cmd, .bat or .js."
        : `Make it executable: chmod +x ${file}`,
    });
  }
  return file;
}

function programOf(file: string, options: Place): Program {
  if (!isScript(file)) return { file, prefix: [], name: file };
  return { file: nodeFile(options), prefix: [file], name: file };
}

/** Node.js itself: the one that runs this, or on Deno and Bun the one on `PATH`. */
function nodeFile(options: Place): string {
  if (isNode()) return process.execPath;
  const file = findOnPath("node", options);
  if (file !== undefined) return file;
  throw new CommandError(
    `Cannot run ADC: it is a script, but "node" is not on PATH`,
    EXIT.notFound,
    {
      suggestion: "Install Node.js.",
    },
  );
}

/** Where another user put it, it is nobody's ADC. */
function findInNodeModules({ env, cwd }: Place): string | undefined {
  const name = process.platform === "win32" ? "adc.cmd" : "adc";
  const { folders, root } = foldersOf(resolve(cwd), env.HOME ?? env.USERPROFILE);
  const file = folders.map((folder) => join(folder, "node_modules", ".bin", name))
    .find((file) => isFile(file) && isExecutable(file));
  return file !== undefined && isTrusted(file, root) ? file : undefined;
}

/** Up to the repository's root; without one, further up only below the user's home. */
function foldersOf(
  cwd: string,
  home: string | undefined,
): { readonly folders: readonly string[]; readonly root: string | undefined } {
  const folders = [cwd];
  for (let folder = cwd;; folder = dirname(folder)) {
    if (folder !== cwd) folders.push(folder);
    if (existsSync(join(folder, ".git"))) return { folders, root: folder };
    if (dirname(folder) === folder) break;
  }
  const isBelowHome = (folder: string) => home !== undefined && folder.startsWith(join(home, sep));
  return {
    folders: folders.filter((folder) => folder === cwd || isBelowHome(folder)),
    root: undefined,
  };
}

/** Whether a file, and what it is a link to, is this user's, root's, or of the owner of the repository. */
function isTrusted(file: string, root: string | undefined): boolean {
  const users = [process.getuid?.(), 0, root && statSync(root).uid];
  if (users[0] === undefined) return true;
  return [statSync(file), lstatSync(file)].every(({ uid }) => users.includes(uid));
}

/** Why a program did not start, by the system's code, and what to do about it. */
const REASONS: Readonly<Record<string, readonly [found: string, suggestion: string]>> = {
  ENOENT: ["it was not found", "Check its name and PATH."],
  E2BIG: [
    "the arguments and variables are too long for the system (E2BIG)",
    "Shorten them; variables from --env-file count too.",
  ],
  ERR_INVALID_ARG_VALUE: [
    "an argument or variable contains a NUL byte",
    "Check the file set with --env-file.",
  ],
  EMFILE: ["too many files are open", 'Raise the limit: "ulimit -n" shows it.'],
};

export function notStarted(
  error: unknown,
  { name }: Pick<Program, "name">,
  where?: Place,
): unknown {
  // Deno's own words say which permission is missing.
  if (error instanceof Error && error.name === "NotCapable") return error;
  const code = codeOf(error);
  if (code === "ENOENT" && where !== undefined) {
    const found = lookUpProgram(name, where);
    if ("file" in found) return withoutInterpreter(name, found.file);
  }
  const [found, suggestion] = REASONS[code ?? ""] ?? [
    reasonOf(code),
    "Check its permissions, and its first line if it is a script.",
  ];
  const exitCode = code === "ENOENT" ? EXIT.notFound : EXIT.notExecutable;
  // No cause: Node's errors quote the words, and one may be a secret.
  return new CommandError(`Cannot run "${name}": ${found}`, exitCode, { suggestion });
}

/** For a program that another one starts, which says less of what is missing. */
export function requireInterpreter({ name }: Pick<Program, "name">, where: Place): void {
  const found = lookUpProgram(name, where);
  const interpreter = "file" in found ? interpreterOf(found.file) : undefined;
  if (!("file" in found) || interpreter === undefined) return;
  if (!isFile(resolve(where.cwd, interpreter))) throw withoutInterpreter(name, found.file);
}

/** The system says of it that the program itself was not found. */
function withoutInterpreter(name: string, file: string): CommandError {
  const interpreter = interpreterOf(file);
  if (interpreter === undefined) {
    return new CommandError(
      `Cannot run "${name}": the interpreter or loader that it needs was not found`,
      EXIT.notExecutable,
      { suggestion: "Check that it was made for this system." },
    );
  }
  const shown = interpreter.replace(/\r$/, "");
  return new CommandError(
    `Cannot run "${name}": its interpreter "${shown}" was not found`,
    EXIT.notExecutable,
    {
      suggestion: shown === interpreter
        ? "Check the script's first line."
        : "The script's first line ends in a carriage return: save it with Unix line endings.",
    },
  );
}
