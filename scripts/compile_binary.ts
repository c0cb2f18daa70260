/**
 * `deno compile`: the command as one file that needs no runtime.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DENO_PERMISSIONS } from "../tests/e2e/homes.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The systems that a release has a binary for, as `deno compile` names them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/**
 * The name of a binary.
 *
 * @param target The system, as in {@linkcode TARGETS}; this one by default.
 * @returns The file's name.
 */
export function binaryName(target?: string): string {
  if (target === undefined) return process.platform === "win32" ? "adc-run.exe" : "adc-run";
  return `adc-run-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/**
 * Compiles the command, with the permissions that the README lists.
 *
 * @param path Where the binary goes.
 * @param target The system; this one by default.
 * @throws {Error} `deno compile` fails: it fetches a runtime, from where not every machine can go.
 */
export async function compileBinary(path: string, target?: string): Promise<void> {
  const words = ["compile", "--quiet", "--no-prompt", ...DENO_PERMISSIONS];
  if (target !== undefined) words.push("--target", target);
  const deno = "deno" in process.versions ? process.execPath : process.env.DENO ?? "deno";
  await promisify(execFile)(deno, [...words, "--output", path, join(root, "src/cli/bin.ts")], {
    cwd: root,
  });
}
