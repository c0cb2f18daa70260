import type { UnzipFile } from "fflate";
import { AdcRunError } from "../../errors.ts";
import { archiveError } from "./archive_error.ts";

/**
 * Reads a zip archive that holds one file, and refuses anything else: folders, other names and paths,
 * several files. No name out of the archive ever becomes a path. A link would be unpacked as a file that
 * holds its target.
 */
export async function* fileOfZip(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const { Unzip, UnzipInflate } = await import("fflate");
  const ready: Uint8Array[] = [];
  let found: UnzipFile | undefined;
  let [length, ended] = [0, false];
  const unzip = new Unzip((file) => {
    if (file.name !== name) {
      throw archiveError(`the archive holds something else than the file "${name}"`);
    }
    if (found !== undefined) throw archiveError(`the archive holds "${name}" twice`);
    found = file;
    file.ondata = (error, chunk, final) => {
      if (error !== null) throw error;
      length += chunk.length;
      ended = final;
      ready.push(chunk);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  const push = (chunk: Uint8Array, final: boolean) => {
    try {
      unzip.push(chunk, final);
    } catch (error) {
      if (error instanceof AdcRunError) throw error;
      throw archiveError("it is no zip archive, or a damaged one", error);
    }
    return ready.splice(0);
  };
  for await (const chunk of chunks) yield* push(chunk, false);
  yield* push(new Uint8Array(), true);
  if (found === undefined) throw archiveError(`the archive does not hold "${name}"`);
  const { originalSize: size = length } = found as UnzipFile;
  if (!ended || length !== size) throw archiveError("the archive is cut off");
}
