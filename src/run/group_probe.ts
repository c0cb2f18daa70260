import type { ChildProcess } from "node:child_process";
import process from "node:process";
import type { Context } from "../context.ts";
import { findOnPath, readProcess } from "../system/programs.ts";

/** Tells a signal that a terminal sent to the whole process group from one that is for adc-run alone. */
export interface GroupProbe {
  /** Whether the group has it. */
  isForAll(): boolean;
  stop(): void;
}

/**
 * The system does not say whom a signal was sent to. A program in the same group that only waits, and that a
 * signal ends, shows it.
 */
export async function startGroupProbe(
  { env, cwd }: Pick<Context, "env" | "cwd">,
): Promise<GroupProbe | undefined> {
  const cat = process.platform === "win32" ? undefined : findOnPath("cat", { env, cwd });
  if (cat === undefined) return undefined;
  const { systemSpawner } = await import("../system/spawn.ts");
  const spawn = await systemSpawner();
  // It reads until this process is gone.
  const start = () =>
    spawn(cat, [], { env: {}, cwd: "/", stdio: ["pipe", "ignore", "ignore"] })
      .on("error", () => {});
  let program: ChildProcess = start();
  return {
    isForAll: () => {
      if (program.pid !== undefined && isWaiting(program.pid)) return false;
      program = start();
      return true;
    },
    stop: () => {
      program.kill("SIGKILL");
      program.unref();
    },
  };
}

/** One that has ended is a zombie for a moment; one that is about to has a signal pending. */
function isWaiting(pid: number): boolean {
  const status = readProcess(`/proc/${pid}/status`);
  return status !== undefined && !/^State:\s+[ZX]/m.test(status) &&
    !/^(?:Sig|Shd)Pnd:\s+0*[1-9a-f]/m.test(status);
}
