import type { ChildProcess, StdioOptions } from "node:child_process";
import type { Writable } from "node:stream";
import type { Mask } from "../mask/mask.ts";
import { systemSpawner } from "../spawn.ts";
import type { Spawner } from "../spawn.ts";
import { pipeOutput } from "./output.ts";
import { notStarted } from "./locate.ts";
import type { Program } from "./locate.ts";
import { forwardSignals, sendSignal } from "./signals.ts";
import type { SignalPort } from "./signals.ts";

/** Where the child's streams lead and how it is treated. */
export interface ChildOptions {
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  /** Where its standard output goes. */
  readonly stdout: Writable | "inherit" | "ignore";
  /** Where its standard error goes. */
  readonly stderr: Writable | "inherit" | "ignore";
  /** Where its standard input comes from. */
  readonly stdin: "inherit" | "ignore";
  /** What is masked in streams that are piped. */
  readonly mask: Mask;
  /** Whether a terminal sends signals to the child as well. */
  readonly terminal: boolean;
  /** Where signals arrive that are to be passed on. */
  readonly signals?: SignalPort | undefined;
  /** Ends the child with SIGTERM. */
  readonly signal?: AbortSignal | undefined;
  /** How it is started. */
  readonly spawn?: Spawner | undefined;
}

/** How the child ended. */
export interface ChildEnding {
  /** Its exit code, `null` where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The system's code where its output could not be passed on. */
  readonly outputFailure?: string;
}

/** Runs a program to its end. */
export async function runChild(
  program: Program,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildEnding> {
  const { stdin, stdout, stderr, env, cwd, signals, signal } = options;
  let child: ChildProcess | undefined;
  let early: NodeJS.Signals | undefined;
  const send = (each: NodeJS.Signals) => {
    if (child === undefined) early = each;
    else if (isAlive(child)) sendSignal(child.pid!, each);
  };
  // Handlers first: a signal between the start of the child and its handler would end adc-run alone.
  const stop = signals && forwardSignals({ port: signals, terminal: options.terminal, send });
  const abort = () => send("SIGTERM");
  signal?.addEventListener("abort", abort);
  try {
    const spawn = options.spawn ?? await systemSpawner();
    signal?.throwIfAborted();
    const stdio: StdioOptions = [stdin, wayOf(stdout), wayOf(stderr)];
    try {
      child = spawn(program.file, [...program.prefix, ...args], { env, cwd, stdio });
    } catch (error) {
      // Node emits some failures and throws others.
      throw notStarted(error, program);
    }
    const outputs = [
      [child.stdout, stdout] as const,
      [child.stderr, stderr] as const,
    ].flatMap(([from, to]) =>
      from && typeof to !== "string" ? [pipeOutput(from, to, options)] : []
    );
    const ended = ending(child, program);
    if (early !== undefined) send(early);
    const { code, signal: killedBy } = await ended;
    for (const output of outputs) output.childEnded();
    const endings = await Promise.all(outputs.map(({ done }) => done));
    const failure = endings.find((each) => each.failure !== undefined)?.failure;
    return { code, signal: killedBy, ...(failure !== undefined && { outputFailure: failure }) };
  } finally {
    signal?.removeEventListener("abort", abort);
    stop?.();
  }
}

function wayOf(stream: Writable | "inherit" | "ignore"): "inherit" | "ignore" | "pipe" {
  return typeof stream === "string" ? stream : "pipe";
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function ending(
  child: ChildProcess,
  program: Program,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => reject(notStarted(error, program)));
  });
}
