import { readEnvFile } from "./env_file.ts";
import type { EnvFile } from "./env_file.ts";
import { wrongValue } from "./layers.ts";
import type { Origin } from "./origin.ts";

/** Reads an environment file that was named, which then has to be there. */
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
