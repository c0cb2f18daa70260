import type { ChildProcess, SpawnOptions } from "node:child_process";
import process from "node:process";

/** Starts a program with an array of arguments; no shell reads them. */
export type Spawner = (
  program: string,
  args: readonly string[],
  options: SpawnOptions,
) => ChildProcess;

/**
 * The system's own way of starting a program.
 *
 * On Windows that is `cross-spawn`, which finds `adc.cmd` and quotes its arguments; elsewhere Node's own
 * `spawn` does the same with less to load.
 */
export async function systemSpawner(): Promise<Spawner> {
  if (process.platform === "win32") {
    const { default: spawn } = await import("cross-spawn") as { default: Spawner };
    return spawn;
  }
  return (await import("./node_spawn.ts")).nodeSpawn;
}
