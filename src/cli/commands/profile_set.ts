import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CONNECTION_OPTIONS } from "../../connection/adc_options.ts";
import { UsageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { setProfile } from "../../profiles/edit_profiles.ts";
import { followUse } from "../../profiles/follow_use.ts";
import { readUserProfiles } from "../../profiles/profile_file.ts";
import { PATH_SETTINGS, SETTING_NAMES } from "../../profiles/profile_settings.ts";
import type { SettingName, StoredProfile } from "../../profiles/profile_settings.ts";
import { sameTargets } from "../../profiles/same_targets.ts";
import { profileOf } from "../../profiles/select_profiles.ts";
import type { Io } from "../io.ts";
import { splitList } from "../option_values.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";
import type { Reporter } from "../report.ts";

/** The options that are written down as they are. */
type SetOptions = Readonly<Partial<Record<Exclude<SettingName, "tlsSkipVerify">, string>>> & {
  readonly tlsSkipVerify?: boolean;
  readonly token?: string;
  readonly unset?: string;
};

/** Makes a profile, or changes the settings that are named and leaves the others. */
export async function profileSet(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter, operands } = readPlainCommand<SetOptions>(call, io, {
    name: "profile set",
    options: [
      ...CONNECTION_OPTIONS,
      "--username <name>",
      "--token-command <text>",
      "--sources <list>",
      "--use <name>",
      "--unset <keys>",
    ],
    operands: { least: 1, most: 1, what: "one name" },
  });
  const [name = ""] = operands;
  if (options.token !== undefined) {
    throw new UsageError("Cannot use --token in a profile: a profile never holds a secret", {
      suggestion: `Put it into the keychain: adc-run -p ${name} auth login --with-token`,
    });
  }
  const set = settingsFrom(options, io.cwd);
  const unset = readKeys(options.unset ?? "");
  const both = unset.find((key) => key in set);
  if (both !== undefined) throw new UsageError(`Cannot both set and unset "${both}"`);
  if (Object.keys(set).length + unset.length === 0) {
    throw new UsageError(`Cannot set profile "${name}": no setting is given`, {
      suggestion: 'See "adc-run profile set --help".',
    });
  }
  const { before } = await setProfile(name, { env: io.env, set, unset });
  await tellDoubts(name, io, reporter);
  const created = !before.profiles.has(name);
  const file = await readUserProfiles(io.env);
  if (options.json) {
    const { warnings } = reporter;
    const settings = file.profiles.get(name);
    reporter.print(JSON.stringify({ profile: name, created, file: file.path, settings, warnings }));
    return 0;
  }
  reporter.info(`${created ? "made" : "changed"} profile "${name}" in ${file.path}`);
  return 0;
}

function settingsFrom(options: SetOptions, cwd: string): StoredProfile {
  const set: Record<string, unknown> = {};
  for (const key of SETTING_NAMES) {
    const value = options[key];
    if (value !== undefined) {
      set[key] = key === "sources" ? splitList(String(value)) : value;
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
    const near = nearest(plain, SETTING_NAMES);
    throw new UsageError(`Cannot unset "${word}": there is no such setting`, {
      suggestion: near === undefined
        ? `There are ${SETTING_NAMES.join(", ")}.`
        : `Did you mean "${near}"?`,
    });
  });
}

/** What is no error yet, and may become one. */
async function tellDoubts(name: string, { env }: Io, reporter: Reporter): Promise<void> {
  const file = await readUserProfiles(env);
  const profiles = [...file.profiles.keys()]
    .map((each) => profileOf(each, { file, explicit: false, env }));
  const others = sameTargets(profiles).find((names) => names.includes(name))
    ?.filter((each) => each !== name);
  if (others !== undefined) {
    const names = others.map((each) => `"${each}"`).join(", ");
    reporter.warn(`It is for the same target as ${names}; each has a token of its own.`);
  }
  const { settings } = followUse(name, file.profiles);
  for (const key of PATH_SETTINGS) {
    const path = profiles.find((each) => each.name === name)?.[key];
    if (path !== undefined && !existsSync(path)) {
      reporter.warn(`There is no file "${path}" yet, which is the profile's "${key}".`);
    }
  }
  if ((settings.tlsClientCertFile === undefined) !== (settings.tlsClientKeyFile === undefined)) {
    reporter.warn(
      "A client certificate and its key belong together, and the profile has only one.",
    );
  }
}
