import { Writable } from "node:stream";
import type { Duplex, Readable } from "node:stream";
import { codeOf } from "../errors.ts";
import type { Mask } from "../mask/mask.ts";
import { silence } from "../silence.ts";

/** What Node.js calls a stream that was closed before its end. */
const CLOSED_EARLY = "ERR_STREAM_PREMATURE_CLOSE";

/** How the output of one stream ended. */
export interface OutputEnding {
  /**
   * The system's code where the output could not be written, `EPIPE` where the reader went away.
   */
  readonly failure?: string;
}

/** One of the child's output streams on its way. */
export interface Output {
  /** Settles when all output has arrived; it does not reject. */
  readonly done: Promise<OutputEnding>;
  /** Ends the output when nothing more comes, though somebody may still hold the pipe open. */
  childEnded(): void;
}

/** Pipes one of the child's output streams to where it belongs. */
export function pipeOutput(
  from: Readable,
  to: Writable,
  { mask }: { readonly mask: Mask },
): Output {
  const masked = mask.stream();
  let ended = false;
  let finished = false;
  // A grandchild that stays behind, a daemon say, keeps the pipe open without writing to it.
  const silent = silence(() => {
    const waiting = from.readableLength + masked.writableLength + masked.readableLength;
    if (waiting > 0) silent.begin();
    else from.push(null);
  });
  const linger = () => {
    if (ended && !finished) silent.begin();
  };
  from.on("data", linger);
  const done = connect(from, masked, guard(to)).finally(() => {
    finished = true;
    silent.stop();
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

/**
 * Streams that take no more: Deno calls nobody back once a write to one of the process' own has failed.
 */
const failed = new WeakSet<Writable>();

/** Notes that writing to a stream has failed, so that nobody waits for it any more. */
export function noteFailure(stream: Writable): void {
  failed.add(stream);
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
      if (failed.has(to)) done();
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
