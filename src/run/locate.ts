import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, extname, isAbsolute, join, resolve, sep } from "node:path";
import process from "node:process";
import type { Context, Environment } from "../context.ts";
import { codeOf, CommandError, EXIT } from "../errors.ts";
import { findOnPath, isExecutable, isFile, isNode, lookUpProgram } from "../system/programs.ts";

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

export interface LocateOptions extends Pick<Context, "env" | "cwd"> {
  readonly adc?: string | undefined;
}

const HOW_TO_GET_ADC =
  'Install it with: curl -sL "https://run.api7.ai/adc/install" | sh — or set its path with --adc or ADC_RUN_ADC.';

/**
 * Finds ADC: the one asked for, else `adc` on `PATH`, else `node_modules/.bin/adc` here or further up.
 */
export function locateAdc(options: LocateOptions): Program {
  const { env, cwd } = options;
  const asked = options.adc ?? (env.ADC_RUN_ADC === "" ? undefined : env.ADC_RUN_ADC);
  if (asked !== undefined) {
    const file = hasFolder(asked) ? resolve(cwd, asked) : findOnPath(asked, { env, cwd });
    return programOf(requireExecutable(file, asked), { env, cwd });
  }
  const file = findOnPath("adc", { env, cwd }) ?? findInNodeModules({ env, cwd });
  if (file === undefined) {
    throw new CommandError(
      `Cannot run ADC: "adc" is not on PATH or in node_modules/.bin`,
      EXIT.notFound,
      { suggestion: HOW_TO_GET_ADC },
    );
  }
  return programOf(file, { env, cwd });
}

/**
 * Makes sure that a program that is run instead of ADC can be started. It is still started by its name,
 * for a program may look at the name that it was called by.
 */
export function locateProgram(
  name: string,
  where: { readonly env: Environment; readonly cwd: string },
): Program {
  const code = lookUpProgram(name, where);
  if (code !== "found") throw notStarted({ code }, { name });
  return { file: name, prefix: [], name };
}

function requireExecutable(file: string | undefined, asked: string): string {
  if (file === undefined || !isFile(file)) {
    throw new CommandError(`Cannot run ADC: "${asked}" was not found`, EXIT.notFound, {
      suggestion: HOW_TO_GET_ADC,
    });
  }
  if (!isScript(file) && !isExecutable(file)) {
    throw new CommandError(`Cannot run ADC: "${file}" is not executable`, EXIT.notExecutable, {
      suggestion: `Make it executable: chmod +x ${file}`,
    });
  }
  return file;
}

function programOf(
  file: string,
  options: { readonly env: Environment; readonly cwd: string },
): Program {
  if (!isScript(file)) return { file, prefix: [], name: file };
  return { file: nodeFile(options), prefix: [file], name: file };
}

/** Node.js itself: the one that runs this, or on Deno and Bun the one on `PATH`. */
function nodeFile(options: { readonly env: Environment; readonly cwd: string }): string {
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
function findInNodeModules({ env, cwd }: Pick<Context, "env" | "cwd">): string | undefined {
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

function hasFolder(name: string): boolean {
  return isAbsolute(name) || name.includes("/") || name.includes(sep);
}

function isScript(file: string): boolean {
  return [".js", ".cjs", ".mjs"].includes(extname(file));
}

/** Why a program did not start, by the system's code, and what to do about it. */
const REASONS: Readonly<Record<string, readonly [found: string, suggestion: string]>> = {
  ENOENT: ["it was not found", "Check its name and PATH."],
  E2BIG: [
    "the arguments and variables are too long for the system (E2BIG)",
    "Shorten them; variables from --env-file count too.",
  ],
  // Node's own words quote the value.
  ERR_INVALID_ARG_VALUE: [
    "an argument or variable contains a NUL byte",
    "Check the file set with --env-file.",
  ],
};

export function notStarted(error: unknown, program: Pick<Program, "name">): unknown {
  // Deno's own words say which permission is missing.
  if (error instanceof Error && error.name === "NotCapable") return error;
  const code = codeOf(error);
  const [found, suggestion] = REASONS[code ?? ""] ?? [
    code ?? "it does not start",
    "Check its permissions, and its first line if it is a script.",
  ];
  return new CommandError(
    `Cannot run "${program.name}": ${found}`,
    code === "ENOENT" ? EXIT.notFound : EXIT.notExecutable,
    { suggestion, cause: error },
  );
}
