import type { Profile } from "../../connection/profile.ts";
import { readProjectProfiles, readUserProfiles } from "../../profiles/profile_file.ts";
import { profileOf, selectProfiles } from "../../profiles/select_profiles.ts";
import { sameTargets } from "../../profiles/same_targets.ts";
import { alignColumns } from "../columns.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";
import { messageOf } from "../../errors.ts";
import type { Reporter } from "../report.ts";

/** Lists the user's own profiles and the project's. */
export async function profileList(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter } = readPlainCommand(call, io, { name: "profile list", options: [] });
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
      `The profile "${hidden.name}" of ${project.path} is hidden by your own of that name.`,
    );
  }
  for (const group of sameTargets(profiles)) {
    const names = group.map((name) => `"${name}"`).join(", ");
    reporter.warn(`The profiles ${names} are for the same target; each has a token of its own.`);
  }
  const used = await namesInUse(io, reporter);
  if (options.json) {
    const list = profiles.map(({ explicit: _, ...profile }) => ({
      ...profile,
      inUse: used.includes(profile.name),
    }));
    const { warnings } = reporter;
    reporter.print(JSON.stringify({ profiles: list, use: own.use ?? null, warnings }));
    return 0;
  }
  if (profiles.length === 0) {
    reporter.info('there are no profiles yet: "adc-run profile set NAME" makes one');
    return 0;
  }
  const rows = profiles.map((each) => row(each, used.includes(each.name)));
  const head = ["", "NAME", "BACKEND", "SERVER", "GATEWAY GROUP", "FILE"];
  reporter.print(alignColumns([head, ...rows]));
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

function row(profile: Profile, used: boolean): readonly string[] {
  const { name, backend = "-", server = "-", gatewayGroup = "-", file } = profile;
  return [used ? "*" : " ", name, backend, server, gatewayGroup, file];
}
