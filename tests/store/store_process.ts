/**
 * Starts processes that work on adc-run's files.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { nodeRuntime } from "../support/runtimes.ts";

/** A process that works on adc-run's files. */
export interface StoreProcess extends AsyncDisposable {
  /** Its process id. */
  readonly pid: number;
  /** Waits for its next line; `undefined` at the end. */
  readonly line: () => Promise<string | undefined>;
  /** Lets it go on. */
  readonly go: () => void;
  /** Ends it as a crash would, and waits for the end. */
  readonly kill: () => Promise<void>;
  /** Waits for its end, and makes sure that it was a good one. */
  readonly done: () => Promise<void>;
}

/** How a process is started. */
export interface StoreProcessOptions {
  /** The command that runs a TypeScript file. @default the runtime of the tests */
  readonly runtime?: readonly string[];
  /** A command that is put before the runtime. @default none */
  readonly prefix?: readonly string[];
  /** The program. @default store_program.ts */
  readonly program?: string;
}

const own: readonly string[] = "deno" in process.versions
  ? [process.execPath, "run", "-A", "--no-config", "--quiet"]
  : [process.execPath];

/**
 * The runtimes that are there: the one that runs the tests, and Node.js 24, if that is another.
 *
 * @returns The commands that run a TypeScript file.
 */
export async function runtimes(): Promise<readonly (readonly string[])[]> {
  if (!("deno" in process.versions)) return [own];
  const node = await nodeRuntime(24).catch(() => undefined);
  return node === undefined ? [own] : [own, [node]];
}

/**
 * Starts a process and waits until it is ready.
 *
 * @param args The task, the folder, and the task's argument.
 * @param options Where it runs.
 * @returns The process, which waits for `go()`.
 */
export async function startStoreProcess(
  args: readonly string[],
  { runtime = own, prefix = [], program = "store_program.ts" }: StoreProcessOptions = {},
): Promise<StoreProcess> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const [command = "", ...words] = [...prefix, ...runtime, file, ...args];
  const child: ChildProcess = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  child.stdin!.on("error", () => {});
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const line = async (): Promise<string | undefined> => {
    const { done, value } = await lines.next();
    return done ? undefined : value;
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
  };
  const started: StoreProcess = {
    pid: child.pid!,
    line,
    go: () => void child.stdin!.write("go\n"),
    kill,
    done: async () => {
      child.stdin!.end();
      assert.deepEqual(await ended, [0, null]);
    },
    [Symbol.asyncDispose]: kill,
  };
  assert.equal(await line(), "ready");
  return started;
}
