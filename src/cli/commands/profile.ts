import { PROFILE_SCHEMA } from "../../profiles/profile_settings.ts";
import type { Io } from "../io.ts";
import { readPlainCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";

/** The commands, each loaded when it is called. */
const COMMANDS: Readonly<
  Record<string, () => Promise<(call: OwnCall, io: Io) => Promise<number>>>
> = {
  list: async () => (await import("./profile_list.ts")).profileList,
  show: async () => (await import("./profile_list.ts")).profileShow,
  set: async () => (await import("./profile_set.ts")).profileSet,
  remove: async () => (await import("./profile_set.ts")).profileRemove,
  use: async () => (await import("./profile_set.ts")).profileUse,
  import: async () => (await import("./profile_import.ts")).profileImport,
  schema: async () => await Promise.resolve(profileSchema),
};

/** Runs one of the commands on profiles. */
export async function profile({ words, options }: OwnCall, io: Io): Promise<number> {
  const [name, ...rest] = words;
  if (name !== undefined && Object.hasOwn(COMMANDS, name)) {
    const command = await COMMANDS[name]!();
    return await command({ words: rest, options }, io);
  }
  throw (await import("../unknown.ts")).unknownSubcommand("profile", name);
}

/** Prints the schema. */
async function profileSchema(call: OwnCall, io: Io): Promise<number> {
  const { reporter } = readPlainCommand(call, io, { name: "profile schema", options: [] });
  reporter.print(JSON.stringify(PROFILE_SCHEMA, null, 2));
  return await Promise.resolve(0);
}
