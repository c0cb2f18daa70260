import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";

/** The commands, each loaded when it is called. */
const COMMANDS: Readonly<
  Record<string, () => Promise<(call: OwnCall, io: Io) => Promise<number>>>
> = {
  login: async () => (await import("./auth_login.ts")).authLogin,
  status: async () => (await import("./auth_status.ts")).authStatus,
  token: async () => (await import("./auth_status.ts")).authToken,
  list: async () => (await import("./auth_list.ts")).authList,
  rotate: async () => (await import("./auth_rotate.ts")).authRotate,
  revoke: async () => (await import("./auth_revoke.ts")).authRevoke,
  logout: async () => (await import("./auth_logout.ts")).authLogout,
};

/** Runs one of the commands on tokens. */
export async function auth({ words, options }: OwnCall, io: Io): Promise<number> {
  const [name, ...rest] = words;
  if (name !== undefined && Object.hasOwn(COMMANDS, name)) {
    return await (await COMMANDS[name]!())({ words: rest, options }, io);
  }
  throw (await import("../unknown.ts")).unknownSubcommand("auth", name);
}
