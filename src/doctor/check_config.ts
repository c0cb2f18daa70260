import { join } from "node:path";
import type { Profile } from "../connection/profile.ts";
import { UsageError } from "../errors.ts";
import {
  PROJECT_FILE,
  readProjectProfiles,
  readUserProfiles,
  USER_FILE,
} from "../profiles/profile_file.ts";
import type { ProfileFile } from "../profiles/profile_file.ts";
import { selectProfiles } from "../profiles/select_profiles.ts";
import { storeFolder } from "../store/private_path.ts";
import { failureOf } from "./finding.ts";
import type { Found } from "./finding.ts";
import type { Environment } from "../context.ts";

/** What `checkConfig` looks at. */
export interface CheckConfigOptions {
  readonly env: Environment;
  readonly cwd: string;
  /**
   * The profile that was named, `false` for none at all, `undefined` for the one that is in use.
   */
  readonly profile: string | false | undefined;
}

/** What there is to know about profiles. */
export interface ConfigReport {
  readonly findings: readonly Found[];
  readonly profile: Profile | undefined;
  /**
   * Whether it is unknown which profile is in force, so that nothing can be asked on its behalf.
   */
  readonly unclear: boolean;
}

/** Reads both files, and chooses the profile. */
export async function checkConfig(options: CheckConfigOptions): Promise<ConfigReport> {
  const { env, cwd } = options;
  const findings: Found[] = [];
  const good: string[] = [];
  const readers: readonly (readonly [string, () => Promise<ProfileFile>])[] = [
    [join(storeFolder(env), USER_FILE), () => readUserProfiles(env)],
    [PROJECT_FILE, () => readProjectProfiles(cwd)],
  ];
  for (const [name, read] of readers) {
    try {
      const { profiles } = await read();
      if (profiles.size > 0) good.push(`${count(profiles.size)} in ${name}`);
    } catch (error) {
      findings.push({
        suggestion: "Mend the file, or go on without profiles: --no-profile.",
        ...failureOf(error),
      });
    }
  }
  if (findings.length > 0 && options.profile !== false) {
    return { findings, profile: undefined, unclear: true };
  }
  const warnings: string[] = [];
  try {
    const profile = await select(options, (warning) => warnings.push(warning));
    for (const found of warnings) findings.push({ status: "warning", found });
    if (findings.length > 0) return { findings, profile, unclear: false };
    const inForce = profile === undefined ? "none in force" : `"${profile.name}" in force`;
    const found = good.length === 0 ? "no profiles" : `${good.join(", ")}; ${inForce}`;
    const data = { profile: profile?.name ?? null };
    return { findings: [{ status: "ok", found, data }], profile, unclear: false };
  } catch (error) {
    return { findings: [failureOf(error)], profile: undefined, unclear: true };
  }
}

async function select(
  { env, cwd, profile }: CheckConfigOptions,
  onWarning: (warning: string) => void,
): Promise<Profile | undefined> {
  if (profile === false) return undefined;
  const names = profile === undefined ? undefined : [profile];
  const [first, ...others] = await selectProfiles({ env, cwd, names, onWarning });
  if (others.length > 0) {
    throw new UsageError("Cannot look at several profiles at once: ADC_RUN_PROFILE names some", {
      suggestion: "Name one with --profile.",
    });
  }
  return first;
}

function count(number: number): string {
  return `${number} profile${number === 1 ? "" : "s"}`;
}
