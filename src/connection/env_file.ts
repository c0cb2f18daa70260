import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { codeOf, ConnectionError, EXIT, throwIfNotCapable } from "../errors.ts";
import { isAbsent, isUtf16, readAtMost } from "../system/files.ts";
import { variableName } from "./env_names.ts";
import { type Origin, wrongValue } from "./origin.ts";

/**
 * What was found where an environment file was looked for. It prints no values.
 * @category Connection
 */
export class EnvFile {
  /** The path as it is named in messages: as the user gave it, or `.env`. */
  readonly name: string;
  /** Whether there is such a file. */
  readonly exists: boolean;
  /** Why the file could not be read, though it is there: a system code such as `EACCES`. */
  readonly unreadable: string | undefined;
  readonly #values: ReadonlyMap<string, [string, string]>;
  readonly #platform: string;

  /**
   * Wraps what was read.
   *
   * @param name The path as it is named in messages.
   * @param values The file's variables; `undefined` where there is no file.
   * @param options The system code, where there is a file that cannot be read; and the platform, for on
   * Windows names are the same in any case, and the first one counts.
   */
  constructor(
    name: string,
    values: Readonly<Record<string, string>> | undefined,
    { unreadable, platform = process.platform }: {
      readonly unreadable?: string;
      readonly platform?: string;
    } = {},
  ) {
    this.name = name;
    this.exists = values !== undefined || unreadable !== undefined;
    this.unreadable = unreadable;
    this.#platform = platform;
    const names = new Map<string, [string, string]>();
    for (const entry of Object.entries(values ?? {})) {
      const name = variableName(entry[0], platform);
      if (!names.has(name)) names.set(name, entry);
    }
    this.#values = names;
  }

  /**
   * Looks a variable up.
   *
   * @param name The variable's name.
   * @returns Its value, or `undefined`.
   */
  get(name: string): string | undefined {
    return this.#values.get(variableName(name, this.#platform))?.[1];
  }

  /**
   * All variables of the file, to be handed to a child.
   *
   * @returns Pairs of name and value.
   */
  entries(): IterableIterator<[string, string]> {
    return this.#values.values();
  }
}

/** Why a file of this kind cannot be read; ADC reads it as UTF-8, and finds nothing in it. */
export const UTF_16 = "it is UTF-16 text";

/** Far more than any environment holds. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads an environment file as ADC would.
 *
 * A directory of that name is no file: Python's virtual environments are often called `.env`, and ADC
 * passes over them as well.
 */
export async function readEnvFile(
  name: string,
  cwd: string,
  origin?: Origin,
): Promise<EnvFile> {
  let bytes: Uint8Array | undefined;
  try {
    const path = resolve(cwd, name);
    const stats = statSync(path);
    // ADC would wait for ever for somebody to write into a pipe called ".env".
    if (name === ".env" && !stats.isFile()) return new EnvFile(name, undefined);
    // What is named may be a pipe that somebody has yet to write into, and signals are heard meanwhile.
    if (!stats.isFile()) bytes = await readAtMost(path, MAX_BYTES);
    else if (stats.size <= MAX_BYTES) bytes = readFileSync(path);
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error) ?? "unknown error";
    const absent = isAbsent(error) || isDirectoryCode(code);
    return new EnvFile(name, undefined, absent ? {} : { unreadable: code });
  }
  if (bytes === undefined) throw tooLarge(name, origin);
  if (isUtf16(bytes)) return new EnvFile(name, undefined, { unreadable: UTF_16 });
  const { parse } = await import("dotenv");
  return new EnvFile(name, parse(withoutBlankRuns(new TextDecoder().decode(bytes))));
}

function tooLarge(name: string, origin: Origin | undefined): ConnectionError {
  const suggestion = "Keep only what ADC needs in it.";
  return origin === undefined
    ? new ConnectionError(`Cannot use ${name}: it is larger than 1 MiB`, EXIT.config, {
      suggestion,
    })
    : wrongValue(origin, `"${name}" is larger than 1 MiB`, { suggestion });
}

/**
 * A text without its long runs of blank lines: dotenv's expression for a line goes through the whole of such
 * a run again from each of its lines, and 100,000 of them would take a minute.
 */
export function withoutBlankRuns(text: string): string {
  return text.replace(/\s{64,}/g, (run) => /[\r\n]/.test(run) ? "\n" : run);
}

/** Windows answers EPERM where others answer EISDIR. */
function isDirectoryCode(code: string): boolean {
  return code === "EISDIR" || (process.platform === "win32" && code === "EPERM");
}

export async function readNamedFile(
  name: string,
  cwd: string,
  origin: Origin = { kind: "flag", name: "--env-file" },
): Promise<EnvFile> {
  const file = await readEnvFile(name, cwd, origin);
  if (file.exists && file.unreadable === undefined) return file;
  const found = file.exists
    ? `"${name}" cannot be read (${file.unreadable})`
    : `there is no file "${name}"`;
  throw wrongValue(origin, found, { suggestion: `Relative paths start from "${cwd}".` });
}
