import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { AdcRunError, codeOf, EXIT, throwIfNotCapable, UsageError } from "../errors.ts";
import type { Io } from "./io.ts";

/**
 * Far more than any configuration; what is longer is something else, and is not read to its end.
 */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Reads the body: `@FILE`, `-` or `@-` for standard input, else the text itself. It is sent byte by byte
 * as it is.
 */
export async function readBody(
  written: string,
  io: Io,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  if (written === "-" || written === "@-") {
    return await collect(io.stdin, { what: "standard input", signal });
  }
  if (!written.startsWith("@")) return Buffer.from(written);
  const name = written.slice(1);
  if (name === "") throw new UsageError('Cannot use -d "@": there is no file name behind it');
  try {
    const file = createReadStream(resolve(io.cwd, name));
    return await collect(file, { what: `"${name}"`, signal });
  } catch (error) {
    signal.throwIfAborted();
    throwIfNotCapable(error);
    const code = codeOf(error);
    if (error instanceof AdcRunError || code === undefined) throw error;
    const found = code === "ENOENT"
      ? `there is no file "${resolve(io.cwd, name)}"`
      : code === "EISDIR"
      ? "it is a folder"
      : `it cannot be read (${code})`;
    throw new UsageError(`Cannot read the body from "${name}": ${found}`, {
      suggestion: "-d @FILE sends a file, -d - standard input, and -d TEXT the text itself.",
      cause: error,
    });
  }
}

async function collect(
  from: AsyncIterable<unknown>,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
  // It is raced below; whoever does not wait for it must not hear of it either.
  aborted.catch(() => {});
  const chunks: Uint8Array[] = [];
  let length = 0;
  const iterator = from[Symbol.asyncIterator]();
  while (true) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next.done) return Buffer.concat(chunks);
    const bytes = Buffer.from(next.value as Uint8Array);
    length += bytes.length;
    if (length > MOST_BYTES) {
      await iterator.return?.();
      throw new AdcRunError(
        `Cannot send ${what}: it is longer than ${MOST_BYTES / 1024 / 1024} MiB`,
        EXIT.data,
      );
    }
    chunks.push(bytes);
  }
}
