/**
 * The binary that is tested.
 *
 * @module
 */

import { join, resolve } from "node:path";
import process from "node:process";
import { BINARY_NAME, compileBinary } from "../../scripts/compile_binary.ts";
import { fingerprint } from "./tarball.ts";
import { cachedFolder, forgetOldFolders } from "./test_cache.ts";

let built: Promise<string> | undefined;

/**
 * The binary named by `ADC_RUN_BINARY`, else one that is compiled from the sources as they are now.
 *
 * @returns Its path.
 * @throws {Error} There is no Bun for this machine, or npm cannot be reached.
 */
export function binary(): Promise<string> {
  const { ADC_RUN_BINARY: given } = process.env;
  return built ??= given ? Promise.resolve(resolve(given)) : compile();
}

async function compile(): Promise<string> {
  await forgetOldFolders("binary-");
  const folder = await cachedFolder(
    `binary-${await fingerprint()}`,
    (folder) => compileBinary(join(folder, BINARY_NAME)),
  );
  return join(folder, BINARY_NAME);
}
