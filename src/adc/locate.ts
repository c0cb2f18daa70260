/**
 * Which ADC is run.
 *
 * @module
 */

import { dirname, extname, isAbsolute, join, resolve, sep } from "node:path";
import process from "node:process";
import type { Environment } from "../connection/origin.ts";
import { CommandError, EXIT } from "../errors.ts";
import { isNode } from "../runtime.ts";
import { findOnPath, isExecutable, isFile } from "../find_program.ts";

/** A program and the arguments that stand before its own. */
export interface Program {
  /** The file to execute. */
  readonly file: string;
  /** Arguments that come first: the script, where the file is Node.js. */
  readonly prefix: readonly string[];
  /** The name for messages. */
  readonly name: string;
}

/** Where ADC is looked for. */
export interface LocateOptions {
  /**
   * The environment: `PATH`, and `ADC_RUN_ADC` behind {@linkcode LocateOptions.adc}.
   */
  readonly env: Environment;
  /** The working directory. */
  readonly cwd: string;
  /**
   * The ADC that was asked for.
   *
   * @default undefined
   */
  readonly adc?: string | undefined;
}

const HOW_TO_GET_ADC =
  'Get it with: curl -sL "https://run.api7.ai/adc/install" | sh — or name one with --adc or ADC_RUN_ADC.';

/**
 * Finds ADC: the one asked for, else `adc` on `PATH`, else `node_modules/.bin/adc` here or further up.
 *
 * @param options Where to look.
 * @returns The program. A file that ends in `.js`, `.cjs` or `.mjs` is run by Node.js.
 * @throws {CommandError} There is none (127), or it cannot be executed (126).
 */
export function locateAdc(options: LocateOptions): Program {
  const { env, cwd } = options;
  const asked = options.adc ?? (env.ADC_RUN_ADC === "" ? undefined : env.ADC_RUN_ADC);
  if (asked !== undefined) {
    const file = hasFolder(asked) ? resolve(cwd, asked) : findOnPath(asked, { env, cwd });
    return programOf(requireExecutable(file, asked), { env, cwd });
  }
  const file = findOnPath("adc", { env, cwd }) ?? findInNodeModules(cwd);
  if (file === undefined) {
    throw new CommandError(
      `Cannot run ADC: there is no "adc" on PATH, nor in node_modules/.bin`,
      EXIT.notFound,
      { suggestion: HOW_TO_GET_ADC },
    );
  }
  return programOf(file, { env, cwd });
}

function requireExecutable(file: string | undefined, asked: string): string {
  if (file === undefined || !isFile(file)) {
    throw new CommandError(`Cannot run ADC: there is no "${asked}"`, EXIT.notFound, {
      suggestion: HOW_TO_GET_ADC,
    });
  }
  if (!isScript(file) && !isExecutable(file)) {
    throw new CommandError(`Cannot run ADC: "${file}" is not executable`, EXIT.notExecutable, {
      suggestion: "Give yourself the right to execute it with chmod +x.",
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
    `Cannot run ADC: it is a script, and there is no "node" on PATH`,
    EXIT.notFound,
    {
      suggestion: "Install Node.js.",
    },
  );
}

function findInNodeModules(cwd: string): string | undefined {
  const name = process.platform === "win32" ? "adc.cmd" : "adc";
  for (let folder = resolve(cwd);; folder = dirname(folder)) {
    const file = join(folder, "node_modules", ".bin", name);
    if (isFile(file) && isExecutable(file)) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

function hasFolder(name: string): boolean {
  return isAbsolute(name) || name.includes("/") || name.includes(sep);
}

function isScript(file: string): boolean {
  return [".js", ".cjs", ".mjs"].includes(extname(file));
}
