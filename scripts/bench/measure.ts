import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Where and with what a contestant runs. */
export interface Surroundings {
  /** The working directory. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How often the peak is looked at, in milliseconds. */
const INTERVAL = 2;

/**
 * Runs a command to its end, with its output thrown away, and takes the time.
 *
 * @param command The program and its arguments.
 * @param surroundings Folder and environment.
 * @returns Milliseconds from the start of the process to the news of its end.
 * @throws {Error} It exits with anything but 0.
 */
export async function wallTime(
  command: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const started = performance.now();
  await run(command, surroundings);
  return performance.now() - started;
}

/**
 * Runs a command to its end, and watches its memory.
 *
 * Neither Node.js nor Deno tells what `wait4()` knows about a child. Linux' own high-water mark never
 * falls, so the last look before the end misses no more than the last milliseconds. It is the memory of
 * the process that was started, without its children: of the wrapper, not of what it runs.
 *
 * @param command The program and its arguments.
 * @param surroundings Folder and environment.
 * @returns The peak in bytes, or `undefined` where there is no `/proc` or the process was gone too soon.
 * @throws {Error} It exits with anything but 0.
 */
export async function peakMemory(
  command: readonly string[],
  surroundings: Surroundings,
): Promise<number | undefined> {
  let peak: number | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    await run(command, surroundings, (pid) => {
      timer = setInterval(() => peak = highWaterMark(pid) ?? peak, INTERVAL);
    });
  } finally {
    clearInterval(timer);
  }
  return peak;
}

function highWaterMark(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
    return Number(kilobytes) * 1024;
  } catch {
    // It has ended, and what is left of it has no memory; or this is not Linux.
    return undefined;
  }
}

function run(
  [program, ...args]: readonly string[],
  { cwd, env }: Surroundings,
  onStarted?: (pid: number) => void,
): Promise<void> {
  const child = spawn(program!, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  // A few lines: they tell what is wrong when a contestant fails, and a pipe has room for them.
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => complaint += text);
  if (child.pid !== undefined) onStarted?.(child.pid);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) return resolve();
      const rest = [program, ...args].join(" ");
      child.once(
        "close",
        () => reject(new Error(`"${rest}" ended with ${code ?? signal}:\n${complaint}`)),
      );
    });
  });
}
