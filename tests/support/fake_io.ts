/**
 * The surroundings of a command, for its tests.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import type { Io } from "../../src/cli/io.ts";
import { KnownSecrets } from "../../src/cli/output/out.ts";
import { fakeKeychain } from "./fake_keychain.ts";

/** A stream that keeps what is written to it. */
export function textSink(into: string[]): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      into.push(String(chunk));
      done();
    },
  });
}

/**
 * Makes a process without a process.
 *
 * @param more What is special.
 * @returns Its streams, and what was written to them.
 */
export function fakeIo(
  more: Partial<Io> = {},
): Io & { readonly out: string[]; readonly err: string[] } {
  const [out, err]: [string[], string[]] = [[], []];
  return {
    out,
    err,
    env: {},
    cwd: "/nowhere",
    stdin: Readable.from([]),
    stdout: textSink(out),
    stderr: textSink(err),
    terminals: { stdin: false, stdout: false, stderr: false },
    signals: new EventEmitter(),
    keychain: fakeKeychain(),
    secrets: new KnownSecrets(more.env),
    warnings: [],
    questions: { last: Promise.resolve() },
    ...more,
  };
}
