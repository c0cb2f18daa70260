import { basename, dirname } from "node:path";
import type { Connection } from "../../connection/connection.ts";
import { describeOrigin, isFromProject, type Profile } from "../../connection/origin.ts";
import type { Context, Environment } from "../../context.ts";
import { EXIT, messageOf } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { findProgram } from "../../system/programs.ts";
import type { Spawner } from "../../system/spawn.ts";
import type { SourceAnswer, TokenSource } from "../source.ts";
import { environmentWithoutTokens } from "../sources.ts";
import { MAX_TOKEN_BYTES } from "../token_value.ts";
import { splitCommand } from "./command_line.ts";

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
    find: async ({ connection, signal }): Promise<SourceAnswer> => {
      const { command, name } = commandFor(connection, env);
      if (command === undefined) return { status: "absent", reason: `${name} is not set` };
      let words: readonly string[];
      try {
        words = typeof command === "string" ? splitCommand(command) : command;
      } catch (error) {
        const reason = `${name} cannot be read: ${messageOf(error)}`;
        return { status: "broken", reason, cause: error };
      }
      const [program, ...args] = words;
      if (program === undefined) return { status: "absent", reason: `${name} is empty` };
      const refused = refuseHelper(connection);
      if (refused !== undefined) return refused;
      // What a profile names starts beside it, not in a repository that happens to be the working directory.
      const own = ownCommand(connection.profile) !== undefined;
      const cwd = own ? dirname(connection.profile!.file) : options.cwd;
      return await runHelper(program, args, { ...options, cwd, signal, from: name });
    },
  };
}

/** A profile has its own command; `ADC_TOKEN_COMMAND` is for all that have none. */
function commandFor(
  { profile }: Connection,
  env: Environment,
): { readonly command: string | readonly string[] | undefined; readonly name: string } {
  const own = ownCommand(profile);
  return own === undefined
    ? { command: env.ADC_TOKEN_COMMAND, name: "ADC_TOKEN_COMMAND" }
    : { command: own, name: `"tokenCommand" of profile "${profile!.name}"` };
}

/** A file that a cloned repository brings along names no programs. */
function ownCommand(profile: Profile | undefined): string | readonly string[] | undefined {
  return profile?.project ? undefined : profile?.tokenCommand;
}

/** A profile's command speaks for the profile's server alone. */
function refuseHelper({ profile, server }: Connection): SourceAnswer | undefined {
  if (ownCommand(profile) === undefined || !isFromProject(server.origin)) return undefined;
  const { name } = profile!;
  return {
    status: "broken",
    reason: `profile "${name}" has no server, so its token would go to ${server.value}, ` +
      `which only ${describeOrigin(server.origin)} sets`,
    suggestion: `Set the server: adc-run profile set ${name} --server URL`,
    exitCode: EXIT.config,
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
    return {
      status: "broken",
      reason: `${shownName(name)} ${captured.failure}`,
      suggestion: `Run the command in ${from} yourself to see why.`,
    };
  }
  const token = new Secret(captured.stdout);
  return { status: "found", token, detail: `the output of "${name}" (${from})` };
}

/**
 * Not what may be a token that was put in the place of the helper, nor its arguments, which may hold one.
 */
function shownName(name: string): string {
  return /^[a-z][a-z_.-]{0,30}$/i.test(name) ? `the helper "${name}"` : "the helper";
}
