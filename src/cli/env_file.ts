/**
 * The environment file that the options name.
 *
 * @module
 */

import type { EnvFile } from "../connection/env_file.ts";
import { readNamedFile } from "../connection/named_env_file.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";

/**
 * Reads the file of `--env-file` or `ADC_RUN_ENV_FILE`, once for the whole command: it may be a pipe.
 *
 * @param io The process.
 * @param options The options.
 * @param signal Gives up waiting for a pipe.
 * @returns The file, or `undefined` where none is named.
 * @throws {ConnectionError} It cannot be read.
 */
export async function namedEnvFile(
  { cwd }: Io,
  { envFile: name, ambient }: GlobalOptions,
  signal?: AbortSignal,
): Promise<EnvFile | undefined> {
  if (name === undefined) return undefined;
  const file = readNamedFile(
    name,
    cwd,
    ambient.has("envFile")
      ? { kind: "environment", name: "ADC_RUN_ENV_FILE" }
      : { kind: "flag", name: "--env-file" },
  );
  if (signal === undefined) return await file;
  return await Promise.race([
    file,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
  ]);
}
