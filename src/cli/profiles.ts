/**
 * The profiles that the command line, the variables or the settings name.
 *
 * @module
 */

import type { Profile } from "../connection/profile.ts";
import { UsageError } from "../errors.ts";
import { selectProfiles } from "../profiles/select_profiles.ts";
import type { Io } from "./io.ts";
import type { GlobalOptions } from "./options.ts";
import type { Reporter } from "./report.ts";

interface Asking {
  readonly options: GlobalOptions;
  readonly reporter: Reporter;
}

/**
 * The profiles that are meant.
 *
 * @param io The process.
 * @param asking The options, and who is told of warnings.
 * @returns Those that were named, or else the default one, or none.
 * @throws {AdcRunError} There is no such profile, or its file is wrong.
 */
export async function profilesOf(
  { env, cwd }: Io,
  { options, reporter }: Asking,
): Promise<readonly Profile[]> {
  if (options.profile === false) return [];
  return await selectProfiles({ env, cwd, names: options.profile, onWarning: reporter.warn });
}

/**
 * The profile that is meant, for a command that has one target.
 *
 * @param io The process.
 * @param asking The options, who is told of warnings, and the command's name.
 * @returns The profile, or `undefined`.
 * @throws {UsageError} Several are named.
 * @throws {AdcRunError} There is no such profile, or its file is wrong.
 */
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
