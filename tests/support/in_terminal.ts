/**
 * Programs in a terminal of their own: `script`, from util-linux, makes a real one.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { isRequired } from "./required.ts";

/** Words for a shell. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** The words that run a program in a terminal; it ends as the program does. */
export function inTerminal(words: readonly string[]): string[] {
  return ["script", "--quiet", "--return", "--command", `exec ${shellWords(words)}`, "/dev/null"];
}

/** Why there is no terminal to be had here; said aloud, and not accepted where it is required. */
export function terminalSkip(): string | false {
  const required = isRequired("terminal");
  const found = process.platform === "linux" && !spawnSync("script", ["--version"]).error;
  if (found || required) return false;
  const reason = "the terminal is not tested: there is no script(1) of util-linux";
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}
