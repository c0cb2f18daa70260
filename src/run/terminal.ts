import type { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { closeSync, constants as flags, openSync, readSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import process from "node:process";
import { Readable, type Writable } from "node:stream";
import { isatty, type ReadStream, type WriteStream } from "node:tty";
import type { spawn as spawnPty } from "@lydell/node-pty";
import type { Context, Environment } from "../context.ts";
import type { Mask } from "../mask/mask.ts";
import { isDeno, readProcess } from "../system/programs.ts";
import { type ChildEnding, startOrShell } from "./child.ts";
import { notStarted, type Program } from "./locate.ts";
import { pipeOutput } from "./output.ts";
import { ignoredBy, type RunSignals, sendSignal } from "./signals.ts";

interface PseudoTerminal {
  readonly pid: number;
  readonly output: Readable;
  readonly ended: Promise<Pick<ChildEnding, "code" | "signal">>;
  write(keys: Uint8Array): void;
  resize(columns: number, rows: number): void;
}

interface PseudoTerminalOptions {
  readonly env: Environment;
  readonly cwd: string;
  readonly cols: number;
  readonly rows: number;
}

export type OpenPseudoTerminal = (
  file: string,
  args: readonly string[],
  options: PseudoTerminalOptions,
) => PseudoTerminal;

/** Bun has pseudo-terminals of its own; elsewhere an optional package brings them, which may be missing. */
export async function loadPseudoTerminals(): Promise<OpenPseudoTerminal> {
  if (process.platform === "win32") throw new Error("there are none on Windows");
  const { Bun: bun } = globalThis as { readonly Bun?: Bun };
  if (bun !== undefined) return (...call) => openWithBun(bun, ...call);
  const { spawn } = await import("@lydell/node-pty");
  return (...call) => openWithPackage(spawn, ...call);
}

interface Bun {
  spawn(command: readonly string[], options: {
    readonly env: Environment;
    readonly cwd: string;
    readonly terminal: {
      readonly cols: number;
      readonly rows: number;
      data(terminal: unknown, data: Uint8Array): void;
      exit(): void;
    };
  }): {
    readonly pid: number;
    readonly exited: Promise<unknown>;
    readonly exitCode: number | null;
    readonly signalCode: NodeJS.Signals | null;
    readonly terminal: {
      write(data: Uint8Array): void;
      resize(cols: number, rows: number): void;
      close(): void;
    };
  };
}

function openWithBun(bun: Bun, ...[file, args, options]: Parameters<OpenPseudoTerminal>) {
  const output = new Readable({
    read: () => {},
    destroy: (error, done) => {
      child.terminal.close();
      done(error);
    },
  });
  const { env, cwd, cols, rows } = options;
  const child = bun.spawn([file, ...args], {
    env,
    cwd,
    terminal: {
      cols,
      rows,
      data: (_, data) => void output.push(data),
      exit: () => void output.push(null),
    },
  });
  const { pid, terminal, exited } = child;
  return {
    pid,
    output,
    ended: exited.then(() => ({ code: child.exitCode, signal: child.signalCode })),
    write: (keys: Uint8Array) => terminal.write(keys),
    resize: (...size: [number, number]) => terminal.resize(...size),
  };
}

function openWithPackage(
  spawn: typeof spawnPty,
  ...[file, args, options]: Parameters<OpenPseudoTerminal>
) {
  const env = Object.fromEntries(
    Object.entries(options.env).filter((entry): entry is [string, string] =>
      entry[1] !== undefined
    ),
  );
  const pty = spawn(file, [...args], { ...options, env, encoding: null });
  const inner = pty as unknown as PackageTerminal;
  const { _socket: socket, fd } = inner;
  // 200 ms after the child the package would close its terminal, read or not, and only then tell of the end.
  inner._emittedClose = true;
  // A program that redirects all its streams has the terminal open nowhere, which looks like the end of it; to
  // close it then would hang up the program. Deno does not open one by its name: it reads on.
  const held = isDeno ? undefined : openSync(inner.ptsName, flags.O_RDONLY | flags.O_NOCTTY);
  const destroy = socket.destroy.bind(socket);
  let over = false;
  let reopening: NodeJS.Timeout | undefined;
  let writing: NodeJS.Timeout | undefined;
  const readAnew = () => {
    socket._handle?.readStop();
    socket._handle?.readStart();
  };
  socket.destroy = (error) => {
    if (over) return destroy(error);
    reopening = setTimeout(() => {
      reopening = undefined;
      readAnew();
    }, READ_ANEW_AFTER);
    return socket;
  };
  const output = new Readable({
    read: () => {},
    destroy: (error, done) => {
      over = true;
      socket.destroy();
      done(error);
    },
  });
  // Bytes both ways, whatever the types say: there is no encoding. A terminal that is slow blocks what writes
  // to it, so nothing piles up here.
  const take = (data: unknown) => void output.push(data);
  pty.onData(take);
  socket.on("end", () => {
    const buffer = new Uint8Array(4096);
    try {
      // Node takes a terminal that was closed for one that was read to its end when it got less than it asked
      // for, and a terminal never gives more than 4 KiB at a time.
      for (let read = 1; read > 0; take(buffer.slice(0, read))) read = readSync(fd, buffer);
    } catch {
      // Nobody has the other side open any more: it fails where nothing is left.
    }
  });
  socket.on("close", () => output.push(null));
  const ended = new Promise<Pick<ChildEnding, "code" | "signal">>((resolve) =>
    pty.onExit(({ exitCode, signal }) => {
      over = true;
      clearInterval(writing);
      if (held !== undefined) closeSync(held);
      clearTimeout(reopening);
      if (reopening !== undefined) destroy();
      resolve(signal ? { code: null, signal: nameOf(signal) } : { code: exitCode, signal: null });
    })
  );
  return {
    pid: pty.pid,
    output,
    ended,
    write: (keys: Uint8Array) => {
      // On Deno a write that has to wait is not woken while it reads.
      if (isDeno) writing ??= setInterval(readAnew, READ_ANEW_AFTER);
      socket.write(keys, () => {
        if (socket.writableLength > 0) return;
        clearInterval(writing);
        writing = undefined;
      });
    },
    resize: (...size: [number, number]) => pty.resize(...size),
  };
}

/** What the package keeps to itself. */
interface PackageTerminal {
  readonly _socket: Socket & { readonly _handle: { readStop(): void; readStart(): void } | null };
  readonly fd: number;
  readonly ptsName: string;
  _emittedClose: boolean;
}

/** How soon a terminal is read again that a program had closed; in milliseconds. */
const READ_ANEW_AFTER = 50;

function nameOf(number: number): NodeJS.Signals {
  const [name = "SIGKILL"] =
    Object.entries(constants.signals).find(([, each]) => each === number) ?? [];
  return name as NodeJS.Signals;
}

export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

interface TerminalChildOptions extends Pick<Context, "cwd" | "signal"> {
  readonly env: Environment;
  readonly terminal: Terminal;
  readonly open: OpenPseudoTerminal;
  readonly mask: Mask;
  readonly watch: RunSignals;
}

/**
 * Runs a program in a pseudo-terminal, whose output passes the mask on its way to the real one. The real
 * one is raw meanwhile: the inner one echoes, edits lines, and turns keys into signals.
 */
export async function runInTerminal(
  program: Program,
  args: readonly string[],
  { env, cwd, terminal, open, mask, watch, signal }: TerminalChildOptions,
): Promise<ChildEnding> {
  const outer = outerTerminal(terminal);
  let size = outer.size();
  let child: PseudoTerminal | undefined;
  const adaptSize = ({ pid, resize }: PseudoTerminal) => {
    const last = size;
    size = outer.size();
    // The system tells of a new size, and of no other.
    if (size.cols === last.cols && size.rows === last.rows) {
      sendSignal(-(frontGroup(pid) ?? pid), "SIGWINCH");
    } else resize(size.cols, size.rows);
  };
  const proceed = (stopped: PseudoTerminal) => {
    outer.leave();
    outer.enter();
    sendSignal(-stopped.pid, "SIGCONT");
    adaptSize(stopped);
  };
  const early: NodeJS.Signals[] = [];
  const act = (each: NodeJS.Signals) => {
    if (child === undefined) early.push(each);
    else if (each === "SIGWINCH") adaptSize(child);
    else if (each === "SIGCONT") proceed(child);
    else sendSignal(child.pid, each);
  };
  const type = (keys: Buffer) => {
    const at = keys.indexOf(CTRL_Z);
    if (at === -1 || !takesStop(child!.pid)) return child!.write(keys);
    child!.write(keys.subarray(0, at));
    // Its group has no parent in its session, so that its own terminal's stop would have no effect.
    sendSignal(-child!.pid, "SIGSTOP");
    outer.leave();
    process.kill(0, "SIGTSTP");
    proceed(child!);
    type(keys.subarray(at + 1));
  };
  const abort = () => act("SIGTERM");
  // It ends in raw mode only where the terminal is gone; reading fails in the background, too.
  const hangUp = () => {
    if (!isatty(0)) child?.output.destroy();
  };
  watch.passTo(act, ["SIGCONT"]);
  signal?.addEventListener("abort", abort);
  outer.enter();
  try {
    signal?.throwIfAborted();
    try {
      child = startOrShell(
        [program.file, ...program.prefix, ...args],
        (file, args) => open(file, args, { env, cwd, ...size }),
        { env, cwd },
      );
    } catch (error) {
      throw notStarted(error, program, { env, cwd });
    }
    const output = pipeOutput(child.output, terminal.output, { mask });
    terminal.input.on("data", type).once("end", hangUp).once("error", hangUp);
    for (const each of early) act(each);
    const ended = await child.ended;
    terminal.input.off("data", type);
    output.childEnded();
    return { ...ended, outputFailure: (await output.done).failure };
  } finally {
    terminal.input.off("data", type).off("end", hangUp).off("error", hangUp);
    terminal.input.pause();
    outer.leave();
    signal?.removeEventListener("abort", abort);
  }
}

const CTRL_Z = 0x1a;

interface OuterTerminal {
  size(): { readonly cols: number; readonly rows: number };
  enter(): void;
  leave(): void;
}

function outerTerminal({ input, output }: Terminal): OuterTerminal {
  const keyboard = input as ReadStream;
  const screen = output as WriteStream;
  return {
    size: () => ({ cols: screen.columns || 80, rows: screen.rows || 24 }),
    enter: () => {
      keyboard.setRawMode(true);
      // Line feeds have been through the inner terminal; the runtimes' raw mode would turn them once more.
      spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
    },
    leave: () => void keyboard.setRawMode(false),
  };
}

/**
 * Whether Ctrl-Z would stop the child: it is in front itself, and does not ignore the stop. One that has
 * stopped has nobody else to continue it.
 */
function takesStop(pid: number): boolean {
  const status = readProcess(`/proc/${pid}/status`) ?? "";
  if (/^State:\s*T/m.test(status)) return true;
  return frontGroup(pid) === pid && !ignoredBy(pid)("SIGTSTP");
}

/**
 * Whether a shell runs this process in the background: to change the terminal's mode would stop it until
 * somebody brings it to the front.
 */
export function isInBackground(): boolean {
  const front = frontGroup(process.pid);
  return front !== undefined && front !== groupOf(process.pid);
}

/** The process group that the keys of a process' terminal are for. */
function frontGroup(pid: number): number | undefined {
  return groupOf(pid, { field: 5, column: "tpgid" });
}

function groupOf(
  pid: number,
  { field, column } = { field: 2, column: "pgid" },
): number | undefined {
  const group = process.platform === "linux"
    ? readProcess(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ")[field]
    : spawnSync("ps", ["-o", `${column}=`, "-p", `${pid}`], { encoding: "utf8" }).stdout;
  return Number(group) > 0 ? Number(group) : undefined;
}
