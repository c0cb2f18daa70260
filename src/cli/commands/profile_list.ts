import {
  misuse,
  type Profile,
  type ProfileSettings,
  profilesOrigin,
} from "../../connection/origin.ts";
import { messageOf, UsageError } from "../../errors.ts";
import { readProjectProfiles, readUserProfiles } from "../../profiles/profile_file.ts";
import { followUse, PROFILE_SCHEMA, SETTING_NAMES } from "../../profiles/profile_settings.ts";
import { profileOf, sameTargets, selectProfiles } from "../../profiles/select_profiles.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
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
