import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import type { JSONPath } from "jsonc-parser";
import type { Context } from "../context.ts";
import { ConnectionError, EXIT, UsageError } from "../errors.ts";
import { withLock } from "../store/lock.ts";
import { preparePrivateFolder } from "../store/private_path.ts";
import { replaceFile } from "../store/replace_file.ts";
import { didYouMean } from "../system/nearest.ts";
import { type ParsedProfiles, parseProfiles } from "./parse_profiles.ts";
import { readProfilesText, userProfilesPath, withoutMark } from "./profile_file.ts";
import {
  FILE_VERSION,
  isProfileName,
  NAME_RULE,
  PROFILE_SCHEMA,
  ProfileFileError,
  type SettingName,
  type StoredProfile,
  type StoredWorkflow,
} from "./profile_settings.ts";
import { validateProfiles } from "./validate.ts";

type EditProfilesOptions = Pick<Context, "env" | "signal">;

interface ProfileChange {
  readonly set?: StoredProfile;
  readonly unset?: readonly SettingName[];
  /** Whether nothing else of the profile stays. @default false */
  readonly replace?: boolean;
}

interface ProfilesEdit {
  readonly before: ParsedProfiles;
  readonly after: ParsedProfiles;
}

/** A change to the text: `undefined` takes out what is there. */
interface Edit {
  readonly path: JSONPath;
  readonly value: unknown;
}

export async function setProfile(
  name: string,
  options: EditProfilesOptions & ProfileChange,
): Promise<ProfilesEdit> {
  const { set = {}, unset = [], replace = false } = options;
  if (!isProfileName(name)) {
    throw new UsageError(`Cannot set profile "${name}": that is not a profile name`, {
      suggestion: NAME_RULE,
    });
  }
  return await editProfiles(options, `set profile "${name}"`, ({ profiles }) => {
    if (replace || !profiles.has(name)) return [{ path: ["profiles", name], value: set }];
    const gone = unset.map((key): [string, unknown] => [key, undefined]);
    return [...gone, ...Object.entries(set)]
      .map(([key, value]) => ({ path: ["profiles", name, key], value }));
  });
}

export async function removeProfiles(
  names: readonly string[],
  options: EditProfilesOptions,
): Promise<ProfilesEdit> {
  return await editProfiles(options, "remove the profile", ({ profiles, use }) => {
    for (const name of names) requireProfile(name, { profiles, what: "remove" });
    for (const [user, profile] of profiles) {
      if (profile.use === undefined || names.includes(user) || !names.includes(profile.use)) {
        continue;
      }
      throw new UsageError(
        `Cannot remove profile "${profile.use}": profile "${user}" inherits from it`,
        { suggestion: `First: adc-run profile set ${user} --unset use` },
      );
    }
    const gone = [...new Set(names)].map((name): JSONPath => ["profiles", name]);
    if (use !== undefined && names.includes(use)) gone.unshift(["use"]);
    return gone.map((path) => ({ path, value: undefined }));
  });
}

export async function useProfile(
  name: string | undefined,
  options: EditProfilesOptions,
): Promise<ProfilesEdit> {
  return await editProfiles(options, "choose the profile", ({ profiles, use }) => {
    if (name !== undefined) requireProfile(name, { profiles, what: "use" });
    return use === name ? [] : [{ path: ["use"], value: name }];
  });
}

export async function setWorkflow(
  name: string,
  options: EditProfilesOptions & { readonly set: StoredWorkflow },
): Promise<void> {
  await editProfiles(
    options,
    `save workflow "${name}"`,
    () => [{ path: ["workflows", name], value: options.set }],
  );
}

function requireProfile(
  name: string,
  { profiles, what }: { readonly profiles: ParsedProfiles["profiles"]; readonly what: string },
): void {
  if (profiles.has(name)) return;
  throw new ConnectionError(
    `Cannot ${what} profile "${name}": you have no profile with that name`,
    EXIT.usage,
    { suggestion: didYouMean(name, [...profiles.keys()]) ?? 'See "adc-run profile list".' },
  );
}

async function editProfiles(
  { env, signal }: EditProfilesOptions,
  what: string,
  change: (before: ParsedProfiles) => readonly Edit[],
): Promise<ProfilesEdit> {
  const path = userProfilesPath(env);
  await preparePrivateFolder(dirname(path), "plain");
  return await withLock(`${path}.lock`, async (lock) => {
    refuseLink(path);
    const where = { path, project: false };
    const text = readProfilesText(where);
    const before = text === undefined
      ? { use: undefined, profiles: new Map<string, StoredProfile>(), workflows: new Map() }
      : await parseProfiles(withoutMark(text), where);
    const edits = change(before);
    if (edits.length === 0) return { before, after: before };
    const changed = await applyEdits(text ?? emptyFile(), edits);
    const value: unknown = JSON.parse(withoutMark(changed));
    const issue = validateProfiles(value, where);
    if (issue !== undefined) {
      const { found, suggestion } = issue;
      throw new UsageError(`Cannot ${what}: ${found}`, { suggestion });
    }
    const after = await parseProfiles(withoutMark(changed), where);
    if (changed !== text) await replaceFile(path, changed, { check: () => lock.check() });
    return { before, after };
  }, { what: "the profiles", signal });
}

/** A link would be replaced by a file, and what it led to would no longer be what counts. */
function refuseLink(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new ProfileFileError("it is a symbolic link", {
    path,
    suggestion: "Edit the file that it points to.",
  });
}

function emptyFile(): string {
  const { $id } = PROFILE_SCHEMA;
  return JSON.stringify({ $schema: $id, version: FILE_VERSION, profiles: {} }, null, 2) + "\n";
}

async function applyEdits(text: string, edits: readonly Edit[]): Promise<string> {
  const { applyEdits: apply, modify } = await import("jsonc-parser");
  const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
  const formattingOptions = {
    insertSpaces: !/^\t/m.test(text),
    tabSize: /^( +)\S/m.exec(text)?.[1]?.length ?? 2,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
  return mark + edits.reduce(
    (changed, { path, value }) =>
      apply(changed, modify(changed, path, value, { formattingOptions })),
    withoutMark(text),
  );
}
