import { appendFileSync, fstatSync } from "node:fs";
import type { Connection } from "../../connection/connection.ts";
import { messageOf } from "../../errors.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import { ACTION_VARIABLE } from "../../token/sources.ts";
import { sentToken, splitTokens } from "../../token/token_value.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import type { Reporter } from "./report.ts";

export interface CiRunner {
  /** The line that makes an annotation of a message, which the log shows as well. */
  annotation(level: "error" | "warning", message: string): string;
  /** The line that has a text masked in whatever is printed later; it is not shown. */
  mask(secret: string): string;
}

const GITHUB: CiRunner = {
  annotation: (level, message) => `::${level} title=adc-run::${escaped(message)}`,
  mask: (secret) => `::add-mask::${escaped(secret)}`,
};

/** Only where standard error is read as it is written: a file would keep lines that are not to be shown. */
export function ciRunner({ env, stderr }: Pick<Io, "env" | "stderr">): CiRunner | undefined {
  if (env.GITHUB_ACTIONS !== "true") return undefined;
  const { fd } = stderr as { readonly fd?: unknown };
  try {
    return typeof fd === "number" && fstatSync(fd).isFile() ? undefined : GITHUB;
  } catch {
    return GITHUB;
  }
}

/** As `escapeData()` of @actions/core: nothing of the message may end the command or begin another. */
function escaped(message: string): string {
  return message.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

type RunnerSecret = Pick<ResolvedToken, "token" | "source"> & {
  readonly connection: { readonly backend: Pick<Connection["backend"], "value"> };
};

/**
 * Tells the runner a token, in lines that it reads and does not show. In a step of anybody's own these could be
 * captured, in clear, so only our action's step asks for it; and what the environment has the runner knows.
 */
export function maskInRunner(
  { connection, token, source }: RunnerSecret,
  { reporter, io, options }: {
    readonly reporter: Reporter;
    readonly io: Io;
    readonly options: Pick<GlobalOptions, "json" | "mask">;
  },
): void {
  const runner = io.env[ACTION_VARIABLE] === "true" ? ciRunner(io) : undefined;
  if (runner === undefined || !options.mask || options.json) return;
  if (sentToken(token) === undefined || source === "env") return;
  for (const each of splitTokens(token, connection.backend.value)) {
    const value = each.reveal();
    if (!isInEnvironment(value, io)) reporter.tellRunner(runner.mask(value));
  }
}

function isInEnvironment(value: string, { env }: Pick<Io, "env">): boolean {
  return Object.keys(env).some((name) => {
    try {
      return env[name]?.trim() === value;
    } catch {
      // Deno throws where a variable is not valid UTF-8.
      return false;
    }
  });
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
