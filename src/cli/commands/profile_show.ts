import type { Profile, ProfileSettings } from "../../connection/profile.ts";
import { UsageError } from "../../errors.ts";
import { followUse } from "../../profiles/follow_use.ts";
import { readProjectProfiles, readUserProfiles } from "../../profiles/profile_file.ts";
import { SETTING_NAMES } from "../../profiles/profile_settings.ts";
import { selectProfiles } from "../../profiles/select_profiles.ts";
import { alignColumns } from "../columns.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";

/** A setting, ready to be shown. */
interface ShownSetting {
  readonly value: NonNullable<ProfileSettings[keyof ProfileSettings]>;
  readonly profile: string;
}

/** Shows the settings of a profile, and which profile each is written in. */
export async function profileShow(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter, operands } = readPlainCommand(call, io, {
    name: "profile show",
    options: [],
    operands: { most: 1, what: "one name" },
  });
  const { env, cwd } = io;
  const names = operands.length === 0 ? undefined : operands;
  const chosen = await selectProfiles({ env, cwd, names, onWarning: reporter.warn });
  const [profile, ...others] = chosen;
  if (profile === undefined) {
    throw new UsageError("Cannot show the profile in use: none is", {
      suggestion: 'Name one; "adc-run profile list" shows them.',
    });
  }
  if (others.length > 0) {
    throw new UsageError(`Cannot show the profile in use: ADC_RUN_PROFILE names ${chosen.length}`, {
      suggestion: "Name the one that you mean.",
    });
  }
  const settings = await settingsOf(profile, io);
  const { name, file, project } = profile;
  if (options.json) {
    const { warnings } = reporter;
    reporter.print(
      JSON.stringify({ name, file, project, settings: Object.fromEntries(settings), warnings }),
    );
    return 0;
  }
  const rows = settings.map(([key, setting]) => [
    key,
    shown(setting.value),
    setting.profile === name ? "" : `from profile "${setting.profile}"`,
  ]);
  const whose = project ? "the project's" : "your own";
  reporter.print(alignColumns([["profile", name, `${whose}, ${file}`], ...rows]));
  return 0;
}

/** The settings in the order in which they are documented. */
async function settingsOf(
  profile: Profile,
  { env, cwd }: Io,
): Promise<readonly (readonly [string, ShownSetting])[]> {
  const file = profile.project ? await readProjectProfiles(cwd) : await readUserProfiles(env);
  const { settings } = followUse(profile.name, file.profiles);
  return SETTING_NAMES.flatMap((key) => {
    if (key === "use") return [];
    const [value, from] = [profile[key], settings[key]];
    return value === undefined || from === undefined
      ? []
      : [[key, { value, profile: from.profile }] as const];
  });
}

function shown(value: ShownSetting["value"]): string {
  // A command may have line breaks in it.
  // deno-lint-ignore no-control-regex
  return typeof value === "string" && !/[\x00-\x1f\x7f]/.test(value)
    ? value
    : JSON.stringify(value);
}
