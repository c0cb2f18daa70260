import { dirname, join, resolve } from "node:path";
import { DEFAULT_BACKEND } from "../connection/backends.ts";
import type { Profile, ProfileSettings } from "../connection/origin.ts";
import type { Context, Environment } from "../context.ts";
import { ConnectionError, EXIT } from "../errors.ts";
import { homeFolder } from "../system/files.ts";
import { didYouMean } from "../system/nearest.ts";
import { type ProfileFile, readProjectProfiles, readUserProfiles } from "./profile_file.ts";
import {
  followUse,
  isProfileName,
  NAME_RULE,
  PATH_SETTINGS,
  ProfileFileError,
} from "./profile_settings.ts";

/**
 * Options for {@linkcode selectProfiles}.
 * @category Profiles
 */
export interface SelectProfilesOptions extends Pick<Context, "env" | "cwd" | "onWarning"> {
  /**
   * The names that were given for this run.
   *
   * @default those in `ADC_RUN_PROFILE`, else the one that the user's own file uses by default
   */
  readonly names?: readonly string[] | undefined;
}

/**
 * Reads the profiles that a run is for: those that are named, else those in `ADC_RUN_PROFILE`, else the one
 * that the user's own file uses by default.
 *
 * @category Profiles
 * @param options The names, the environment and the working directory.
 * @returns The profiles in the order of their names, with what they take from others; none where none is
 * named and none is used by default.
 * @throws {ConnectionError} There is no such profile, or one is named twice; `exitCode` is 64 for `names`
 * and 78 for anything else.
 * @throws {ProfileFileError} A file of profiles is malformed; the message names the line.
 * @throws {StoreError} Others can change the user's own file.
 *
 * @example
 * ```ts
 * import { selectProfiles } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const env = { ADC_RUN_CONFIG_DIR: "/nowhere" };
 * assert.deepEqual(await selectProfiles({ env, cwd: "/nowhere" }), []);
 * ```
 */
export async function selectProfiles(options: SelectProfilesOptions): Promise<readonly Profile[]> {
  const { env, cwd, onWarning } = options;
  const chosen = namesOf(options);
  const own = await readUserProfiles(env);
  if (chosen === undefined) {
    // A project's profile of that name is somebody else's, and nobody asked for it.
    if (own.use === undefined) return [];
    const profile = defaultProfile(own.use, { own, env });
    // Nobody asked for what the project's file says, but for its limits.
    return [narrow(profile, await readProjectProfiles(cwd).catch(ignoreDamage))];
  }
  const { names, from, exitCode } = chosen;
  const project = await readProjectProfiles(cwd);
  return names.map((name) => {
    const file = [own, project].find(({ profiles }) => profiles.has(name));
    if (file === undefined) throw unknownProfile(name, { from, exitCode, files: [own, project] });
    if (file === own && project.profiles.has(name)) {
      onWarning?.(
        `Profile "${name}" is in both ${own.path} and ${project.path}; the first is used.`,
      );
    }
    return narrow(profileOf(name, { file, explicit: true, env }), project);
  });
}

/** A project can take from what a profile allows, and add nothing to it. */
function narrow(profile: Profile, project: ProfileFile | undefined): Profile {
  if (profile.project || !project?.profiles.has(profile.name)) return profile;
  const limit = followUse(profile.name, project.profiles).settings.allow?.value;
  if (limit === undefined) return profile;
  return { ...profile, allow: profile.allow?.filter((word) => limit.includes(word)) ?? limit };
}

function ignoreDamage(error: unknown): undefined {
  if (!(error instanceof ProfileFileError)) throw error;
}

function namesOf({ names, env }: SelectProfilesOptions) {
  const given = names !== undefined
    ? { names, from: "--profile", exitCode: EXIT.usage }
    : env.ADC_RUN_PROFILE
    ? { names: splitNames(env.ADC_RUN_PROFILE), from: "ADC_RUN_PROFILE", exitCode: EXIT.config }
    : undefined;
  if (given === undefined) return undefined;
  const fail = (found: string, suggestion?: string) =>
    new ConnectionError(`Cannot use ${given.from}: ${found}`, given.exitCode, { suggestion });
  if (given.names.length === 0) throw fail("it is empty");
  for (const [index, name] of given.names.entries()) {
    if (!isProfileName(name)) throw fail(`"${name}" is not a profile name`, NAME_RULE);
    if (given.names.indexOf(name) !== index) throw fail(`it lists "${name}" twice`);
  }
  return given;
}

function splitNames(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

function defaultProfile(
  name: string,
  { own, env }: { readonly own: ProfileFile; readonly env: Environment },
): Profile {
  if (!own.profiles.has(name)) {
    const from = `"use" in ${own.path}`;
    throw unknownProfile(name, { from, exitCode: EXIT.config, files: [own] });
  }
  return profileOf(name, { file: own, explicit: false, env });
}

export function profileOf(
  name: string,
  { file, explicit, env }: {
    readonly file: ProfileFile;
    readonly explicit: boolean;
    readonly env: Environment;
  },
): Profile {
  const { settings } = followUse(name, file.profiles);
  const values: { -readonly [K in keyof ProfileSettings]: unknown } = {};
  for (const [key, { value }] of Object.entries(settings)) {
    values[key as keyof ProfileSettings] = value;
  }
  for (const key of PATH_SETTINGS) {
    const path = settings[key]?.value;
    if (path !== undefined) values[key] = absolutePath(path, { file: file.path, env });
  }
  const { path, project } = file;
  return { ...values as ProfileSettings, name, file: path, project, explicit };
}

/** Paths in a file start from its folder; `~/` is the user's. */
export function absolutePath(
  path: string,
  { file, env }: { readonly file: string; readonly env: Environment },
): string {
  if (!/^~[/\\]/.test(path)) return resolve(dirname(file), path);
  return join(homeFolder(env), path.slice(2));
}

/** More would hide what is said about them. */
const MAX_NAMES = 20;

function unknownProfile(
  name: string,
  { from, exitCode, files }: {
    readonly from: string;
    readonly exitCode: number;
    readonly files: readonly ProfileFile[];
  },
): ConnectionError {
  const known = [...new Set(files.flatMap(({ profiles }) => [...profiles.keys()]))];
  const shown = known.slice(0, MAX_NAMES).join(", ") + (known.length > MAX_NAMES ? ", …" : "");
  const suggestion = known.length === 0
    ? "There are no profiles yet. Create one with: adc-run profile set NAME"
    : [didYouMean(name, known), `Profiles: ${shown}.`].filter(Boolean).join(" ");
  return new ConnectionError(
    from === "--profile"
      ? `There is no profile "${name}"`
      : `Cannot use ${from}: there is no profile "${name}"`,
    exitCode,
    { suggestion },
  );
}

export function sameTargets(
  profiles: readonly Pick<Profile, "name" | "backend" | "server" | "gatewayGroup">[],
): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const { name, backend, server, gatewayGroup } of profiles) {
    if (server === undefined) continue;
    const bases = server.split(",").map((each) => new URL(each.trim()).href.replace(/\/+$/, ""));
    // ADC's own defaults.
    const target = JSON.stringify([backend ?? DEFAULT_BACKEND, bases, gatewayGroup ?? "default"]);
    groups.set(target, [...groups.get(target) ?? [], name]);
  }
  return [...groups.values()].filter((names) => names.length > 1);
}
