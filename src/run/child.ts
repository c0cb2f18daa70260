import type { ChildProcess, StdioOptions } from "node:child_process";
import { closeSync, fstatSync, openSync, readdirSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import type { Context } from "../context.ts";
import { codeOf } from "../errors.ts";
import type { Mask } from "../mask/mask.ts";
import { makePipes, type Pipe, type PipeStock } from "../system/pipes.ts";
import { isDeno, isNode, lookUpProgram, readProcess } from "../system/programs.ts";
import type { Spawner } from "../system/spawn.ts";
import { notStarted, type Program, requireInterpreter } from "./locate.ts";
import type { RunOptions } from "./options.ts";
import { type Output, pipeOutput } from "./output.ts";
import {
  ENDING,
  type GroupProbe,
  type RunSignals,
  sendSignal,
  startGroupProbe,
} from "./signals.ts";

/** Where the child's output goes, once that is decided. */
export type ChildOutput = Writable | "inherit" | "ignore";

interface ChildOptions extends Pick<Context, "cwd" | "signal"> {
  readonly env: Record<string, string | undefined>;
  readonly stdout: ChildOutput;
  readonly stderr: ChildOutput;
  readonly stdin: "inherit" | "ignore";
  readonly mask: Mask;
  /** Whether a terminal sends signals to the child as well. */
  readonly terminal?: boolean | undefined;
  readonly watch: RunSignals;
  /** Those that were made while there was something to wait for. */
  readonly pipes?: Promise<OutputPipes> | undefined;
  readonly stock?: PipeStock | undefined;
  readonly spawn?: Spawner | undefined;
}

export interface ChildEnding {
  /** Its exit code, `null` where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The system's code where its output could not be passed on. */
  readonly outputFailure: string | undefined;
}

interface StartedChild {
  send(signal: NodeJS.Signals): void;
  readonly ended: Promise<Pick<ChildEnding, "code" | "signal">>;
  readonly outputs: readonly Output[];
}

export async function runChild(
  program: Program,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildEnding> {
  const { watch, terminal = false, signal } = options;
  let child: StartedChild | undefined;
  let early: NodeJS.Signals | undefined;
  let probe: GroupProbe | undefined;
  let limit: NodeJS.Timeout | undefined;
  let interrupted = false;
  let interrupt = (): void => {
    interrupted = true;
  };
  const send = (each: NodeJS.Signals) => {
    if (ENDING.includes(each)) interrupt();
    if (child === undefined) early = each;
    else child.send(each);
  };
  // Handlers first: a signal between the start of the child and its handler would end adc-run alone.
  watch.passTo((each) => {
    // A second SIGINT makes many programs give up their own clean-up.
    const isRepeated = terminal && FROM_TERMINAL.includes(each) && child !== undefined &&
      (probe?.isForAll() ?? true);
    if (isRepeated) interrupt();
    else send(each);
  });
  const abort = () => send("SIGTERM");
  signal?.addEventListener("abort", abort);
  try {
    child = await startChild(program, args, options);
    if (early !== undefined) send(early);
    if (terminal && options.spawn === undefined) probe = await startGroupProbe(options);
    const { code, signal: killedBy } = await child.ended;
    const { outputs } = child;
    for (const output of outputs) output.childEnded();
    // Somebody may hold the other end and never read: whoever ends the child does not wait for that.
    interrupt = () => outputs.forEach((output) => output.cut());
    if (interrupted && killedBy !== null) limit = setTimeout(interrupt, LAST_OUTPUT_TIME);
    const endings = await Promise.all(outputs.map(({ done }) => done));
    const failure = endings.find((each) => each.failure !== undefined)?.failure;
    return { code, signal: killedBy, outputFailure: failure };
  } finally {
    clearTimeout(limit);
    probe?.stop();
    signal?.removeEventListener("abort", abort);
  }
}

/** How long the rest of a child's output may take that a signal has ended; in milliseconds. */
const LAST_OUTPUT_TIME = 1_000;

/** The signals that a terminal sends to all that run at it. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

async function startChild(
  program: Program,
  args: readonly string[],
  options: ChildOptions,
): Promise<StartedChild> {
  const { stdin, stdout, stderr, env, cwd, watch, signal } = options;
  const pipes = await (options.pipes ?? outputPipes(options));
  const readers: (Readable | undefined)[] = [];
  try {
    const spawn = options.spawn ?? await (await import("../system/spawn.ts")).systemSpawner();
    signal?.throwIfAborted();
    const stdio: StdioOptions = [
      stdin,
      typeof stdout === "string" ? stdout : pipes[0]?.writeEnd ?? "pipe",
      typeof stderr === "string" ? stderr : pipes[1]?.writeEnd ?? "pipe",
      ...namedDescriptors(args, [stdout, stderr], pipes),
    ];
    if (watch.ignored.length > 0) requireInterpreter(program, { env, cwd });
    // Before the child, which would run with nobody to watch it where no descriptor is left for them.
    for (const pipe of new Set(pipes)) readers.push(pipe?.read());
    let child: ChildProcess;
    try {
      const words = ignoring(watch.ignored, [program.file, ...program.prefix, ...args]);
      child = startOrShell(words, (file, args) => spawn(file, args, { env, cwd, stdio }), {
        env,
        cwd,
      });
    } catch (error) {
      // Node emits some failures and throws others.
      throw notStarted(error, program, { env, cwd });
    }
    const [out = child.stdout, error = child.stderr] = readers;
    return {
      send: (each) => {
        const isAlive = child.exitCode === null && child.signalCode === null;
        if (child.pid !== undefined && isAlive) sendSignal(child.pid, each, env);
      },
      ended: ending(child, program, { env, cwd }),
      outputs: [[out, stdout] as const, [error, stderr] as const].flatMap(([from, to]) =>
        from && typeof to !== "string" ? [pipeOutput(from, to, options)] : []
      ),
    };
  } catch (error) {
    for (const reader of readers) reader?.destroy();
    throw error;
  } finally {
    closePipes(pipes);
  }
}

/**
 * Bun reports a script without a first line, for which Node.js and Deno start a shell, as shells do.
 */
export function startOrShell<T>(
  [file = "", ...args]: readonly string[],
  start: (file: string, args: readonly string[]) => T,
  where: Pick<Context, "env" | "cwd">,
): T {
  // Bun starts a program before it has a descriptor to watch it with, and fails without one.
  if (!isDeno && !isNode() && process.platform !== "win32") closeSync(openSync("/", "r"));
  try {
    return start(file, args);
  } catch (error) {
    if (codeOf(error) !== "ENOEXEC") throw error;
    const found = lookUpProgram(file, where);
    return start("/bin/sh", ["file" in found ? found.file : file, ...args]);
  }
}

/** A runtime's child listens to all signals: the program is started by one that ignores some. */
function ignoring(
  signals: readonly NodeJS.Signals[],
  words: readonly string[],
): readonly string[] {
  if (signals.length === 0) return words;
  const names = signals.map((each) => each.slice("SIG".length));
  // The other way loses variables whose names are none to a shell; `env` takes a program's name for one.
  return hasFullEnv() && !words[0]!.includes("=")
    ? ["/usr/bin/env", ...names.map((each) => `--ignore-signal=${each}`), ...words]
    : ["/bin/sh", "-c", `trap "" ${names.join(" ")}; exec "$@"`, "sh", ...words];
}

/** BusyBox' takes no such option. */
function hasFullEnv(): boolean {
  try {
    return ["env", "coreutils"].includes(basename(realpathSync("/usr/bin/env")));
  } catch {
    return false;
  }
}

/**
 * The pipes of a child's output, where the runtime's own are none; the same where both lead to one file: the order
 * of what is written is kept.
 */
export type OutputPipes = readonly [stdout?: Pipe | undefined, stderr?: Pipe | undefined];

export async function outputPipes(
  { stdout = "ignore", stderr = "ignore", env, cwd, stock, spawn }:
    & Pick<RunOptions, "stdout" | "stderr" | "spawn">
    & Pick<ChildOptions, "stock">
    & Pick<Context, "env" | "cwd">,
): Promise<OutputPipes> {
  const isOne = isOneFile(stdout, stderr);
  const piped = [stdout, stderr].map((each) => each !== "inherit" && each !== "ignore");
  // Whoever brings a way of starting programs is asked for "pipe".
  if (spawn !== undefined || (isDeno && !isOne) || !piped.includes(true)) return [];
  const count = isOne ? 1 : piped.filter(Boolean).length;
  const pipes = await (stock?.take(count) ?? makePipes(count, { env, cwd }));
  return [piped[0] ? pipes?.[0] : undefined, piped[1] ? pipes?.at(-1) : undefined];
}

export function closePipes(pipes: OutputPipes): void {
  for (const pipe of new Set(pipes)) pipe?.close();
}

export function isOneFile(...streams: readonly RunOptions["stdout"][]): boolean {
  const [one, other] = streams.map((each) => (each as { readonly fd?: unknown }).fd);
  return process.platform !== "win32" && one === 1 && other === 2 && isSameFile(1, 2);
}

function isSameFile(one: number, other: number): boolean {
  try {
    const [first, second] = [fstatSync(one, { bigint: true }), fstatSync(other, { bigint: true })];
    return first.dev === second.dev && first.ino === second.ino;
  } catch {
    return false;
  }
}

/**
 * What a shell writes for `<(…)` leads to an open descriptor. Deno hands its own on; Node.js closes them.
 */
function namedDescriptors(
  args: readonly string[],
  outputs: readonly (ChildOutput & { readonly opened?: number })[],
  pipes: OutputPipes,
): readonly (number | "ignore")[] {
  if (isDeno || process.platform === "win32") return [];
  const names = args.flatMap((arg) => [...arg.matchAll(/\/(?:dev|proc\/self)\/fd\/(\d{1,4})/g)]);
  const numbers = names.map(([, digits]) => Number(digits)).filter((each) =>
    each > 2 && !outputs.some(({ opened }) => opened === each) && isOpen(each)
  );
  return Array.from(
    { length: Math.max(2, ...numbers) - 2 },
    (_, index) => {
      const number = index + 3;
      if (!numbers.includes(number)) return "ignore";
      // Another descriptor of an output, `3>&1` say, would lead past the mask.
      const isOutput = !fstatSync(number).isCharacterDevice();
      const pipe = pipes.find((_, own) => isOutput && isSameFile(number, own + 1));
      return pipe?.writeEnd ?? number;
    },
  );
}

/** Whether it is one that somebody handed over, and none that the runtime or adc-run has for itself. */
function isOpen(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    if (stats.isFIFO()) return !hasBothEnds(stats.ino);
    return stats.isFile() || stats.isCharacterDevice() || stats.isSocket();
  } catch {
    return false;
  }
}

/** A pipe that somebody handed over has its other end elsewhere. Only Linux tells. */
function hasBothEnds(pipe: number): boolean {
  if (process.platform !== "linux") return false;
  const modes = readdirSync("/proc/self/fd").filter((each) => {
    try {
      return fstatSync(Number(each)).ino === pipe;
    } catch {
      // The one that lists them.
      return false;
    }
  }).map((each) =>
    /^flags:\s*\d*([0-3])$/m.exec(readProcess(`/proc/self/fdinfo/${each}`) ?? "")?.[1]
  );
  return modes.includes("0") && modes.includes("1");
}

function ending(
  child: ChildProcess,
  program: Program,
  where: Pick<Context, "env" | "cwd">,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => reject(notStarted(error, program, where)));
  });
}
