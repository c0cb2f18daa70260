import { open } from "node:fs/promises";
import type { AdcRunError } from "../../errors.ts";
import { storeError } from "../../store/store_error.ts";

/** How a stream is saved. */
export interface SaveOptions {
  readonly mode: number;
  /** How many bytes it may have. */
  readonly maxBytes: number;
  /** Makes the error for more bytes than that. */
  readonly tooLong: () => AdcRunError;
  /** Is shown every chunk. */
  readonly onChunk?: (chunk: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Saves a stream in a file that was not there. What is in the file when this returns is on the disk.
 */
export async function saveChunks(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { mode, maxBytes, tooLong, onChunk, signal }: SaveOptions,
): Promise<void> {
  const write = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw storeError("write", path, error);
    }
  };
  const handle = await write(() => open(path, "wx", mode));
  try {
    let length = 0;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      length += chunk.length;
      if (length > maxBytes) throw tooLong();
      onChunk?.(chunk);
      // Deno tells the system's code here, and not at handle.write().
      await write(() => handle.appendFile(chunk));
    }
    signal?.throwIfAborted();
    await write(() => handle.sync());
  } finally {
    await handle.close();
  }
}
