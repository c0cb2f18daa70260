import {
  closeSync,
  constants,
  createReadStream,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  unlinkSync,
  write,
  writeSync,
} from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import type { Context } from "../context.ts";
import { findOnPath, isDeno, isNode } from "./programs.ts";

/** What a pipe holds, unless it is made larger: writer and reader then wait less often for each other. */
const CHUNK = 64 * 1024;

export interface Pipe {
  /** The end for a child's `stdio`, to be closed once the child has it. */
  readonly writeEnd: number;
  /** Opens the other end, which is closed when the stream is destroyed. */
  read(): Readable;
  /** Closes the end that writes, and the other unless that is read. */
  close(): void;
}

/**
 * Makes pipes. Node.js and Bun make sockets of `"pipe"`, which cannot be opened by the name `/dev/stdout`, and
 * whose writer is told of a reset connection where a pipe's is ended by SIGPIPE.
 *
 * @returns `undefined` where none can be made.
 */
export async function makePipes(
  count: number,
  place: Pick<Context, "env" | "cwd">,
): Promise<readonly Pipe[] | undefined> {
  if (process.platform === "win32") return undefined;
  return callPipe(count) ?? await openNamedPipes(count, place);
}

/** Bun can call the system itself, which takes a tenth of the time of starting `mkfifo`. */
function callPipe(count: number): readonly Pipe[] | undefined {
  const { dlopen } = process.getBuiltinModule("bun:ffi") as BunFfi | undefined ?? {};
  if (dlopen === undefined || process.platform !== "linux") return undefined;
  const number = { returns: "i32" };
  const functions = {
    pipe2: { args: ["ptr", "i32"], ...number },
    fcntl: { args: ["i32", "i32", "i32"], ...number },
  };
  for (const library of LIBC) {
    try {
      const { pipe2, fcntl } = dlopen(library, functions).symbols;
      const pipes: Pipe[] = [];
      const ends = new Int32Array(2);
      while (pipes.length < count && pipe2(ends, O_CLOEXEC | constants.O_NONBLOCK) === 0) {
        const [readEnd, writeEnd] = ends as unknown as [number, number];
        // The child's end stays blocking.
        fcntl(writeEnd, F_SETFL, 0);
        fcntl(writeEnd, F_SETPIPE_SZ, 4 * CHUNK);
        pipes.push(pipeOf(readEnd, writeEnd));
      }
      if (pipes.length === count) return pipes;
      for (const pipe of pipes) pipe.close();
    } catch {
      // Another system's.
    }
  }
  return undefined;
}

/** The system's library by its name for glibc, and for musl. */
const LIBC = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

/** Linux' numbers, which Node.js does not have. */
const O_CLOEXEC = 0o2000000, F_SETFL = 4, F_SETPIPE_SZ = 1031;

interface BunFfi {
  readonly dlopen: (library: string, functions: object) => {
    readonly symbols: Readonly<
      Record<"pipe2" | "fcntl", (...args: readonly (number | Int32Array)[]) => number>
    >;
  };
}

/** Makes pipes that have names for a moment, in a folder that nobody else may enter. */
async function openNamedPipes(
  count: number,
  { env, cwd }: Pick<Context, "env" | "cwd">,
): Promise<readonly Pipe[] | undefined> {
  const pipes: Pipe[] = [];
  let folder: string | undefined;
  let files: readonly string[] = [];
  try {
    const mkfifo = findOnPath("mkfifo", { env, cwd });
    if (mkfifo === undefined) return undefined;
    folder = mkdtempSync(join(env.TMPDIR || "/tmp", "adc-run-"));
    files = Array.from({ length: count }, (_, index) => join(folder!, String(index)));
    if (!await runs(mkfifo, ["-m", "600", ...files])) return undefined;
    for (const file of files) pipes.push(openPipe(file));
    return pipes;
  } catch {
    for (const pipe of pipes) pipe.close();
    return undefined;
  } finally {
    // One by one: to list a folder takes a descriptor, and there may be none left. Not by `rmSync()`, for which
    // Node.js loads a module.
    for (const file of files) if (existsSync(file)) unlinkSync(file);
    if (folder !== undefined) rmdirSync(folder);
  }
}

/** How many are made at once for children that start one after another. */
const STOCK = 16;

/** Pipes for many children: to start `mkfifo` takes longer than all else that is done for one of them. */
export class PipeStock {
  readonly #place: Pick<Context, "env" | "cwd">;
  readonly #ready: Pipe[] = [];
  #last: Promise<readonly Pipe[] | undefined> = Promise.resolve(undefined);

