/**
 * A folder for one test.
 *
 * @module
 */

import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder that goes away with the test. */
export interface TemporaryFolder extends AsyncDisposable {
  /** The folder's absolute path. */
  readonly path: string;
  /** Writes a file below the folder, and gives its absolute path. */
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>;
}

/**
 * Makes an empty folder; `await using` deletes it.
 *
 * @param files Files to write at once, by name.
 * @returns The folder.
 */
export async function temporaryFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "adc-run-test-")));
  async function write(name: string, content: string | Uint8Array): Promise<string> {
    const file = join(path, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  }
  for (const [name, content] of Object.entries(files)) await write(name, content);
  return {
    path,
    write,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
