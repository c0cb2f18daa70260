/**
 * What can be executed.
 *
 * @module
 */

import { statSync } from "node:fs";
import process from "node:process";
import { throwIfNotCapable } from "../../errors.ts";

/**
 * Tells whether a path leads to a file that its owner may execute.
 *
 * @param path The path.
 * @returns `false`, too, where nothing is there.
 */
export function isExecutableFile(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isFile() && (process.platform === "win32" || (stats.mode & 0o100) !== 0);
  } catch (error) {
    throwIfNotCapable(error);
    return false;
  }
}
