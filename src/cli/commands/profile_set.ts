import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../errors.ts";
import { describeEntries } from "../../lifecycle/token_stores.ts";
import { removeProfiles, setProfile, useProfile } from "../../profiles/edit_profiles.ts";
import { readUserProfiles } from "../../profiles/profile_file.ts";
import {
  followUse,
  PATH_SETTINGS,
  SETTING_NAMES,
  type SettingName,
  type StoredProfile,
} from "../../profiles/profile_settings.ts";
import { profileOf, sameTargets } from "../../profiles/select_profiles.ts";
import { storeFolder } from "../../store/private_path.ts";
import { openState, type TokenRecord } from "../../store/state.ts";
import { didYouMean } from "../../system/nearest.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import type { SetOptions, UseOptions } from "../manual/profile_commands.ts";
import { splitList } from "../options.ts";
import { fixed, line } from "../output/out.ts";
import type { Reporter } from "../output/report.ts";

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
  const { before } = await setProfile(name, { env: io.env, set, unset });
  await warnAboutProfile(name, io, reporter);
  const created = !before.profiles.has(name);
  const file = await readUserProfiles(io.env);
  if (options.json) {
    const settings = file.profiles.get(name);
    return reporter.answer({ profile: name, created, file: file.path, settings });
  }
  reporter.info(line`${fixed(created ? "created" : "changed")} profile "${name}" in ${file.path}`);
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
async function warnAboutProfile(name: string, { env }: Io, reporter: Reporter): Promise<void> {
  const file = await readUserProfiles(env);
  const profiles = [...file.profiles.keys()]
    .map((each) => profileOf(each, { file, explicit: false, env }));
  const others = sameTargets(profiles).find((names) => names.includes(name))
    ?.filter((each) => each !== name);
  if (others !== undefined) {
    const names = others.map((each) => `"${each}"`).join(", ");
    reporter.warn(`It has the same target as ${names}; each has its own token.`);
  }
  const { settings } = followUse(name, file.profiles);
  for (const key of PATH_SETTINGS) {
    const path = profiles.find((each) => each.name === name)?.[key];
    if (path !== undefined && !existsSync(path)) {
      reporter.warn(`"${key}" is "${path}", which does not exist yet.`);
    }
  }
  if ((settings.tlsClientCertFile === undefined) !== (settings.tlsClientKeyFile === undefined)) {
    reporter.warn(
      "A client certificate needs its key, and the profile has only one of the two.",
    );
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
