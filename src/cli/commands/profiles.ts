import { existsSync } from "node:fs";
import { resolve } from "node:path";
import {
  misuse,
  type Profile,
  type ProfileSettings,
  profilesOrigin,
} from "../../connection/origin.ts";
import { messageOf, UsageError } from "../../errors.ts";
import { describeEntries } from "../../lifecycle/token_stores.ts";
import { removeProfiles, setProfile, useProfile } from "../../profiles/edit_profiles.ts";
import { readProjectProfiles, readUserProfiles } from "../../profiles/profile_file.ts";
import {
  followUse,
  PATH_SETTINGS,
  PROFILE_SCHEMA,
  SETTING_NAMES,
  type SettingName,
  type StoredProfile,
} from "../../profiles/profile_settings.ts";
import { profileOf, sameTargets, selectProfiles } from "../../profiles/select_profiles.ts";
import { storeFolder } from "../../store/private_path.ts";
import { openState, type TokenRecord } from "../../store/state.ts";
import { didYouMean } from "../../system/nearest.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import type { SetOptions, UseOptions } from "../manual/profile_commands.ts";
import { splitList } from "../options.ts";
import { fixed, line, type Text } from "../output/out.ts";
import type { Reporter } from "../output/report.ts";

export async function profileList({ options, reporter }: OwnCall, io: Io): Promise<number> {
  const { env, cwd } = io;
  const [own, project] = [await readUserProfiles(env), await readProjectProfiles(cwd)];
  const all = [own, project].flatMap((file) =>
    [...file.profiles.keys()].map((name) => profileOf(name, { file, explicit: false, env }))
  );
  // The user's own come first, and hide the project's of the same name.
  const profiles = all.filter(({ name }, index) =>
    all.findIndex((each) => each.name === name) === index
  );
  for (const hidden of all.filter((each) => !profiles.includes(each))) {
    reporter.warn(
      `Profile "${hidden.name}" in ${project.path} is hidden by your own with that name.`,
    );
  }
  for (const group of sameTargets(profiles)) {
    const names = group.map((name) => `"${name}"`).join(", ");
    reporter.warn(`Profiles ${names} have the same target; each has its own token.`);
  }
  const used = await namesInUse(io, reporter);
  if (options.json) {
    const list = profiles.map(({ explicit: _, ...profile }) => ({
      ...profile,
      inUse: used.includes(profile.name),
    }));
    return reporter.answer({ profiles: list, use: own.use ?? null });
  }
  if (profiles.length === 0) {
    reporter.info(fixed("there are no profiles yet; create one with: adc-run profile set NAME"));
    return 0;
  }
  const rows = profiles.map((each) => row(each, used.includes(each.name), options.verbose));
  reporter.table([["  NAME", "SERVER", "BACKEND", ""].map(fixed), ...rows]);
  return 0;
}

/** A default profile that is gone must not keep anybody from seeing those that are there. */
async function namesInUse({ env, cwd }: Io, reporter: Reporter): Promise<readonly string[]> {
  try {
    return (await selectProfiles({ env, cwd })).map(({ name }) => name);
  } catch (error) {
    reporter.warn(`${messageOf(error)}.`);
    return [];
  }
}

function row(profile: Profile, used: boolean, verbose: boolean | undefined): readonly Text[] {
  const { name, backend = "-", server = "-", gatewayGroup, file, project } = profile;
  return [
    line`${fixed(used ? "* " : "  ")}${name}`,
    server,
    gatewayGroup === undefined ? backend : line`${backend}, group ${gatewayGroup}`,
    verbose ? file : fixed(project ? "in adc-run.json" : ""),
  ];
}

interface ShownSetting {
  readonly value: NonNullable<ProfileSettings[keyof ProfileSettings]>;
  readonly profile: string;
}

