import { basename, dirname } from "node:path";
import process from "node:process";
import { describeOrigin, isFromProject } from "../../connection/origin.ts";
import type { Context } from "../../context.ts";
import { EXIT, messageOf } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { findProgram } from "../../system/programs.ts";
import type { Spawner } from "../../system/spawn.ts";
import { environmentWithoutTokens, type SourceAnswer, type TokenSource } from "../sources.ts";
import { MAX_TOKEN_BYTES } from "../token_value.ts";

export interface CommandSourceOptions extends Pick<Context, "env" | "cwd"> {
  readonly stdin?: "inherit" | "ignore" | undefined;
  readonly stderr?: "inherit" | "ignore" | undefined;
  readonly timeout?: number | undefined;
  readonly spawn?: Spawner | undefined;
}

/**
 * The source `command`: what the helper command in the profile's `tokenCommand`, else in
 * `ADC_TOKEN_COMMAND`, prints, such as `op read …` or `vault kv get …`.
 *
 * The command is split without a shell and is never taken from `.env`, which a cloned repository brings
 * along. The one in `ADC_TOKEN_COMMAND` starts in the working directory, a profile's beside the profile.
 */
export function commandSource(options: CommandSourceOptions): TokenSource {
  const { env, timeout = 30_000 } = options;
  return {
    name: "command",
    timeoutMs: timeout,
    find: async ({ connection: { profile, server }, signal }): Promise<SourceAnswer> => {
      // A profile has its own command, but a file that a cloned repository brings along names no programs.
      const own = profile?.project ? undefined : profile?.tokenCommand;
      const command = own ?? env.ADC_TOKEN_COMMAND;
      const from = own === undefined
        ? "ADC_TOKEN_COMMAND"
        : `"tokenCommand" of profile "${profile!.name}"`;
      if (command === undefined) return { status: "absent", reason: `${from} is not set` };
      let words: readonly string[];
      try {
        words = typeof command === "string" ? splitCommand(command) : command;
      } catch (error) {
        const reason = `${from} cannot be read: ${messageOf(error)}`;
        const suggestion = /quote/.test(reason)
          ? "Close it, or put a backslash before it."
          : undefined;
        return { status: "broken", reason, suggestion, cause: error };
      }
      const [program, ...args] = words;
      if (program === undefined) return { status: "absent", reason: `${from} is empty` };
      if (own === undefined) return await runHelper(program, args, { ...options, signal, from });
      const { name, file } = profile!;
      // It speaks for the profile's server alone.
      if (isFromProject(server.origin)) {
        return {
          status: "broken",
          reason: `profile "${name}" has no server, so its token would go to ${server.value}, ` +
            `which only ${describeOrigin(server.origin)} sets`,
          suggestion: `Set the server: adc-run profile set ${name} --server URL`,
          exitCode: EXIT.config,
        };
      }
      // It starts beside the profile, not in a repository that happens to be the working directory.
      return await runHelper(program, args, { ...options, cwd: dirname(file), signal, from });
    },
  };
}

async function runHelper(
  program: string,
  args: readonly string[],
  options: CommandSourceOptions & { readonly signal: AbortSignal; readonly from: string },
): Promise<SourceAnswer> {
  const { from } = options;
  const name = basename(program);
  // An empty entry in PATH would make the system look in the working directory, which may be anybody's.
  const file = findProgram(program, options);
  const { capture } = await import("../../system/capture.ts");
  const captured = file === undefined
    ? { failure: "was not found" }
    // The chain of sources has the time limit, and ends the signal.
    : await capture(file, args, {
      ...options,
      env: environmentWithoutTokens(options.env),
      timeout: 0,
      maxBytes: MAX_TOKEN_BYTES,
    });
  if ("failure" in captured) {
    // Not its arguments, which may hold a token, nor what may be one in its own place.
    const helper = /^[a-z][a-z_.-]{0,30}$/i.test(name) ? `the helper "${name}"` : "the helper";
    return {
      status: "broken",
      reason: `${helper} ${captured.failure}`,
      suggestion: `Run the command in ${from} yourself to see why.`,
    };
  }
  const token = new Secret(captured.stdout);
  return { status: "found", token, detail: `the output of "${name}" (${from})` };
}

/**
 * Splits a command at its spaces, as a shell would, but expands nothing.
 *
 * Single quotes keep everything, double quotes keep everything but `\"` and `\\`, and a backslash outside
 * of quotes keeps the next character. On Windows, where paths are full of them, a backslash keeps a quote, and
 * stands for itself elsewhere. A text that starts with `[` is a JSON array of words.
 */
export function splitCommand(
  text: string,
  platform: string = process.platform,
): readonly string[] {
  if (text.trimStart().startsWith("[")) return readArray(text);
  const words: string[] = [];
  const [pattern, escapes] = platform === "win32" ? ON_WINDOWS : ELSEWHERE;
  let word: string | undefined;
  for (const [, single, double, escaped, plain, space, stray] of text.matchAll(pattern)) {
    if (stray === "\\") throw new SyntaxError("it ends in a backslash");
    if (stray !== undefined) throw new SyntaxError(`a quote (${stray}) is not closed`);
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") +
        (single ?? double?.replace(escapes, "$1") ?? escaped ?? plain ?? "");
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

const ELSEWHERE = [
  /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(\s+)|(.)/gs,
  /\\(["\\])/g,
] as const;

const ON_WINDOWS = [
  /'([^']*)'|"((?:[^"\\]|\\"|\\(?!"))*)"|\\(["'])|([^\s'"\\]+|\\)|(\s+)|(.)/gs,
  /\\(")/g,
] as const;

function readArray(text: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError("it starts with [ but is not JSON");
  }
  if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value;
  throw new SyntaxError("it is a JSON array, but not of strings");
}
