import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import process from "node:process";
import { bundleCommand, licensesOf } from "./bundle_command.ts";
import { buildDate, MAN_PAGE, manPage } from "./man_page.ts";
import {
  BIN_FILE,
  CODE_FOLDER,
  LICENSES_FILE,
  type NpmManifest,
  PARTS_FOLDER,
  SCHEMA_FILE,
  TYPES_FILE,
} from "./npm_manifest.ts";

/**
 * Turns a folder with compiled code in `esm/` into the npm package: manifest, README, license, schema, a
 * command that can be started, man page, examples that import it by its name on npm, and no declarations but
 * those that an importer can get to.
 *
 * @param folder The package's folder.
 * @param options Where the sources are, and the manifest.
 */
export async function finishPackage(
  folder: string,
  options: { readonly root: string; readonly manifest: NpmManifest },
): Promise<void> {
  const { root, manifest } = options;
  const code = join(folder, CODE_FOLDER);
  await removeUnreachable(code, TYPES_FILE);
  await renameInExamples(code, manifest.name);
  const bundled = await bundleCommand({
    entry: join(code, "src/cli/bin.js"),
    outfile: join(folder, BIN_FILE),
    parts: PARTS_FOLDER,
    root,
  });
  await writeFile(join(folder, LICENSES_FILE), await licensesOf(bundled));
  await removeUnreachable(code, "mod.js");
  await referToNode(join(code, TYPES_FILE));
  for (const file of ["README.md", "LICENSE", SCHEMA_FILE]) {
    await copyFile(join(root, file), join(folder, file));
  }
  await mkdir(dirname(join(folder, MAN_PAGE)), { recursive: true });
  await writeFile(
    join(folder, MAN_PAGE),
    manPage({ version: manifest.version, date: buildDate() }),
  );
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/**
 * Packs the package, without asking the network and without running anything of it.
 *
 * @param folder The package's folder, into which the tarball goes.
 * @param manifest The package's manifest.
 * @returns The tarball's path.
 */
export function packTarball(folder: string, manifest: NpmManifest): string {
  execFileSync("npm", ["pack", "--ignore-scripts", "--offline", "--silent"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32", // npm is a batch file there
  });
  return join(folder, `${manifest.name}-${manifest.version}.tgz`);
}

/** Removes the modules, or the declarations, that an entry does not lead to. */
async function removeUnreachable(code: string, entry: string): Promise<void> {
  const ending = entry.endsWith(".d.ts") ? ".d.ts" : ".js";
  const reachable = await reachableFrom(code, { entry, ending });
  for (const file of await filesBelow(code)) {
    if (file.endsWith(ending) && !reachable.has(file)) await rm(join(code, file));
  }
  await removeEmptyFolders(code);
}

async function removeEmptyFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    await removeEmptyFolders(path);
    if ((await readdir(path)).length === 0) await rm(path, { recursive: true });
  }
}

async function reachableFrom(
  code: string,
  { entry, ending }: { readonly entry: string; readonly ending: string },
): Promise<Set<string>> {
  const reachable = new Set<string>();
  const pending = [entry];
  for (const file of pending) {
    if (reachable.has(file)) continue;
    reachable.add(file);
    const text = await readFile(join(code, file), "utf8");
    for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)\.js"/g)) {
      pending.push(posix.join(posix.dirname(file), specifier!) + ending);
    }
  }
  return reachable;
}

/** From version 6 on TypeScript finds no `@types` by itself. */
async function referToNode(types: string): Promise<void> {
  await writeFile(types, `/// <reference types="node" />\n${await readFile(types, "utf8")}`);
}

/** Editors show the examples, and on npm the name has no scope. */
async function renameInExamples(code: string, name: string): Promise<void> {
  for (const file of await filesBelow(code)) {
    if (!/\.(?:js|d\.ts)$/.test(file)) continue;
    const text = await readFile(join(code, file), "utf8");
    const renamed = text.replaceAll('from "@adc-run/adc-run"', `from "${name}"`);
    if (renamed !== text) await writeFile(join(code, file), renamed);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries.map((entry) => entry.replaceAll("\\", "/"));
}
