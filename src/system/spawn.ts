import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import process from "node:process";

/** Starts a program with an array of arguments; no shell reads them. */
export type Spawner = (
  program: string,
  args: readonly string[],
  options: SpawnOptions,
) => ChildProcess;

/**
 * The system's own way of starting a program: on Windows `cross-spawn`, which finds `adc.cmd` and quotes its
 * arguments; elsewhere Node's own `spawn` does the same with less to load.
 *
 * Import this module where a program is started: no start-up has to wait for `node:child_process`.
 */
export async function systemSpawner(): Promise<Spawner> {
  if (process.platform !== "win32") {
    return (program, args, options) => spawn(program, [...args], options);
  }
  const { default: crossSpawn } = await import("cross-spawn") as { default: Spawner };
  return crossSpawn;
}
