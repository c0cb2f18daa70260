import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { AdcRunError, codeOf } from "../../errors.ts";
import { archiveError } from "./archive_error.ts";
import type { Release } from "./release.ts";
import { saveChunks } from "./save_chunks.ts";
import { fileOfTar } from "./tar_file.ts";
import { fileOfZip } from "./zip_file.ts";

/** What is unpacked, and where to. */
export interface UnpackOptions extends Pick<Release, "format" | "program"> {
  /** The new file, for its owner alone. */
  readonly path: string;
  /** How many bytes may come out of the archive: a small one can hold a mountain of zeros. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Small, for a chunk can become a thousand times as long. */
const CHUNK = 16 * 1024;

/** Unpacks the one file that a release archive holds. */
export async function unpack(archive: string, options: UnpackOptions): Promise<void> {
  const { format, program, path, maxBytes, signal } = options;
  const tooLong = () =>
    archiveError(`more than ${Math.floor(maxBytes / 1024 / 1024)} MiB come out of the archive`);
  const source = createReadStream(archive, { highWaterMark: CHUNK });
  const contents = format === "zip"
    ? fileOfZip(source, program)
    : fileOfTar(atMost(maxBytes + MOST_BESIDE, gunzip(source), tooLong), program);
  try {
    await saveChunks(path, contents, { mode: 0o700, maxBytes, tooLong, signal });
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (error instanceof AdcRunError || !/^Z_|^ERR_/.test(code)) throw error;
    throw archiveError("the archive is damaged or cut off", error);
  } finally {
    source.destroy();
  }
}

/** Headers, padding and the attributes that macOS adds. */
const MOST_BESIDE = 1024 * 1024;

function gunzip(source: ReturnType<typeof createReadStream>): AsyncIterable<Uint8Array> {
  // The loop that reads the end of the pipe gets its errors.
  return pipeline(source, createGunzip(), () => {});
}

/** What is passed over counts as well. */
async function* atMost(
  maxBytes: number,
  chunks: AsyncIterable<Uint8Array>,
  tooLong: () => AdcRunError,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes) throw tooLong();
    yield chunk;
  }
}
