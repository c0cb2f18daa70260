import { Buffer } from "node:buffer";
import type { ChildProcess } from "node:child_process";
import { dirname } from "node:path";
import type { Environment } from "../../connection/origin.ts";
import { codeOf, CommandError, EXIT } from "../../errors.ts";
import { systemSpawner } from "../../spawn.ts";
import type { Spawner } from "../../spawn.ts";
import { plainEnvironment } from "../child_environment.ts";

/** How a program is tried. */
export interface TryOptions {
  /** The environment; the program gets it without tokens. */
  readonly env: Environment;
  /** How long it may take, in milliseconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How it is started. */
  readonly spawn?: Spawner | undefined;
}

/** Far more than a version. */
const MOST_BYTES = 64 * 1024;

/**
 * Asks a program for its version, in its own folder: in the working directory it might read a `.env`.
 */
export async function reportedVersion(file: string, options: TryOptions): Promise<string> {
  const { env, timeout = 10_000, signal } = options;
  const { ADC_TOKEN: _, API_KEY: __, ...plain } = plainEnvironment(env);
  const spawn = options.spawn ?? await systemSpawner();
  signal?.throwIfAborted();
  let child: ChildProcess;
  try {
    child = spawn(file, ["--version"], {
      cwd: dirname(file),
      env: plain,
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    throw notExecuted(error);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout?.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MOST_BYTES) chunks.push(chunk);
  });
  let late = false;
  let stop = () => {};
  const ending = new Promise<{ readonly code: number | null } | { readonly error: unknown }>(
    (resolve) => {
      child.once("error", (error) => resolve({ error }));
      child.once("close", (code) => resolve({ code }));
      stop = () => {
        child.kill("SIGKILL");
        // A child of its own may hold the other end.
        child.stdout?.destroy();
        resolve({ code: null });
      };
    },
  );
  // On Deno, an AbortSignal.timeout() that somebody listens to keeps the process alive.
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, timeout);
  signal?.addEventListener("abort", stop, { once: true });
  const ended = await ending;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  if ("error" in ended) throw notExecuted(ended.error);
  if (late) throw useless(`"adc --version" did not end within ${timeout / 1000} s`);
  if (ended.code === null) throw useless('"adc --version" was ended by a signal');
  if (ended.code !== 0) throw useless(`"adc --version" exited with ${ended.code}`);
  const [line = ""] = Buffer.concat(chunks).toString("utf8").split("\n", 1);
  return line.trim();
}

function notExecuted(error: unknown): CommandError {
  const code = codeOf(error) ?? "unknown error";
  return useless(`it cannot be executed (${code})`, {
    // A dynamic loader that is missing is what ENOENT means here, for the file is there.
    suggestion: code === "ENOENT"
      ? "It needs glibc: on Alpine Linux, name another ADC with --adc or ADC_RUN_ADC."
      : "A folder where programs may be executed can be named with ADC_RUN_CONFIG_DIR.",
    cause: error,
  });
}

function useless(
  found: string,
  options: { readonly suggestion?: string; readonly cause?: unknown } = {},
): CommandError {
  return new CommandError(`Cannot use the ADC that was downloaded: ${found}`, EXIT.notExecutable, {
    suggestion: "Is it the ADC for this system? Try another version.",
    ...options,
  });
}
