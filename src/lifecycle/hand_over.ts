import { lstatSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import process from "node:process";
import type { Context } from "../context.ts";
import {
  AdcRunError,
  type AdcRunErrorOptions,
  codeOf,
  EXIT,
  messageOf,
  reasonOf,
  throwIfNotCapable,
} from "../errors.ts";
import { createMask } from "../mask/mask.ts";
import { Secret, tokenPrefix } from "../secret.ts";
import { replaceFile } from "../store/replace_file.ts";
import { capture } from "../system/capture.ts";
import { isAbsent, readAtMost, statOrAbsent } from "../system/files.ts";
import { findOnPath } from "../system/programs.ts";
import { environmentWithoutTokens } from "../token/sources.ts";
import { splitCommand } from "../token/sources/command_source.ts";
import { MAX_TOKEN_BYTES, validateToken } from "../token/token_value.ts";

/**
 * How a workflow gets its token: on the standard input of a command (its words, or a text that is split without
 * a shell), in a file, or by a function.
 * @category Workflows
 */
export type HandOver =
  | {
    /** The command. It has to read all of its standard input, and exit with 0. */
    readonly toCommand: string | readonly string[];
    /** Where it starts. @default the working directory */
    readonly cwd?: string | undefined;
  }
  | {
    /** The file, which is created with mode 0600. */
    readonly toFile: string;
  }
  /** Takes the token; what it throws has the token revoked. */
  | ((token: Secret, options: { readonly signal?: AbortSignal | undefined }) => Promise<void>);

type CommandHandOver = Extract<HandOver, { readonly toCommand: unknown }>;

export interface Consumer {
  readonly label: string;
  /** Whether it may have the token though the hand-over failed. */
  readonly begun: () => boolean;
  take(token: Secret, signal: AbortSignal | undefined): Promise<void>;
}

interface ConsumerOptions extends Pick<Context, "env" | "cwd"> {
  /** Whether the consumer may have a token of the same workflow already. */
  readonly again: boolean;
  readonly onOutput?: ((line: string) => void) | undefined;
}

export async function openConsumer(to: HandOver, options: ConsumerOptions): Promise<Consumer> {
  if (typeof to !== "function") {
    return "toFile" in to ? await fileConsumer(to.toFile, options) : commandConsumer(to, options);
  }
  let begun = false;
  return {
    label: labelOf(to),
    begun: () => begun,
    take: async (token, signal) => {
      begun = true;
      await to(token, { signal });
    },
  };
}

/** What a table says of where a token goes: no arguments, which may hold anything. */
export function labelOf(to: HandOver): string {
  if (typeof to === "function") return "standard output";
  return "toFile" in to ? to.toFile : basename(wordsOf(to.toCommand)[0] ?? "");
}

/** Longer than any store of secrets takes, in milliseconds. */
const TIME_LIMIT = 60_000;

/** Far more than a command that stores a secret says. */
const MAX_OUTPUT = 256 * 1024;

/** The exit code of the script below where the command left some of its input. */
const NOT_READ = 97;

/**
 * The shell runs the command, whose words it does not read, and then looks for what the command left: no other
 * way tells whether a pipe was read.
 */
const SCRIPT = `"$@" || exit; IFS= read -r rest; [ -z "$rest" ] || exit ${NOT_READ}`;

function wordsOf(command: string | readonly string[]): readonly string[] {
  if (typeof command !== "string") return command;
  try {
    return splitCommand(command);
  } catch (error) {
    throw cannot(`the command cannot be read: ${messageOf(error)}`, EXIT.usage);
  }
}

function commandConsumer(
  { toCommand, cwd }: CommandHandOver,
  options: ConsumerOptions,
): Consumer {
  const [program = "", ...args] = wordsOf(toCommand);
  if (program.trim() === "") throw cannot("the command is empty", EXIT.usage);
  const place = { env: options.env, cwd: cwd ?? options.cwd };
  const file = /[/\\]/.test(program) ? resolve(place.cwd, program) : findOnPath(program, place);
  const label = basename(program);
  if (file === undefined || statOrAbsent(file) === undefined) {
    throw cannot(`the program "${label}" was not found`);
  }
  const shell = process.platform === "win32"
    ? { file, args }
    : { file: "/bin/sh", args: ["-c", SCRIPT, "sh", file, ...args] };
  let begun = false;
  return {
    label,
    begun: () => begun,
    take: async (token, signal) => {
      begun = true;
      const mask = createMask([token]);
      const captured = await capture(shell.file, shell.args, {
        cwd: place.cwd,
        env: environmentWithoutTokens(options.env),
        input: token.reveal(),
        stderr: "collect",
        maxBytes: MAX_OUTPUT,
        timeout: TIME_LIMIT,
        signal,
      });
      const output = "failure" in captured ? captured.output ?? "" : captured.stdout;
      for (const line of mask.text(output).split(/\r?\n/)) {
        if (line.trim() !== "") options.onOutput?.(`${label}: ${line}`);
      }
      if (!("failure" in captured)) return;
      const isUnread = captured.failure === `exited with ${NOT_READ}`;
      const failure = isUnread ? "did not read all of its standard input" : captured.failure;
      throw cannot(`"${label}" ${failure}`, EXIT.source, {});
    },
  };
}

async function fileConsumer(
  name: string,
  { cwd, again }: ConsumerOptions,
): Promise<Consumer> {
  if (name === "") throw cannot("the file has no name", EXIT.usage);
  const path = resolve(cwd, name);
  if (!statOrAbsent(dirname(path))?.isDirectory()) {
    throw cannot(`there is no folder "${dirname(path)}"`);
  }
  const requireFree = async () => {
    const found = await stateOf(path);
    if (found === "absent" || (again && found === "token")) return;
    const is = found === "token"
      ? "with a token in it"
      : "and is not a file of yours with a token in it";
    const suggestion = "Nothing was overwritten. Name another file, or remove that one.";
    throw cannot(`"${path}" exists already, ${is}`, EXIT.source, { suggestion });
  };
  await requireFree();
  return {
    label: path,
    begun: () => false,
    take: async (token) => {
      try {
        // Once more: it is moved into its place.
        await replaceFile(path, token.reveal(), { check: requireFree });
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
        const found = `"${path}" cannot be written: ${reasonOf(codeOf(error))}`;
        throw cannot(found, EXIT.source, { cause: error });
      }
    },
  };
}

async function stateOf(path: string): Promise<"absent" | "token" | "other"> {
  try {
    const stats = lstatSync(path);
    if (!stats.isFile() || stats.uid !== (process.getuid?.() ?? stats.uid)) return "other";
    const text = (await readAtMost(path, MAX_TOKEN_BYTES))?.toString("utf8").trim() ?? "";
    const isToken = tokenPrefix(text) === "a7ee-" &&
      validateToken(new Secret(text), "api7ee") === undefined;
    return isToken ? "token" : "other";
  } catch (error) {
    throwIfNotCapable(error);
    return isAbsent(error) ? "absent" : "other";
  }
}

function cannot(
  found: string,
  exitCode: number = EXIT.source,
  options: AdcRunErrorOptions = { suggestion: "No token was created." },
): AdcRunError {
  return new AdcRunError(`Cannot hand over the token: ${found}`, exitCode, options);
}
