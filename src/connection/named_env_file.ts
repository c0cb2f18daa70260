/**
 * An environment file that somebody asked for.
 *
 * @module
 */

import { readEnvFile } from "./env_file.ts";
import type { EnvFile } from "./env_file.ts";
import { wrongValue } from "./layers.ts";
import type { Origin } from "./origin.ts";

/**
 * Reads an environment file that was named, which then has to be there.
 *
 * @param name The file's path, relative to `cwd` or absolute.
 * @param cwd The folder that a relative path starts from.
 * @param origin Who named it.
 * @returns The variables.
 * @throws {ConnectionError} There is no such file, or it cannot be read; `exitCode` is 64 for a flag and 78
 * for anything else.
 */
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