export async function profileShow(
  { options, reporter, operands }: OwnCall,
  io: Io,
): Promise<number> {
  const { env, cwd } = io;
  const names = operands.length === 0 ? undefined : operands;
  const chosen = await selectProfiles({ env, cwd, names, onWarning: reporter.warn });
  const [profile, ...others] = chosen;
  if (profile === undefined) {
    throw new UsageError("Cannot show the profile in use: no profile is in use", {
      suggestion: 'Give its name; "adc-run profile list" shows them.',
    });
  }
  if (others.length > 0) {
    throw misuse(
      profilesOrigin(names !== undefined),
      `Cannot show the profile in use: ADC_RUN_PROFILE lists ${chosen.length}`,
      { suggestion: "Give the name of one." },
    );
  }
  const settings = await settingsOf(profile, io);
  const { name, file, project } = profile;
  if (options.json) {
    return reporter.answer({ name, file, project, settings: Object.fromEntries(settings) });
  }
  const rows = settings.map(([key, { value, profile }]) => [
    fixed(key),
    typeof value === "string" ? value : JSON.stringify(value),
    profile === name ? "" : line`from profile "${profile}"`,
  ]);
  const whose = fixed(project ? "the project's" : "your own");
  reporter.table([[fixed("profile"), name, line`${whose}, ${file}`], ...rows]);
  return 0;
}

async function settingsOf(
  profile: Profile,
  { env, cwd }: Io,
): Promise<readonly (readonly [string, ShownSetting])[]> {
  const file = profile.project ? await readProjectProfiles(cwd) : await readUserProfiles(env);
  const { settings } = followUse(profile.name, file.profiles);
  return SETTING_NAMES.flatMap((key) => {
    if (key === "use") return [];
    const [value, from] = [profile[key], settings[key]];
    if (value === undefined) return [];
    // What a project's file has taken from it comes from no profile of its own.
    return [[key, { value, profile: from?.profile ?? profile.name }] as const];
  });
}

export async function profileSchema({ reporter }: OwnCall): Promise<number> {
  reporter.print(fixed(JSON.stringify(PROFILE_SCHEMA, null, 2)));
  return await Promise.resolve(0);
}

export async function profileSet(
  { options, reporter, operands }: OwnCall<SetOptions>,
  io: Io,
): Promise<number> {
  const [name = ""] = operands;
  if (options.token !== undefined) {
    throw new UsageError("Cannot use --token in a profile: a profile never holds a secret", {
      suggestion: `Store it in the keychain: adc-run -p ${name} auth login --with-token`,
    });
  }
  const set = settingsFrom(options, io.cwd);
  const unset = readKeys(options.unset ?? "");
  const both = unset.find((key) => key in set);
  if (both !== undefined) throw new UsageError(`Cannot both set and unset "${both}"`);
  if (Object.keys(set).length + unset.length === 0) {
    throw new UsageError(`Cannot set profile "${name}": no settings given`, {
      suggestion: 'See "adc-run profile set --help".',
    });
  }
  const own = (await readUserProfiles(io.env)).profiles.has(name);
  if (!own && !("server" in set || "use" in set)) {
    const project = await readProjectProfiles(io.cwd);
    if (project.profiles.has(name)) {
      const found =
        `"${name}" is a profile of adc-run.json; a profile of your own replaces it completely`;
      throw new UsageError(`Cannot set profile "${name}": ${found}`, {
        suggestion: "Give --server too, or edit adc-run.json.",
      });
    }
  }
  const { before } = await setProfile(name, { env: io.env, set, unset });
  const created = !before.profiles.has(name);
  await warnAboutProfile(name, { io, reporter, created });
  const file = await readUserProfiles(io.env);
  if (options.json) {
    const settings = file.profiles.get(name);
    return reporter.answer({ profile: name, created, file: file.path, settings });
  }
  reporter.info(line`${fixed(created ? "created" : "changed")} profile "${name}" in ${file.path}`);
  if (created && file.use === undefined) {
    reporter.info(line`use it with -p ${name}, or by default: adc-run profile use ${name}`);
  }
  return 0;
}

function settingsFrom(options: SetOptions, cwd: string): StoredProfile {
  const set: Record<string, unknown> = {};
  for (const key of SETTING_NAMES) {
    const value = options[key];
    if (value !== undefined) {
      set[key] = ["sources", "allow"].includes(key) ? splitList(String(value)) : value;
    }
  }
  for (const key of PATH_SETTINGS) {
    // An empty path would become the working directory.
    if (options[key]) set[key] = resolve(cwd, options[key]);
  }
  return set;
}

