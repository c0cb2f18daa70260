/**
 * Runs a program to its end.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { delimiter, dirname } from "node:path";
import process from "node:process";

/** How a program is run. */
export interface CommandOptions {
  /** @default the current folder */
  readonly cwd?: string;
  /** The whole environment. @default the tests' own */
  readonly env?: Readonly<Record<string, string>>;
}

/** How it went. */
export interface CommandResult {
  /** The exit code, or `null` where a signal ended it. */
  readonly code: number | null;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
}

/**
 * Runs a program, with nothing on standard input.
 *
 * @param command The program and its arguments.
 * @param options Folder and environment.
 * @returns Exit code and output.
 * @throws {Error} The program could not be started.
 */
export function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * Runs a program that has to succeed.
 *
 * @param command The program and its arguments.
 * @param options Folder and environment.
 * @returns Standard output.
 * @throws {Error} It exits with anything but 0; the message holds what it printed.
 */
export async function outputOf(
  command: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, options);
  if (code !== 0) {
    throw new Error(`"${command.join(" ")}" exited with ${code}:\n${stdout}${stderr}`);
  }
  return stdout;
}

/**
 * The tests' own environment, with one Node.js in front of all others: what starts `node` or `npm` gets
 * that one.
 *
 * @param node The path of a Node.js.
 * @returns The environment.
 */
export function environmentWith(node: string): Record<string, string> {
  const variables = Object.entries(process.env).filter(([, value]) => value !== undefined);
  const { PATH = "" } = process.env;
  return {
    ...Object.fromEntries(variables) as Record<string, string>,
    PATH: `${dirname(node)}${delimiter}${PATH}`,
  };
}
