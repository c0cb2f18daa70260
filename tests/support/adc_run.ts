/**
 * Starts adc-run as a person or a pipeline would, and collects what comes out.
 *
 * @module
 */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Home } from "./homes.ts";

/** How adc-run is started. */
export interface StartOptions {
  /** The environment but for `PATH`, `HOME` and `DENO_DIR`. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd: string;
  /** What comes in on standard input. */
  readonly input?: string;
  /** Told each time more came out on standard output: all of it so far, and the process. */
  readonly onStdout?: (text: string, child: ChildProcess) => void;
  /** Told once the process is there; standard input is then the test's to write and to end. */
  readonly whenStarted?: (child: ChildProcess) => void;
}

/** How adc-run ended. */
export interface Ending {
  /** The exit code, or `null` where a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | null;
  /** What a shell would have in `$?`. */
  readonly status: number;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
}

/** Longer than any run takes, however busy the machine is, in milliseconds. */
const MAX_RUN = 5 * 60_000;

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** The path of a stand-in. */
export function standIn(name: "adc.mjs" | "adc_rust.mjs" | "report.mjs"): string {
  return fileURLToPath(new URL(`../stand_ins/${name}`, import.meta.url));
}

/** The environment that every home gets: enough to start, and nothing of the tester's own tokens. */
export function bareEnvironment(cwd: string): Record<string, string> {
  const { PATH = "", HOME = "", DENO_DIR } = process.env;
  return {
    PATH,
    HOME: cwd,
    NO_COLOR: "1",
    // Deno's caches are found by HOME, which is the test's own folder.
    DENO_DIR: DENO_DIR ?? `${HOME}/.cache/deno`,
    // Deno would look for a newer Deno, through a test's proxy too.
    DENO_NO_UPDATE_CHECK: "1",
    // Bun would cache what it compiles under HOME.
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
  };
}

/**
 * Runs adc-run to its end.
 *
 * @param home Where it lives.
 * @param args Its arguments.
 * @param options Environment, folder, input.
 * @returns How it ended.
 */
export function adcRun(
  home: Home,
  args: readonly string[],
  options: StartOptions,
): Promise<Ending> {
  return collect([...home.command, ...args], options);
}

/**
 * Runs any program to its end.
 *
 * @param command The program and its arguments.
 * @param options Environment, folder, input.
 * @returns How it ended.
 */
export function collect(command: readonly string[], options: StartOptions): Promise<Ending> {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    cwd: options.cwd,
    env: { ...bareEnvironment(options.cwd), ...options.env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    options.onStdout?.(stdout, child);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  child.stdin.on("error", () => {});
  if (options.whenStarted) options.whenStarted(child);
  else child.stdin.end(options.input ?? "");
  // One that never ends would hold all tests up; what it left unsaid makes its own test fail.
  const limit = setTimeout(() => child.kill("SIGKILL"), MAX_RUN);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      const status = code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0);
      resolve({ code, signal, status, stdout, stderr });
    });
  });
}
