import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { EnvFile } from "../connection/env_file.ts";
import { wrongValue } from "../connection/layers.ts";
import { readNamedFile } from "../connection/named_env_file.ts";
import type { Origin } from "../connection/origin.ts";
import { letGoOfPipe } from "../pipes.ts";
import { isNode } from "../runtime.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";

/**
 * Reads the file of `--env-file` or `ADC_RUN_ENV_FILE`, once for the whole command: it may be a pipe.
 */
export async function namedEnvFile(
  { cwd }: Io,
  { envFile: name, ambient }: GlobalOptions,
  signal?: AbortSignal,
): Promise<EnvFile | undefined> {
  if (name === undefined) return undefined;
  signal?.throwIfAborted();
  const path = resolve(cwd, name);
  const origin: Origin = ambient.has("envFile")
    ? { kind: "environment", name: "ADC_RUN_ENV_FILE" }
    : { kind: "flag", name: "--env-file" };
  if (origin.kind === "flag" && isNode() && isPipe(path)) {
    // Node.js looks for an option of this name among a script's own words.
    throw wrongValue(origin, `"${name}" is a pipe, and Node.js has read it before adc-run could`, {
      suggestion: "Name it with ADC_RUN_ENV_FILE, or write it to a file.",
    });
  }
  const file = readNamedFile(name, cwd, origin);
  if (signal === undefined) return await file;
  return await Promise.race([
    file,
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        letGoOfPipe(path);
        reject(signal.reason);
      }, { once: true });
    }),
  ]);
}

function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}
