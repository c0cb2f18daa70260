import { Buffer } from "node:buffer";
import { type Duplex, type Readable, Writable } from "node:stream";
import { codeOf } from "../errors.ts";
import type { Mask } from "../mask/mask.ts";
import { ENDED_PROCESS, IdleTimer } from "../system/deadline.ts";

const CLOSED_EARLY = "ERR_STREAM_PREMATURE_CLOSE";

export interface Output {
  /**
   * Settles when all output has arrived, and does not reject; with the system's code where it could not be
   * written, `EPIPE` where the reader went away.
   */
  readonly done: Promise<{ readonly failure?: string }>;
  /** Ends the output when nothing more comes, though somebody may still hold the pipe open. */
  childEnded(): void;
  cut(): void;
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
  const target = guard(to);
  const done = connect(from, masked, target).finally(() => {
    finished = true;
    idle.stop();
  });
  return {
    done,
    childEnded: () => {
      ended = true;
      linger();
    },
    cut: () => void target.destroy(closedByReader()),
  };
}

/** What `pipeline()` does, which takes longer to load and to set up than most children write. */
function connect(from: Readable, masked: Duplex, to: Writable): Output["done"] {
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

/** How much is collected of each of the child's streams, in bytes. */
const MAX_COLLECTED = 16 * 2 ** 20;

/** Keeps the start of what the child writes. A child that writes more goes on: ADC may be half-way. */
export class Collected extends Writable {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const rest = MAX_COLLECTED - this.#length;
    if (rest > 0) this.#chunks.push(chunk.subarray(0, rest));
    this.#length += chunk.length;
    done();
  }

  get isCut(): boolean {
    return this.#length > MAX_COLLECTED;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

function closedByReader(): Error {
  return Object.assign(new Error("Closed"), { code: "EPIPE" });
}

/** Tells whether output could not be written because nobody reads any more. */
export function isReaderGone(failure: string): boolean {
  return ["EPIPE", "ERR_STREAM_DESTROYED", CLOSED_EARLY].includes(failure);
}
