import { promises as fs } from "node:fs";
import { basename, dirname, join } from "node:path";
import { throwIfNotCapable } from "../errors.ts";

/**
 * Removes files whose names start with that of another one. Where the folder cannot be cleared up, the
 * file itself can perhaps still be used: that is no failure.
 */
export async function removeBeside(
  path: string,
  isLeft: (ending: string) => boolean,
): Promise<void> {
  const [folder, file] = [dirname(path), basename(path)];
  try {
    for (const name of await fs.readdir(folder)) {
      if (!name.startsWith(file) || !isLeft(name.slice(file.length))) continue;
      await fs.rm(join(folder, name), { force: true });
    }
  } catch (error) {
    throwIfNotCapable(error);
  }
}
