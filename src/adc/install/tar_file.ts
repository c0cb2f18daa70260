import { archiveError } from "./archive_error.ts";
import { ByteReader } from "./byte_reader.ts";

const BLOCK = 512;

/**
 * What follows is about the next file, or all of them: times, owners. Names in it are not looked at.
 */
const PAX: readonly string[] = ["x", "g"];

/** A regular file, in the spelling of today and in that of 1979. */
const FILE: readonly string[] = ["0", "\0"];

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

/**
 * Reads a tar archive that holds one regular file, and refuses anything else: links, folders, other names
 * and paths, several files. No name out of the archive ever becomes a path.
 */
export async function* fileOfTar(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(chunks);
  let found = false;
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header.length < BLOCK) throw archiveError("the archive is cut off");
    if (isBlank(header)) break;
    const entry = readHeader(header);
    if (isFile(entry, name)) {
      if (found) throw archiveError(`the archive holds "${name}" twice`);
      found = true;
      yield* contentsOf(entry, reader);
    } else if (PAX.includes(entry.type) || isFile(entry, `._${name}`)) {
      // The tar of macOS puts a file's attributes in front of it, as a file "._NAME".
      for await (const _ of contentsOf(entry, reader));
    } else {
      throw archiveError(`the archive holds something else than the file "${name}"`);
    }
  }
  if (!found) throw archiveError(`the archive does not hold "${name}"`);
  await requireEnd(reader);
}

async function* contentsOf({ size }: Entry, reader: ByteReader): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of reader.stream(size)) {
    length += chunk.length;
    yield chunk;
  }
  const padding = (BLOCK - size % BLOCK) % BLOCK;
  if (length < size || !await reader.skip(padding)) throw archiveError("the archive is cut off");
}

/** Blank blocks fill the archive up; whatever else follows would be another archive. */
async function requireEnd(reader: ByteReader): Promise<void> {
  for (;;) {
    const block = await reader.take(BLOCK);
    if (!isBlank(block)) throw archiveError("something follows the end of the archive");
    if (block.length < BLOCK) return;
  }
}

function isFile({ name, type }: Entry, wanted: string): boolean {
  return FILE.includes(type) && (name === wanted || name === `./${wanted}`);
}

function isBlank(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

function readHeader(header: Uint8Array): Entry {
  const text = (start: number, length: number) =>
    new TextDecoder("latin1").decode(header.subarray(start, start + length));
  const untilNull = (field: string) => field.replace(/\0[^]*$/, "");
  // Checked as if its own field held spaces.
  const sum = header.reduce(
    (total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte),
    0,
  );
  if (readOctal(text(148, 8)) !== sum) throw archiveError("it is no tar archive");
  const size = readOctal(text(124, 12));
  if (size === undefined) throw archiveError("it is no tar archive");
  const prefix = text(257, 5) === "ustar" && text(262, 1) === "\0" ? untilNull(text(345, 155)) : "";
  const name = untilNull(text(0, 100));
  return { name: prefix === "" ? name : `${prefix}/${name}`, type: text(156, 1), size };
}

/** Sizes of 8 GiB and more are written otherwise; nothing here is that long. */
function readOctal(field: string): number | undefined {
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(field) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
