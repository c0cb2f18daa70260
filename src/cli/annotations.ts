import { fstatSync } from "node:fs";
import type { Io } from "./io.ts";

/**
 * Tells whether a runner of GitHub Actions reads standard error as it is written. Lines for the runner must
 * not get into files, which would keep them.
 */
export function hasRunner({ env, stderr }: Pick<Io, "env" | "stderr">): boolean {
  if (env.GITHUB_ACTIONS !== "true") return false;
  const { fd } = stderr as { readonly fd?: unknown };
  try {
    return typeof fd !== "number" || !fstatSync(fd).isFile();
  } catch {
    return true;
  }
}

/**
 * The workflow command that makes an annotation. The runner shows the message in the log as well.
 */
export function annotation(level: "error" | "warning", message: string): string {
  return `::${level} title=adc-run::${escaped(message)}`;
}

/** The workflow command that has the runner mask a text in whatever is printed later. */
export function addMask(secret: string): string {
  return `::add-mask::${escaped(secret)}`;
}

/**
 * As `escapeData()` of @actions/core: nothing of the message may end the command or begin another.
 */
function escaped(message: string): string {
  return message.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/**
 * Keeps a line for people from being read by the runner, which looks for its older commands, such as
 * `##[add-mask]`, in the middle of a line too.
 */
export function withoutCommands(line: string): string {
  return line.replaceAll("##[", "## [");
}
