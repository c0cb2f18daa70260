import { appendFileSync, fstatSync } from "node:fs";
import type { Connection } from "../../connection/connection.ts";
import { messageOf } from "../../errors.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import { sentToken, splitTokens } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import type { Reporter } from "./report.ts";

export interface CiRunner {
  readonly name: string;
  /** The line that makes an annotation of a message, which the log shows as well. */
  annotation(level: "error" | "warning", message: string): string;
  /** The line that has a text masked in whatever is printed later; it is not shown. */
  mask(secret: string): string;
}

const GITHUB: CiRunner = {
  name: "GitHub Actions",
  annotation: (level, message) => `::${level} title=adc-run::${escaped(message)}`,
  mask: (secret) => `::add-mask::${escaped(secret)}`,
};

/**
 * The CI system that reads standard error as it is written. Lines for it must not get into files, which would
 * keep them.
 */
export function ciRunner({ env, stderr }: Pick<Io, "env" | "stderr">): CiRunner | undefined {
  if (env.GITHUB_ACTIONS !== "true") return undefined;
  const { fd } = stderr as { readonly fd?: unknown };
  try {
    return typeof fd === "number" && fstatSync(fd).isFile() ? undefined : GITHUB;
  } catch {
    return GITHUB;
  }
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

interface RunnerSecret {
  readonly connection: { readonly backend: Pick<Connection["backend"], "value"> };
  readonly resolved: Pick<ResolvedToken, "token">;
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
  const runner = ciRunner(io);
  if (runner === undefined || !options.mask || options.json) return;
  if (sentToken(resolved.token) === undefined) return;
  for (const token of splitTokens(resolved.token, connection.backend.value)) {
    reporter.tellRunner(runner.mask(token.reveal()));
  }
}

/** Sets what later steps of a GitHub job read of this one; numbers and words alone. */
export function setOutputs(
  outputs: Readonly<Record<string, number | boolean>>,
  { io: { env }, reporter }: { readonly io: Pick<Io, "env">; readonly reporter: Reporter },
): void {
  const { GITHUB_ACTIONS: actions, GITHUB_OUTPUT: file } = env;
  if (actions !== "true" || !file) return;
  const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`);
  try {
    appendFileSync(file, lines.join(""));
  } catch (error) {
    reporter.warn(`The outputs of this step could not be set: ${messageOf(error)}`);
  }
}
