import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Connection } from "../connection/connection.ts";
import { readNamedFile } from "../connection/env_file.ts";
import type { EnvFile } from "../connection/env_file.ts";
import { wrongValue } from "../connection/origin.ts";
import type { Origin } from "../connection/origin.ts";
import type { Profile } from "../connection/profile.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { defaultSources } from "../lifecycle/default_sources.ts";
import type { DefaultSourcesOptions } from "../lifecycle/default_sources.ts";
import { selectProfiles } from "../profiles/select_profiles.ts";
import { letGoOfPipe } from "../system/files.ts";
import { isNode } from "../system/programs.ts";
import type { TokenSource } from "../token/source.ts";
import { canAsk } from "./io.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";
import type { Reporter } from "./output/report.ts";
import { askCredentials } from "./prompts.ts";

/**
 * The sources that the options or the profile name, with this process' environment, keychain and terminal.
 */
export function sourcesOf(
  io: Io,
  { options, reporter, connection, ...more }:
    & {
      readonly options: GlobalOptions;
      readonly reporter: Reporter;
      readonly connection: Connection;
    }
    & Pick<DefaultSourcesOptions, "ephemeral" | "confirm">,
): readonly TokenSource[] {
  const { env, cwd, keychain } = io;
  const sources = () =>
    defaultSources({
      env,
      cwd,
      keychain,
      names: options.source ?? connection.profile?.sources,
      helperStderr: options.quiet ? "ignore" : "inherit",
      onWarning: reporter.warn,
      ...(canAsk(io) && { ask: askCredentials(io) }),
      ...more,
    });
  if (!options.ambient.has("source")) return sources();
  try {
    return sources();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new ConnectionError(`Cannot use ADC_RUN_SOURCE: ${error.message}`, EXIT.config);
  }
}

interface Asking {
  readonly options: GlobalOptions;
  readonly reporter: Reporter;
}

/** The profiles that are meant. */
export async function profilesOf(
  { env, cwd }: Io,
  { options, reporter }: Asking,
): Promise<readonly Profile[]> {
  if (options.profile === false) return [];
  return await selectProfiles({ env, cwd, names: options.profile, onWarning: reporter.warn });
}

/** The profile that is meant, for a command that has one target. */
export async function oneProfile(
  io: Io,
  { name, ...asking }: Asking & { readonly name: string },
): Promise<Profile | undefined> {
  const [profile, ...others] = await profilesOf(io, asking);
  if (others.length === 0) return profile;
  throw new UsageError(`Cannot use ${others.length + 1} profiles with "adc-run ${name}"`, {
    suggestion: "It has one target: name one profile.",
  });
}

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
