import type { ChildProcess, StdioOptions } from "node:child_process";
import { type Duplex, type Readable, Writable } from "node:stream";
import type { Context } from "../context.ts";
import { codeOf } from "../errors.ts";
import type { Mask } from "../mask/mask.ts";
import { ENDED_PROCESS, IdleTimer } from "../system/idle_timer.ts";
import type { Spawner } from "../system/spawn.ts";
import { notStarted, type Program } from "./locate.ts";
import { type RunSignals, sendSignal } from "./signals.ts";

interface ChildOptions extends Pick<Context, "cwd" | "signal"> {
  readonly env: Record<string, string | undefined>;
  readonly stdout: Writable | "inherit" | "ignore";
  readonly stderr: Writable | "inherit" | "ignore";
  readonly stdin: "inherit" | "ignore";
  /** What is masked in streams that are piped. */
  readonly mask: Mask;
  /** Whether a terminal sends signals to the child as well. */
  readonly terminal?: boolean | undefined;
  readonly watch: RunSignals;
  readonly spawn?: Spawner | undefined;
}

export interface ChildEnding {
  /** Its exit code, `null` where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The system's code where its output could not be passed on. */
  readonly outputFailure: string | undefined;
}

export async function runChild(
  program: Program,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildEnding> {
  const { stdin, stdout, stderr, env, cwd, watch, terminal = false, signal } = options;
  let child: ChildProcess | undefined;
  let early: NodeJS.Signals | undefined;
  const send = (each: NodeJS.Signals) => {
    if (child === undefined) early = each;
    else if (isAlive(child)) sendSignal(child.pid!, each);
  };
  // Handlers first: a signal between the start of the child and its handler would end adc-run alone.
  watch.passTo(send, { terminal });
  const abort = () => send("SIGTERM");
  signal?.addEventListener("abort", abort);
  try {
    const spawn = options.spawn ?? await (await import("../system/spawn.ts")).systemSpawner();
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
    return { code, signal: killedBy, outputFailure: failure };
  } finally {
    signal?.removeEventListener("abort", abort);
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

/** What Node.js calls a stream that was closed before its end. */
const CLOSED_EARLY = "ERR_STREAM_PREMATURE_CLOSE";

interface OutputEnding {
  /**
   * The system's code where the output could not be written, `EPIPE` where the reader went away.
   */
  readonly failure?: string;
}

/** One of the child's output streams on its way. */
interface Output {
  /** Settles when all output has arrived; it does not reject. */
  readonly done: Promise<OutputEnding>;
  /** Ends the output when nothing more comes, though somebody may still hold the pipe open. */
  childEnded(): void;
}

export function pipeOutput(
  from: Readable,
  to: Writable,
  { mask }: { readonly mask: Mask },
): Output {
  const masked = mask.stream();
  let ended = false;
  let finished = false;
  // A grandchild that stays behind, a daemon say, keeps the pipe open without writing to it.
  const idle = new IdleTimer(() => {
    const waiting = from.readableLength + masked.writableLength + masked.readableLength;
    if (waiting > 0) idle.start();
    else from.push(null);
  }, ENDED_PROCESS);
  const linger = () => {
    if (ended && !finished) idle.start();
  };
  from.on("data", linger);
  const done = connect(from, masked, guard(to)).finally(() => {
    finished = true;
    idle.stop();
  });
  return {
    done,
    childEnded: () => {
      ended = true;
      linger();
    },
  };
}

/** What `pipeline()` does, which takes longer to load and to set up than most children write. */
function connect(from: Readable, masked: Duplex, to: Writable): Promise<OutputEnding> {
  const streams = [from, masked, to];
  return new Promise((resolve) => {
    const fail = (error: unknown) => {
      // Destroying `from` closes the pipe: the child learns that its reader is gone.
      for (const stream of streams) stream.destroy();
      resolve({ failure: codeOf(error) ?? "unknown error" });
    };
    // For as long as they are there: an error that nobody hears would end the process.
    for (const stream of streams) stream.on("error", fail);
    from.once("close", () => {
      if (!from.readableEnded) fail({ code: CLOSED_EARLY });
    });
    to.once("finish", () => resolve({}));
    from.pipe(masked).pipe(to);
  });
}

/** Marks a stream that takes no more: Deno calls nobody back once a write to one of the process' own failed. */
const FAILED = Symbol("failed");

/** Notes that writing to a stream has failed, so that nobody waits for it any more. */
export function noteFailure(stream: Writable & { [FAILED]?: true }): void {
  stream[FAILED] = true;
}

/**
 * Writes to a stream that is not ours to close, and turns every way in which it can fail into one: Node
 * emits `error`, Deno throws where the stream is the process' own.
 */
function guard(to: Writable): Writable {
  let wrote = false;
  const guarded = new Writable({
    write: (chunk, _encoding, done) => {
      wrote = true;
      // Nothing more is heard of it.
      if (to.destroyed || to.writableEnded) return done(closedByReader());
      try {
        if (to.write(chunk)) done();
        else to.once("drain", () => done());
      } catch (error) {
        noteFailure(to);
        done(error as Error);
      }
    },
    // The last bytes are on their way; whoever waits for the run wants them to have arrived.
    final: (done) => {
      if (FAILED in to) done();
      else to.write("", () => done());
    },
    destroy: (error, done) => {
      to.off("error", fail);
      to.off("close", closed);
      done(error);
    },
  });
  const fail = (error: Error) => {
    // A line of adc-run's own that was not taken is no failure of the child's output.
    if (wrote) guarded.destroy(error);
  };
  const closed = () => guarded.destroy(closedByReader());
  to.on("error", fail);
  to.once("close", closed);
  return guarded;
}

function closedByReader(): Error {
  return Object.assign(new Error("Closed"), { code: "EPIPE" });
}

/** Tells whether output could not be written because nobody reads any more. */
export function isReaderGone(failure: string): boolean {
  return ["EPIPE", "ERR_STREAM_DESTROYED", CLOSED_EARLY].includes(failure);
}
