import { promises as fs, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { codeOf, throwIfNotCapable } from "../errors.ts";
import { isAbsent } from "../system/files.ts";
import { type Origin, wrongValue } from "./origin.ts";

/** What was found where an environment file was looked for. It prints no values. */
export class EnvFile {
  /** The path as it is named in messages: as the user gave it, or `.env`. */
  readonly name: string;
  /** Whether there is such a file. */
  readonly exists: boolean;
  /** Why the file could not be read, though it is there: a system code such as `EACCES`. */
  readonly unreadable: string | undefined;
  readonly #values: ReadonlyMap<string, string>;

  /**
   * Wraps what was read.
   *
   * @param name The path as it is named in messages.
   * @param values The file's variables; `undefined` where there is no file.
   * @param unreadable The system code, where there is a file that cannot be read.
   */
  constructor(
    name: string,
    values: Readonly<Record<string, string>> | undefined,
    { unreadable }: { readonly unreadable?: string } = {},
  ) {
    this.name = name;
    this.exists = values !== undefined || unreadable !== undefined;
    this.unreadable = unreadable;
    this.#values = new Map(Object.entries(values ?? {}));
  }

  /**
   * Looks a variable up.
   *
   * @param name The variable's name.
   * @returns Its value, or `undefined`.
   */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /**
   * All variables of the file, to be handed to a child.
   *
   * @returns Pairs of name and value.
   */
  entries(): IterableIterator<[string, string]> {
    return this.#values.entries();
  }
}

/**
 * Reads an environment file as ADC would.
 *
 * A directory of that name is no file: Python's virtual environments are often called `.env`, and ADC
 * passes over them as well.
 */
export async function readEnvFile(name: string, cwd: string): Promise<EnvFile> {
  let text: string;
  try {
    const path = resolve(cwd, name);
    // ADC would wait for ever for somebody to write into a pipe called ".env".
    const isFile = statSync(path).isFile();
    if (name === ".env" && !isFile) return new EnvFile(name, undefined);
    // What is named may be a pipe that somebody has yet to write into, and signals are heard meanwhile.
    text = isFile ? readFileSync(path, "utf8") : await fs.readFile(path, "utf8");
  } catch (error) {
    throwIfNotCapable(error);
    const code = codeOf(error) ?? "unknown error";
    const absent = isAbsent(error) || isDirectoryCode(code);
    return new EnvFile(name, undefined, absent ? {} : { unreadable: code });
  }
  const { parse } = await import("dotenv");
  return new EnvFile(name, parse(text));
}

/**
 * What a loader or a runtime reads as a program starts, and takes for files to load or programs to run.
 * `NODE_ENV` is none of them.
 */
const AT_START =
  /^(LD_|DYLD_|NODE_(?!ENV$)|BUN_|DENO_|PATH$|PATHEXT$|COMSPEC$|BASH_ENV$|ENV$|SHELLOPTS$|IFS$|PYTHON|PERL5?|RUBY|JAVA_TOOL_OPTIONS$|GIT_|OPENSSL_|SSL_CERT_|GCONV_PATH$|ADC_RUN_)/i;

/**
 * Tells whether a variable decides what a program loads as it starts. ADC loads `.env` when it is running,
 * and so such a variable has no effect there; in the environment that a program is started with it would.
 */
export function actsAtStart(name: string): boolean {
  return AT_START.test(name);
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
  const file = await readEnvFile(name, cwd);
  if (file.exists && file.unreadable === undefined) return file;
  const found = file.exists
    ? `"${name}" cannot be read (${file.unreadable})`
    : `there is no file "${name}"`;
  throw wrongValue(origin, found, { suggestion: `A relative path starts from "${cwd}".` });
}
