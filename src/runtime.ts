/**
 * What runs this.
 *
 * @module
 */

import process from "node:process";

/**
 * Tells Node.js from the runtimes that take its place.
 *
 * @returns `false` on Deno and Bun.
 */
export function isNode(): boolean {
  const { versions } = process as { versions: Record<string, string | undefined> };
  return versions.deno === undefined && versions.bun === undefined;
}
