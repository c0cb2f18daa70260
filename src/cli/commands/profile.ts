import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";

/** The commands, each loaded when it is called. */
const COMMANDS: Readonly<
  Record<string, () => Promise<(call: OwnCall, io: Io) => Promise<number>>>
> = {
  list: async () => (await import("./profile_list.ts")).profileList,
  show: async () => (await import("./profile_show.ts")).profileShow,
  set: async () => (await import("./profile_set.ts")).profileSet,
  remove: async () => (await import("./profile_remove.ts")).profileRemove,
  use: async () => (await import("./profile_use.ts")).profileUse,
  import: async () => (await import("./profile_import.ts")).profileImport,
  schema: async () => (await import("./profile_schema.ts")).profileSchema,
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
