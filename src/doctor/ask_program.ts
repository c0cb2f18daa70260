import type { Buffer } from "node:buffer";
import process from "node:process";
import { codeOf } from "../errors.ts";
import type { Program } from "../run/locate.ts";
import { systemSpawner } from "../system/spawn.ts";
import type { Spawner } from "../system/spawn.ts";

/** How a program is asked. */
export interface AskProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** How long it may take, in milliseconds. */
  readonly timeout: number;
  /** How much it may print, in bytes. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
  /** How it is started. */
  readonly spawn?: Spawner | undefined;
}

/** What a program answered: what it printed, or why there is nothing of use. */
export type ProgramAnswer =
  | { readonly code: number | null; readonly stdout: string }
  | { readonly failure: string };

/**
 * Runs a program to its end and takes its standard output. It gets no input, and no shell reads its words.
 */
export async function askProgram(
  program: Pick<Program, "file" | "prefix">,
  args: readonly string[],
  options: AskProgramOptions,
): Promise<ProgramAnswer> {
  const { env, cwd, timeout, most = 65_536, signal } = options;
  signal?.throwIfAborted();
  const spawn = options.spawn ?? await systemSpawner();
  const answer = await new Promise<ProgramAnswer>((resolve) => {
    const child = spawn(program.file, [...program.prefix, ...args], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    });
    const finish = (result: ProgramAnswer) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      // What the program has started may keep the pipe open.
      child.stdout?.destroy();
      resolve(result);
    };
    const stop = (failure: string) => {
      try {
        if (child.pid !== undefined) process.kill(child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
      finish({ failure });
    };
    const abort = () => stop("it was given up");
    const timer = setTimeout(() => stop(`it did not end within ${timeout / 1000} s`), timeout);
    signal?.addEventListener("abort", abort, { once: true });
    const chunks: Uint8Array[] = [];
    let length = 0;
    child.stdout?.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > most) stop("it prints more than was asked for");
      else chunks.push(chunk);
    });
    child.once("error", (error) => {
      finish({ failure: `it could not be started (${codeOf(error) ?? "unknown error"})` });
    });
    child.once("close", (code) => {
      const decoder = new TextDecoder();
      const stdout = chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
      finish({ code, stdout: stdout + decoder.decode() });
    });
  });
  signal?.throwIfAborted();
  return answer;
}
