import { fstatSync } from "node:fs";
import type { Connection } from "../../connection/connection.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import { splitTokens } from "../../token/token_value.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions } from "../options.ts";
import type { Reporter } from "./report.ts";

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
function addMask(secret: string): string {
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

/** The token, and the connection that it is for. */
interface RunnerSecret {
  readonly connection: Connection;
  readonly resolved: ResolvedToken;
}

/**
 * Tells the runner the token, in lines that it reads and does not show; not with `--json`, `--no-mask`, or
 * where nobody but a file would read them.
 */
export function maskInRunner(
  { connection, resolved }: RunnerSecret,
  { reporter, io, options }: {
    readonly reporter: Reporter;
    readonly io: Io;
    readonly options: Pick<GlobalOptions, "json" | "mask">;
  },
): void {
  if (!hasRunner(io) || !options.mask || options.json) return;
  for (const token of splitTokens(resolved.token, connection.backend.value)) {
    reporter.tellRunner(addMask(token.reveal()));
  }
}
