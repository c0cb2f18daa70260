import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Context, Environment } from "../context.ts";
import { findOnPath, isNode, readProcess } from "../system/programs.ts";

/**
 * What signals arrive at: `process`, or an `EventEmitter` in a test.
 * @category Run
 */
export interface SignalPort {
  /** Starts to listen. */
  on(signal: string, listener: () => void): unknown;
  /** Stops listening. */
  off(signal: string, listener: () => void): unknown;
  /**
   * Signals that were ignored when the process began, as `nohup` has it. They stay so in the child.
   *
   * @default none
   */
  readonly ignored?: readonly NodeJS.Signals[] | undefined;
}

/**
 * A signal ended adc-run before it had a child to pass it on to.
 * @category Errors
 */
export class Interrupted extends Error {
  /** `"Interrupted"`. */
  override readonly name = "Interrupted";
  /** The signal. */
  readonly signal: NodeJS.Signals;
  /** What to exit with where the signal cannot be raised again. */
  readonly exitCode: number;

  /**
   * Creates the error.
   *
   * @param signal The signal.
   */
  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
    this.signal = signal;
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Signals that end a process that does not listen to them. */
export const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** Signals that a child may be waiting for, and that mean nothing to adc-run. */
const FOR_CHILD: readonly NodeJS.Signals[] = ["SIGUSR1", "SIGUSR2", "SIGWINCH"];

/**
 * What signals mean to a run, by the time they come: before the child they end the run, while it runs they
 * are its own, and after it they cut the clean-up short. None of them ends adc-run before it has cleaned up.
 */
export interface RunSignals {
  /** Those that the child is to ignore. */
  readonly ignored: readonly NodeJS.Signals[];
  /** Aborted with `Interrupted` by a signal before the child. */
  readonly interrupted: AbortSignal;
  /** From now on signals are the child's. */
  passTo(send: (signal: NodeJS.Signals) => void, also?: readonly NodeJS.Signals[]): void;
  /** There is no child, or none any more: the next signal cuts short what this one is handed to. */
  cleanUp(except?: readonly NodeJS.Signals[]): AbortSignal;
  stop(): void;
}

/** Listens for as long as a run lasts, with one listener a signal. */
export function watchSignals(
  port: SignalPort | undefined,
  platform: string = process.platform,
): RunSignals {
  const onWindows = platform === "win32";
  const before = new AbortController();
  let act = (signal: NodeJS.Signals) => before.abort(new Interrupted(signal));
  const listenTo = (signals: readonly NodeJS.Signals[]) => {
    for (const signal of signals) {
      const listener = () => act(signal === "SIGBREAK" ? "SIGTERM" : signal);
      try {
        port?.on(signal, listener);
        stops.push(() => port?.off(signal, listener));
      } catch {
        // Windows does not know all.
      }
    }
  };
  const stops: (() => void)[] = [];
  listenTo(onWindows ? [...ENDING, "SIGBREAK"] : ENDING);
  const stop = () => {
    for (const each of stops.splice(0)) each();
  };
  return {
    ignored: port?.ignored ?? [],
    interrupted: before.signal,
    passTo: (send, also = []) => {
      // On Windows all come from the console, which sends them to the child too; one of ours would end it at once.
      act = onWindows ? () => {} : send;
      listenTo([...FOR_CHILD, ...also]);
    },
    cleanUp: (except = []) => {
      const hurry = new AbortController();
      act = (signal) => {
        if (ENDING.includes(signal) && !except.includes(signal)) {
          hurry.abort(new Error("it was interrupted"));
        }
      };
      return hurry.signal;
    },
    stop,
  };
}

/**
 * Turns the signals that end a process into an abort, so that helpers and requests are ended as well.
 */
export function abortOnInterrupt(
  port: SignalPort,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const { interrupted, stop } = watchSignals(port);
  return { signal: interrupted, release: stop };
}

/**
 * Listens at a port once for each signal, however many listen to what is given back: a hundred children
 * would look like a leak to Node, which warns of that.
 */
export function shareSignals(port: SignalPort): SignalPort {
  const shared = new Map<string, { readonly each: Set<() => void>; readonly tell: () => void }>();
  return {
    ignored: port.ignored,
    on(signal, listener) {
      const known = shared.get(signal);
      if (known !== undefined) return void known.each.add(listener);
      const each = new Set([listener]);
      const tell = () => {
        // A listener that is told may stop listening, or start another child.
        for (const told of [...each]) told();
      };
      // Windows does not know all signals: a port that throws has no listener then.
      port.on(signal, tell);
      shared.set(signal, { each, tell });
    },
    off(signal, listener) {
      const known = shared.get(signal);
      if (!known?.each.delete(listener) || known.each.size > 0) return;
      shared.delete(signal);
      port.off(signal, known.tell);
    },
  };
}

/**
 * The signals that are ignored now; to be asked before anybody listens to one. Node.js makes an end of that
 * before it runs a script.
 */
export function ignoredSignals(): readonly NodeJS.Signals[] {
  if (isNode() || process.platform !== "linux") return [];
  return [...ENDING, ...FOR_CHILD, "SIGTSTP" as const].filter(ignoredBy("self"));
}

export function ignoredBy(pid: number | "self"): (signal: NodeJS.Signals) => boolean {
  const status = readProcess(`/proc/${pid}/status`) ?? "";
  const [, digits = "0"] = /^SigIgn:\s*(\w+)/m.exec(status) ?? [];
  return (signal) => (BigInt(`0x${digits}`) >> BigInt(constants.signals[signal] - 1) & 1n) === 1n;
}

/**
 * Sends a signal to a process.
 *
 * On Deno `child.kill()` would report the child as ended by the signal even when it caught the signal and
 * left with a code of its own. Windows knows no signals, and ends one process of those that a batch file and
 * ADC are: there all are ended.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals, env?: Environment): void {
  if (process.platform === "win32") {
    // Without it a signal is meant that ends nobody, and that is not there.
    if (env !== undefined) {
      void import("../system/capture.ts").then(({ endTree }) => endTree(pid, env));
    }
    return;
  }
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}

/** Tells a signal that a terminal sent to the whole process group from one that is for adc-run alone. */
export interface GroupProbe {
  isForAll(): boolean;
  stop(): void;
}

/**
 * The system does not say whom a signal was sent to. A program in the same group that only waits, and that a
 * signal ends, shows it.
 */
export async function startGroupProbe(
  { env, cwd }: Pick<Context, "env" | "cwd">,
): Promise<GroupProbe | undefined> {
  const cat = process.platform === "win32" ? undefined : findOnPath("cat", { env, cwd });
  if (cat === undefined) return undefined;
  const { systemSpawner } = await import("../system/spawn.ts");
  const spawn = await systemSpawner();
  // It reads until this process is gone.
  const start = () =>
    spawn(cat, [], { env: {}, cwd: "/", stdio: ["pipe", "ignore", "ignore"] })
      .on("error", () => {});
  let program: ChildProcess = start();
  return {
    isForAll: () => {
      if (program.pid !== undefined && isWaiting(program.pid)) return false;
      program = start();
      return true;
    },
    stop: () => {
      program.kill("SIGKILL");
      program.unref();
    },
  };
}

/**
 * One that has ended is a zombie for a moment; before, it has a signal pending, then dumps core, then has no memory
 * any more.
 */
function isWaiting(pid: number): boolean {
  const status = readProcess(`/proc/${pid}/status`);
  return status !== undefined && /^VmSize:/m.test(status) && !/^State:\s+[ZX]/m.test(status) &&
    !/^(?:(?:Sig|Shd)Pnd:\s+0*[1-9a-f]|CoreDumping:\s+1)/m.test(status);
}