  constructor(place: Pick<Context, "env" | "cwd">) {
    this.#place = place;
  }

  /** As `makePipes()`; each caller waits for the one before. */
  take(count: number): Promise<readonly Pipe[] | undefined> {
    return this.#last = this.#last.then(async () => {
      if (this.#ready.length < count) {
        this.#ready.push(...await makePipes(STOCK, this.#place) ?? []);
      }
      return this.#ready.length < count ? undefined : this.#ready.splice(0, count);
    });
  }

  close(): void {
    for (const pipe of this.#ready.splice(0)) pipe.close();
  }
}

async function runs(program: string, args: readonly string[]): Promise<boolean> {
  const { systemSpawner } = await import("./spawn.ts");
  const spawn = await systemSpawner();
  const child = spawn(program, args, { env: {}, stdio: "ignore" });
  return await new Promise((resolve, reject) => {
    child.once("exit", (code) => resolve(code === 0)).once("error", reject);
  });
}

function openPipe(file: string): Pipe {
  const { O_RDWR, O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
  // Opening one end alone would wait for the other.
  const both = openSync(file, O_RDWR);
  // A description of its own: the child's end stays blocking.
  const readEnd = openSync(file, O_RDONLY | (isDeno ? 0 : O_NONBLOCK));
  const writeEnd = openSync(file, O_WRONLY);
  closeSync(both);
  return pipeOf(readEnd, writeEnd);
}

function pipeOf(readEnd: number, writeEnd: number): Pipe {
  const open = new Set([readEnd, writeEnd]);
  return {
    writeEnd,
    read: () => {
      const reader = readerOf(readEnd);
      open.delete(readEnd);
      return reader;
    },
    close: () => {
      for (const end of open) closeSync(end);
      open.clear();
    },
  };
}

interface BunGlobal {
  readonly Bun?: { file(fd: number): { stream(): ReadableStream<Uint8Array> } };
}

/** Reads, on Node.js and Bun without a thread that waits: there are few, and all children would share them. */
function readerOf(fd: number): Readable {
  const { Bun } = globalThis as BunGlobal;
  if (isDeno) return createReadStream("", { fd, highWaterMark: CHUNK });
  if (Bun === undefined) return new Socket({ fd, readable: true, writable: false });
  // A `Socket` of Bun's reads nothing of a named pipe.
  const reader = Bun.file(fd).stream().getReader();
  let over = false;
  return new Readable({
    highWaterMark: CHUNK,
    read() {
      reader.read().then(({ value }) => {
        if (!over) this.push(value ?? null);
      }, (error) => this.destroy(error));
    },
    destroy(error, done) {
      over = true;
      const close = () => {
        closeSync(fd);
        done(error);
      };
      reader.cancel().then(close, close);
    },
  });
}

/**
 * A pipe among the process' own outputs, opened anew; `undefined` for everything else.
 *
 * Node.js and Bun make a pipe non-blocking for all who write to it: a program beside this one would lose its
 * output. Opened anew, it is so for this process alone.
 */
export function openOutput(fd: 1 | 2): Writable | undefined {
  try {
    if (isDeno || !fstatSync(fd).isFIFO()) return undefined;
    const path = `/proc/self/fd/${fd}`;
    // Without a reader this fails where it would wait else.
    const probe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    // A `Socket` of Bun's fails where the reader is slow, and a thread that waits would hold up Node's exit.
    const own = isNode() ? probe : openSync(path, constants.O_WRONLY);
    if (own !== probe) closeSync(probe);
    const stream = isNode()
      ? new Socket({ fd: own, readable: false, writable: true })
      : blockingStream(own);
    // Who runs a child must know which of the process' own it is.
    return Object.assign(stream, { fd, opened: own });
  } catch {
    // Another system, or nobody reads it any more.
    return undefined;
  }
}

function blockingStream(fd: number): Writable {
  const writeAll = (chunk: Uint8Array, done: (error?: Error | null) => void) =>
    write(fd, chunk, (error, written) => {
      if (error || written === chunk.length) done(error);
      else writeAll(chunk.subarray(written), done);
    });
  return new Writable({ write: (chunk, _encoding, done) => writeAll(chunk, done) });
}

/** Has written when it was written to. */
export function immediateOutput(fd: number): Writable {
  return new Writable({
    write: (chunk, _encoding, done) => {
      try {
        writeSync(fd, chunk);
      } catch {
        // Nobody reads it.
      }
      done();
    },
  });
}
