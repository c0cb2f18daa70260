/**
 * Runs a program under `strace`, and reads which system calls it and its children made.
 *
 * It needs Debian's package `strace`, and a system that lets one process trace another.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { skipUnless } from "../faults/fault.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** A system call. */
export interface Call {
  /** Its name, such as `openat`. */
  readonly name: string;
  /** What is between its parentheses, as `strace` writes it: each descriptor with what it leads to. */
  readonly args: string;
  /** What it gave. */
  readonly result: string;
}

/** A process with all its threads. */
export interface TracedProcess {
  /** The program that it became last, or `undefined` if it was to become one and did not. */
  readonly program: string | undefined;
  /** In order within each thread. */
  readonly calls: readonly Call[];
}

/** What tells of files, hosts and programs, and everything that bytes can leave through. */
const CALLS = [
  ...["%file", "%network", "%process"],
  ...["write", "writev", "pwrite64", "pwritev", "pwritev2"],
  ...["sendfile", "copy_file_range", "splice", "vmsplice"],
  ...["io_uring_setup", "io_uring_enter"],
].join();

/** What goes through a ring is not seen. A kernel may lack rings, and runtimes then do without. */
const WITHOUT_RINGS = ["-e", "inject=io_uring_setup:error=ENOSYS"];

/**
 * Why nothing can be traced here; said aloud, and not accepted where it is required with
 * `ADC_RUN_TEST_REQUIRE=strace`.
 *
 * @returns The reason, or `false`.
 */
export function straceSkip(): string | false {
  const probe = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]);
  const reason = skipUnless(
    "strace",
    probe.status === 0
      ? undefined
      : `what is touched is not looked at: ${
        probe.error ? "there is no" : "not allowed to"
      } strace`,
    process.env.ADC_RUN_TEST_REQUIRE,
  );
  if (reason !== false) process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

/**
 * Traces a program.
 *
 * @param run Starts the program; the words that it is given come in front of the program and its arguments.
 * @returns The processes, the program's own first, and what `run` returned.
 */
export async function traced<Ended>(
  run: (strace: readonly string[]) => Promise<Ended>,
): Promise<{ readonly ended: Ended; readonly processes: readonly TracedProcess[] }> {
  await using folder = await temporaryFolder();
  // A file for each thread, so that no call is interrupted by another; every string in full.
  const where = ["-ff", "-o", join(folder.path, "thread")];
  const how = ["-yy", "-v", "-s", "1000000", "-e", "signal=none", "-e", `trace=${CALLS}`];
  const ended = await run(["strace", ...where, ...how, ...WITHOUT_RINGS]);
  const threads = new Map<number, readonly Call[]>();
  for (const name of await readdir(folder.path)) {
    const text = await readFile(join(folder.path, name), "latin1");
    threads.set(Number(name.slice("thread.".length)), readCalls(text));
  }
  return { ended, processes: groupThreads(threads) };
}

function readCalls(text: string): readonly Call[] {
  return text.split("\n").flatMap((line) => {
    const [, name, args, result] = /^(\w+)\((.*)\) +=\s(.*)$/.exec(line) ?? [];
    if (name !== undefined) return [{ name, args: args!, result: result! }];
    // The end of a thread, and a call that it ended in, which came to nothing.
    if (
      line === "" || line.startsWith("+++ ") || line.startsWith("???()") ||
      /^(?:\w+|\?+)\(.*<unfinished \.\.\.>$/.test(line)
    ) return [];
    throw new Error(`Cannot read a line of strace: ${line.slice(0, 200)}`);
  });
}

/** Threads belong to the process that made them; whatever else was made is a process of its own. */
function groupThreads(threads: ReadonlyMap<number, readonly Call[]>): readonly TracedProcess[] {
  const made = new Map<number, { readonly by: number; readonly thread: boolean }>();
  for (const [by, calls] of threads) {
    for (const { name, args, result } of calls) {
      if (!/^(?:clone3?|v?fork)$/.test(name) || !/^\d+/.test(result)) continue;
      made.set(parseInt(result), { by, thread: args.includes("CLONE_THREAD") });
    }
  }
  const processOf = (id: number): number => {
    const origin = made.get(id);
    return origin?.thread ? processOf(origin.by) : id;
  };
  const processes = new Map<number, Call[]>();
  const ids = [...threads.keys()].sort((a, b) =>
    Number(made.has(a)) - Number(made.has(b)) || a - b
  );
  for (const id of ids) {
    const owner = processOf(id);
    processes.set(owner, [...processes.get(owner) ?? [], ...threads.get(id)!]);
  }
  return [...processes.values()].map((calls) => ({
    calls,
    program: calls.filter(({ name, result }) => name === "execve" && result === "0")
      .map(({ args }) => JSON.parse(/^"[^"]*"/.exec(args)![0]) as string).at(-1),
  }));
}
