import { Buffer } from "node:buffer";
import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { type Context, type Environment, variableIn } from "../context.ts";
import { codeOf, reasonOf, UsageError } from "../errors.ts";
import { deadline, ENDED_PROCESS, IdleTimer, unlessAborted } from "./deadline.ts";
import type { Spawner } from "./spawn.ts";

interface CaptureOptions extends Pick<Context, "env" | "cwd" | "signal"> {
  readonly maxBytes: number;
  readonly timeout?: number | undefined;
  readonly stdin?: "inherit" | "ignore" | undefined;
  readonly input?: string | undefined;
  /** What becomes of its standard error; `collect` adds it to its output. @default "ignore" */
  readonly stderr?: "inherit" | "ignore" | "collect" | undefined;
  readonly spawn?: Spawner | undefined;
}

/** What a program printed before it exited with 0, or what it did else, such as `was not found`. */
export type Captured =
  | { readonly stdout: string }
  | { readonly failure: string; readonly output?: string };

/**
 * Runs a program for its standard output. No shell reads its words. One that is
 * neither done in time nor content with its bytes is killed with all that it has started.
 *
 * No failure tells the arguments, which may hold a secret.
 */
export async function capture(
  program: string,
  args: readonly string[],
  options: CaptureOptions,
): Promise<Captured> {
  const { env, cwd, signal, input, stdin = "ignore", stderr = "ignore", timeout = 0 } = options;
  const spawn = options.spawn ?? await (await import("./spawn.ts")).systemSpawner();
  // A signal that has ended before would never end the program.
  signal?.throwIfAborted();
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd,
      env,
      stdio: [
        input === undefined ? stdin : "pipe",
        "pipe",
        stderr === "collect" ? "pipe" : stderr,
      ],
    });
    // Whether it reads to the end is its own business.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return notStarted(error);
  }
  const end = deadline(timeout, [signal]);
  try {
    return await unlessAborted(readOutput(child, options), end.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!end.signal.aborted) throw error;
    return { failure: `did not end within ${timeout / 1000} s` };
  } finally {
    end.clear();
    if (child.exitCode === null && child.signalCode === null) await killTree(child, env);
    // What it leaves running may hold the pipes open, which would keep this process alive.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }
}

function readOutput(child: ChildProcess, { maxBytes, stderr }: CaptureOptions): Promise<Captured> {
  const chunks: Buffer[] = [];
  let length = 0;
  let ended = false;
  // What it leaves running in the background, an agent say, may hold the pipe open forever.
  const idle = new IdleTimer(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, ENDED_PROCESS);
  const output = () => Buffer.concat(chunks).toString("utf8");
  return new Promise<Captured>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) resolve({ failure: `printed more than ${maxBytes} bytes` });
        else chunks.push(chunk);
        if (ended) idle.start();
      });
    }
    child.once("exit", () => {
      ended = true;
      idle.start();
    });
    // For as long as it is there: an error that nobody hears would end this process.
    child.on("error", (error) => resolve(notStarted(error)));
    child.once("close", (code, killedBy) => {
      const printed = stderr === "collect" ? { output: output() } : {};
      if (killedBy !== null) resolve({ failure: `was ended by ${killedBy}`, ...printed });
      else if (code !== 0) resolve({ failure: `exited with ${code}`, ...printed });
      else resolve({ stdout: output() });
    });
  }).finally(() => idle.stop());
}

function notStarted(error: unknown): Captured {
  const code = codeOf(error);
  return { failure: code === "ENOENT" ? "was not found" : `cannot be run: ${reasonOf(code)}` };
}

/** Ends a process on Windows with all that it has started, unless its parent has ended before it. */
export async function endTree(pid: number, env: Environment): Promise<void> {
  const { systemSpawner } = await import("./spawn.ts");
  const spawn = await systemSpawner();
  // By its path: Windows would take one that lies in the working directory.
  const taskkill = `${
    variableIn(env, "SystemRoot", "win32") ?? "C:\\Windows"
  }\\System32\\taskkill.exe`;
  const words = ["/pid", String(pid), "/t", "/f"];
  spawn(taskkill, words, { stdio: "ignore" }).on("error", () => process.kill(pid));
}

/** By SIGKILL: a program that ignores a polite signal would outlive its time limit. */
async function killTree(child: ChildProcess, env: Environment): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (process.platform === "win32") return await endTree(pid, env);
  const below = descendants(pid);
  child.kill("SIGKILL");
  for (const each of below) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It has ended by itself, or is not ours to end.
    }
  }
}

/**
 * Only Linux tells; the group would be all of ours, and a group of its own would lose the terminal.
 */
function descendants(pid: number): readonly number[] {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).flatMap((task) =>
      readFileSync(`${folder}/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number)
    ).flatMap((child) => [child, ...descendants(child)]);
  } catch {
    // It has ended meanwhile, or Deno withholds it.
    return [];
  }
}