/** Settings are named as in the file, or as on the command line. */
function readKeys(text: string): readonly SettingName[] {
  return splitList(text).map((word) => {
    const plain = word.replace(/^--/, "").replace(
      /-([a-z])/g,
      (_, letter: string) => letter.toUpperCase(),
    );
    const key = SETTING_NAMES.find((each) => each === plain);
    if (key !== undefined) return key;
    throw new UsageError(`Cannot unset "${word}": no such setting`, {
      suggestion: didYouMean(plain, SETTING_NAMES) ?? `Settings: ${SETTING_NAMES.join(", ")}.`,
    });
  });
}

/** What is no error yet, and may become one. */
async function warnAboutProfile(
  name: string,
  { io: { env }, reporter, created }: {
    readonly io: Io;
    readonly reporter: Reporter;
    readonly created: boolean;
  },
): Promise<void> {
  const file = await readUserProfiles(env);
  const profiles = [...file.profiles.keys()]
    .map((each) => profileOf(each, { file, explicit: false, env }));
  const others = sameTargets(profiles).find((names) => names.includes(name))
    ?.filter((each) => each !== name);
  if (created && others !== undefined) {
    const names = others.map((each) => `"${each}"`).join(", ");
    reporter.warn(`Profile "${name}" has the same target as ${names}; each has its own token.`);
  }
  const { settings } = followUse(name, file.profiles);
  for (const key of PATH_SETTINGS) {
    const path = profiles.find((each) => each.name === name)?.[key];
    if (path !== undefined && !existsSync(path)) {
      reporter.warn(`"${key}" is "${path}", which does not exist yet.`);
    }
  }
  if ((settings.tlsClientCertFile === undefined) !== (settings.tlsClientKeyFile === undefined)) {
    reporter.warn("A client certificate needs its key, and the profile has only one of the two.");
  }
}

export async function profileUse(
  { options, reporter, operands }: OwnCall<UseOptions>,
  io: Io,
): Promise<number> {
  const [name] = operands;
  if ((name === undefined) !== (options.none === true)) {
    throw new UsageError('"adc-run profile use" needs a name or --none', {
      suggestion: 'See "adc-run profile list".',
    });
  }
  const { before } = await useProfile(name, { env: io.env });
  if (io.env.ADC_RUN_PROFILE) {
    reporter.warn("ADC_RUN_PROFILE is set and takes precedence.");
  }
  if (options.json) {
    return reporter.answer({ use: name ?? null, before: before.use ?? null });
  }
  reporter.info(
    name === undefined
      ? fixed("there is no default profile now")
      : line`profile "${name}" is now the default`,
  );
  return 0;
}

export async function profileRemove(
  { options, reporter, operands }: OwnCall,
  io: Io,
): Promise<number> {
  const folder = storeFolder(io.env);
  const left = await storedFor(operands, { folder, reporter });
  const { before, after } = await removeProfiles(operands, { env: io.env });
  for (const { account, storage } of left) {
    const entry = describeEntries([account], { storage, folder });
    const profile = account.slice(0, account.indexOf("@"));
    reporter.warn(
      `The token of profile "${profile}" stays in ${entry} and stays valid on the server. ` +
        'To revoke one, run "adc-run -p NAME auth logout" before removing its profile.',
    );
  }
  const cleared = before.use !== undefined && after.use === undefined;
  const removed = [...new Set(operands)];
  if (options.json) {
    const tokens = left.map(({ account, storage }) => ({ account, storage }));
    return reporter.answer({ removed, use: after.use ?? null, tokens });
  }
  reporter.info(line`removed ${removed.map((name) => `"${name}"`).join(", ")}`);
  if (cleared) {
    reporter.info(fixed("it was the default profile; there is none now"));
  }
  return 0;
}

/** A state that cannot be read must not keep a profile from being removed. */
async function storedFor(
  names: readonly string[],
  { folder, reporter }: { readonly folder: string; readonly reporter: Reporter },
): Promise<readonly TokenRecord[]> {
  try {
    const records = await openState(folder, {}).list();
    return records.filter(({ account }) => names.some((name) => account.startsWith(`${name}@`)));
  } catch {
    reporter.warn("Cannot tell whether tokens are stored for it.");
    return [];
  }
}
