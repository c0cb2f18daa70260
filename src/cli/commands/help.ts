import { helpText } from "../help.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";

/** Shows the help on a command or a topic. */
export async function help(call: OwnCall, io: Io): Promise<number> {
  const words = call.words.filter((word) => word !== "--help" && word !== "-h");
  io.stdout.write(helpText(words.join(" ")));
  return await Promise.resolve(0);
}
