import { Buffer } from "node:buffer";
import type { ChildProcess } from "node:child_process";
import { basename, dirname, resolve as resolvePath } from "node:path";
import type { Connection } from "../../connection/connection.ts";
import { describeOrigin, isFromProject } from "../../connection/origin.ts";
import type { Profile } from "../../connection/profile.ts";
import type { Environment } from "../../context.ts";
import { codeOf, EXIT, messageOf } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { silence } from "../../system/idle_timer.ts";
import { findOnPath } from "../../system/programs.ts";
import { systemSpawner } from "../../system/spawn.ts";
import type { Spawner } from "../../system/spawn.ts";
import type { SourceAnswer, TokenSource } from "../source.ts";
import { MAX_TOKEN_BYTES, withoutTrailingNewline } from "../token_value.ts";
import { splitCommand } from "./command_line.ts";

/** How the source `command` runs its helper. */
export interface CommandSourceOptions {
  /** The environment, usually `process.env`: `ADC_TOKEN_COMMAND` is taken from it, and the helper gets it. */
  readonly env: Environment;
  /** The folder that the helper in `ADC_TOKEN_COMMAND` starts in; a profile's starts beside the profile. */
  readonly cwd: string;
  /** What becomes of the helper's standard error, where helpers ask and VALIDATORS. @default "ignore" */
  readonly stderr?: "inherit" | "ignore";
  /** The helper's time limit in milliseconds. @default 30_000 */
  readonly timeout?: number;
  /** How the helper is started. @default the system's own way */
  readonly spawn?: Spawner;
}

/**
 * The source `command`: what the helper command in the profile's `tokenCommand`, else in
 * `ADC_TOKEN_COMMAND`, prints, such as `op read …` or `vault kv get …`. One trailing line break is dropped.
 *
 * The command is split without a shell and is never taken from `.env`, which a cloned repository brings
 * along.
 *
 * @param options The environment and the working directory.
 * @returns The source.
 *
 * @example
 * ```ts
 * import { commandSource, resolveConnection, resolveToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 * import process from "node:process";
 *
 * const env = { PATH: process.env.PATH, ADC_TOKEN_COMMAND: "echo a7ee-example" };
 * const connection = await resolveConnection({ env, cwd: "." });
 * const sources = [commandSource({ env, cwd: "." })];
 * const { token } = await resolveToken({ connection, sources });
 * assert.equal(token.reveal(), "a7ee-example");
 * ```
 */
export function commandSource(options: CommandSourceOptions): TokenSource {
  const { env, timeout = 30_000 } = options;
  return {
    name: "command",
    timeout,
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
      if (program === undefined) return { status: "absent", reason: `${name} is blank` };
      const refused = whyNot(connection);
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
function whyNot({ profile, server }: Connection): SourceAnswer | undefined {
  if (ownCommand(profile) === undefined) return undefined;
  const { name } = profile!;
  const broken = (reason: string, suggestion: string): SourceAnswer => ({
    status: "broken",
    reason,
    suggestion,
    exitCode: EXIT.config,
  });
  if (isFromProject(server.origin)) {
    return broken(
      `the profile "${name}" names no server, and its token would go to ${server.value}, which comes ` +
        `from ${describeOrigin(server.origin)} alone`,
      `Name the server: adc-run profile set ${name} --server URL`,
    );
  }
  return undefined;
}

async function runHelper(
  program: string,
  args: readonly string[],
  options: CommandSourceOptions & { readonly signal: AbortSignal; readonly from: string },
): Promise<SourceAnswer> {
  const { env, cwd, signal, from, stderr = "ignore" } = options;
  const spawn = options.spawn ?? await systemSpawner();
  // A signal that was aborted before would never end the helper.
  signal.throwIfAborted();
  const name = basename(program);
  const helper = shownName(name);
  const broken = (how: string): SourceAnswer => ({
    status: "broken",
    reason: `${helper} ${how}`,
    suggestion: `Run it by hand: it is the command in ${from}.`,
  });
  // Without the error as its cause: that holds the arguments.
  const notRun = (error: unknown): SourceAnswer => {
    const code = codeOf(error) ?? "unknown error";
    return broken(code === "ENOENT" ? "was not found" : `cannot be run (${code})`);
  };
  // An empty entry in PATH would make the system look in the working directory, which may be anybody's.
  const file = /[/\\]/.test(program)
    ? resolvePath(cwd, program)
    : findOnPath(program, { env, cwd });
  if (file === undefined) return broken("was not found");
  let child: ChildProcess;
  try {
    child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", stderr] });
  } catch (error) {
    return notRun(error);
  }
  // A helper that ignores a polite signal would outlive its time limit; so would a pipe that a process of
  // its own holds open.
  const stop = () => {
    child.kill("SIGKILL");
    child.stdout?.destroy();
  };
  signal.addEventListener("abort", stop, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout?.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MAX_TOKEN_BYTES) chunks.push(chunk);
    else stop();
  });
  const answer = await new Promise<SourceAnswer>((resolve) => {
    child.once("error", (error) => resolve(notRun(error)));
    // What it leaves running in the background, an agent say, may hold the pipe open for ever.
    const silent = silence(() => child.stdout?.destroy());
    child.once("exit", () => {
      silent.begin();
      child.stdout?.on("data", () => silent.begin());
    });
    child.once("close", (code, killedBy) => {
      silent.stop();
      if (length > MAX_TOKEN_BYTES) resolve(broken(`printed more than ${MAX_TOKEN_BYTES} bytes`));
      else if (killedBy !== null) resolve(broken(`was ended by ${killedBy}`));
      else if (code !== 0) resolve(broken(`exited with ${code}`));
      else {
        const token = new Secret(withoutTrailingNewline(Buffer.concat(chunks).toString("utf8")));
        const detail = `the output of "${name}" (${from})`;
        resolve({ status: "found", token, detail });
      }
    });
  });
  signal.removeEventListener("abort", stop);
  return answer;
}

/** Not what may be a token that was put in the place of the helper, nor its arguments, which may hold one. */
function shownName(name: string): string {
  return /^[a-z][a-z_.-]{0,30}$/i.test(name) ? `the helper "${name}"` : "the helper";
}
