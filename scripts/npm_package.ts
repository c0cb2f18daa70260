import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { MAN_PAGE, manPage } from "./man_page.ts";
import { BIN_FILE, CODE_FOLDER, type NpmManifest, TYPES_FILE } from "./npm_manifest.ts";

const SHEBANG = "#!/usr/bin/env node";

/**
 * Turns a folder with compiled code in `esm/` into the npm package: manifest, README, license, a command
 * in one file that can be started, man page, examples that import it by its name on npm, and no declarations but those that an
 * importer can get to.
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
  await removePrivateDeclarations(code);
  await renameInExamples(code, manifest.name);
  await bundleCommand(code);
  for (const file of ["README.md", "LICENSE"]) await copyFile(join(root, file), join(folder, file));
  await mkdir(dirname(join(folder, MAN_PAGE)), { recursive: true });
  await writeFile(
    join(folder, MAN_PAGE),
    manPage({ version: manifest.version, date: buildDate() }),
  );
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** A build is repeatable where this variable, which many tools know, names its time. */
function buildDate(): Date {
  const { SOURCE_DATE_EPOCH: seconds } = process.env;
  return seconds ? new Date(Number(seconds) * 1000) : new Date();
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

/**
 * Makes the command one file, and removes the modules that nobody imports any more.
 *
 * Node.js takes longer to find and open sixty small modules than to read one of their size. The
 * dependencies stay outside: they are loaded when they are needed, and audited as what they are.
 */
async function bundleCommand(code: string): Promise<void> {
  const bin = join(code, BIN_FILE);
  await build({
    absWorkingDir: code,
    entryPoints: [BIN_FILE],
    outfile: bin,
    allowOverwrite: true,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    banner: { js: SHEBANG },
    logLevel: "error",
  });
  await chmod(bin, 0o755);
  const reachable = await reachableFrom(code, ["mod.js"]);
  for (const file of await filesBelow(code)) {
    if (file.endsWith(".js") && file !== BIN_FILE && !reachable.has(file)) {
      await rm(join(code, file));
    }
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

/** The modules, or their declarations, that some of them lead to. */
async function reachableFrom(code: string, entries: readonly string[]): Promise<Set<string>> {
  const ending = entries[0]!.endsWith(".d.ts") ? ".d.ts" : ".js";
  const reachable = new Set<string>();
  const pending = [...entries];
  for (const file of pending) {
    if (reachable.has(file)) continue;
    reachable.add(file);
    const text = await readFile(join(code, file), "utf8");
    for (const [, specifier] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)\.js"/g)) {
      pending.push(posix.join(posix.dirname(file), specifier!) + ending);
    }
  }
  return reachable;
}

async function removePrivateDeclarations(code: string): Promise<void> {
  const reachable = await reachableFrom(code, [TYPES_FILE]);
  for (const file of await filesBelow(code)) {
    if (file.endsWith(".d.ts") && !reachable.has(file)) await rm(join(code, file));
  }
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
