import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { isDeno, isNode } from "./programs.ts";

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
    const own = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    // A `Socket` of Bun's fails where the reader is slow, and a thread that waits would hold up Node's exit.
    const stream = isNode()
      ? new Socket({ fd: own, readable: false, writable: true })
      : blockingStream(openSync(path, constants.O_WRONLY));
    // Who runs a child must know which of the process' own it is.
    return Object.assign(stream, { fd });
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
