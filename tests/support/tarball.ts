/**
 * The npm package that is tested.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { outputOf } from "./run_command.ts";
import { cachedFolder, forgetOldFolders } from "./test_cache.ts";

/** The repository's folder. */
export const repository: string = fileURLToPath(new URL("../..", import.meta.url));

let built: Promise<string> | undefined;

/**
 * The tarball named by `ADC_RUN_TARBALL`, else one that is built from the sources as they are now.
 *
 * @returns Its path.
 */
export function tarball(): Promise<string> {
  const { ADC_RUN_TARBALL: given } = process.env;
  return built ??= given ? Promise.resolve(resolve(given)) : build();
}

async function build(): Promise<string> {
  await forgetOldFolders("package-");
  const folder = await cachedFolder(`package-${await fingerprint()}`, async (folder) => {
    await outputOf([...await denoCommand(), "run", "-A", "scripts/build_npm.ts", folder], {
      cwd: repository,
    });
  });
  const { version } = JSON.parse(await readFile(join(repository, "deno.json"), "utf8"));
  return join(folder, `adc-run-${version}.tgz`);
}

/** The Deno that runs the tests, the one on `PATH`, or the one on npm. */
export async function denoCommand(): Promise<[string, ...string[]]> {
  if ("deno" in process.versions) return [process.execPath];
  const onPath = process.env.DENO ?? "deno";
  return await outputOf([onPath, "--version"]).then(
    () => [onPath],
    () => ["npx", "--yes", "deno@2"],
  );
}

/**
 * Stands for everything that a build reads.
 *
 * @returns Hexadecimal digits.
 */
export async function fingerprint(): Promise<string> {
  const folders = await Promise.all(["src", "scripts"].map(async (folder) => {
    const names = await readdir(join(repository, folder), { recursive: true });
    return names.filter((name) => name.endsWith(".ts")).map((name) => join(folder, name));
  }));
  const hash = createHash("sha256");
  const single = ["LICENSE", "README.md", "deno.json", "deno.lock", "mod.ts", "schema.json"];
  for (const file of [...single, ...folders.flat().sort()]) {
    hash.update(`${file}\0`).update(await readFile(join(repository, file))).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}
