/**
 * `adc-run help`.
 *
 * @module
 */

import { helpText } from "../help.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";

/**
 * Shows the help on a command or a topic.
 *
 * @param call The command's words: what to show the help on.
 * @param io The process.
 * @returns The exit code.
 * @throws {UsageError} There is no help on that.
 */
export async function help(call: OwnCall, io: Io): Promise<number> {
  const words = call.words.filter((word) => word !== "--help" && word !== "-h");
  io.stdout.write(helpText(words.join(" ")));
  return await Promise.resolve(0);
}
