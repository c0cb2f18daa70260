import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import process from "node:process";

/**
 * Starts a program with an array of arguments; no shell reads them.
 * @category Run
 */
export type Spawner = (
  program: string,
  args: readonly string[],
  options: SpawnOptions,
) => ChildProcess;

/**
 * The system's own way of starting a program. On Windows it has to be a file with its ending, as
 * `lookUpProgram()` finds it.
 *
 * Import this module where a program is started: no start-up has to wait for `node:child_process`.
 */
export async function systemSpawner(): Promise<Spawner> {
  if (process.platform !== "win32") {
    return (program, args, options) => spawn(program, [...args], options);
  }
  const { windowsCommand } = await import("./windows_command.ts");
  return (file, words, options) => {
    const { program, args, options: more } = windowsCommand(file, words, options.env ?? {});
    return spawn(program, [...args], { ...options, ...more });
  };
}
