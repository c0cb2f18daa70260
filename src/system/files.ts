import { Buffer } from "node:buffer";
import { closeSync, constants, openSync, promises as fs, type Stats, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute } from "node:path";
import type { Environment } from "../context.ts";
import { codeOf, throwIfNotCapable } from "../errors.ts";

/** A folder in which nothing is, and nothing can be made. */
const NOWHERE = "/dev/null";

export function homeFolder({ HOME: home }: Environment): string {
  if (home && isAbsolute(home)) return home;
  try {
    // Node throws where there is none, Deno says `null`.
    return homedir() || NOWHERE;
  } catch (error) {
    throwIfNotCapable(error);
    return NOWHERE;
  }
}

/**
 * Lets go of whoever waits to open a pipe for reading: Node.js cannot end as long as one of its threads
 * waits. Nothing is written.
 */
export function letGoOfPipe(path: string): void {
  try {
    if (!statSync(path).isFIFO()) return;
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Nobody waits, or there is no right to write.
  }
}

/**
 * Tells a file that is not there, or has a file where a folder would have to be, from other failures.
 */
export function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");
}

/**
 * What the system says of a file; `undefined` where there is none. Not by `node:fs/promises`, which runs that
 * only read would have to load.
 */
export function statOrAbsent(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Windows PowerShell writes text like this, with a byte order mark. */
export function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/**
 * Reads a file, which may be a pipe, to its end; `undefined` where it has more than so many bytes.
 */
export async function readAtMost(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await fs.open(path, "r");
  try {
    const { size } = await file.stat();
    if (size > maxBytes) return undefined;
    let buffer = Buffer.alloc(Math.min(Math.max(size, 4096), maxBytes) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (length > maxBytes) return undefined;
      if (bytesRead === 0) return buffer.subarray(0, length);
      if (length === buffer.length) {
        buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes) + 1);
      }
    }
  } finally {
    await file.close();
  }
}
