/**
 * Runs one of the stand-ins with the runtime that runs the tests.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** How a stand-in is run. */
export interface RunOptions {
  /** The whole environment, but for PATH and HOME. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default the current folder */
  readonly cwd?: string;
  /** What it reads from standard input. @default nothing */
  readonly input?: string;
  /** Called with each piece of standard output, and how to send a signal. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** How it went. */
export interface RunResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The path of a file beside this one. */
export function standIn(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** The words that run a script: Deno needs a few more than Node. */
export function runtimeCommand(script: string): [string, ...string[]] {
  const deno = "deno" in process.versions;
  return [process.execPath, ...(deno ? ["run", "--allow-all", "--quiet"] : []), script];
}

/**
 * Runs a stand-in to its end.
 *
 * @param name `adc.mjs` or `report.mjs`.
 * @param args Its arguments.
 * @param options Environment, folder and input.
 * @returns Exit code or signal, and what it printed.
 */
export function runStandIn(
  name: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [command, ...words] = runtimeCommand(standIn(name));
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(command, [...words, ...args], {
    env: { PATH, HOME, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    // `child.kill()` of Deno reports the wrong ending.
    options.onOutput?.(stdout, (signal) => process.kill(child.pid ?? NaN, signal));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
