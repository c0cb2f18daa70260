/**
 * What takes long to get and does not change, kept from one test file and run to the next.
 *
 * @module
 */

import { access, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const DAY = 24 * 60 * 60 * 1000;

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "adc-run-tests");

/**
 * A folder of the cache, filled at the first call. Two processes may ask at once: the folder appears under
 * its name when it is complete.
 *
 * @param name The folder's name, which stands for all that its contents depend on.
 * @param fill Fills an empty folder.
 * @returns The folder's path.
 */
export async function cachedFolder(
  name: string,
  fill: (folder: string) => Promise<unknown>,
): Promise<string> {
  const folder = join(cache, name);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, `${name}.`));
  try {
    await fill(unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    // Renaming onto a folder that is not empty fails: another process was faster, and made the same.
    if (!await exists(folder)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Removes folders that were made more than a day ago, for what depends on sources that change.
 *
 * @param prefix What the folders' names start with.
 */
export async function forgetOldFolders(prefix: string): Promise<void> {
  const names = await readdir(cache).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const { mtimeMs } = await stat(join(cache, name)).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < Date.now() - DAY) await rm(join(cache, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}
