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
