import { promises as fs, type Stats, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import { shellWord } from "../connection/origin.ts";
import type { Environment } from "../context.ts";
import { codeOf } from "../errors.ts";
import { homeFolder } from "../system/files.ts";
import { StoreError, storeError } from "./store_error.ts";

/** What group and others must not be able to do: anything at all to a secret, writing to anything else. */
const FORBIDDEN = { secret: 0o077, plain: 0o022 } as const;

/** What lies in a file or folder: a secret, or something that others may see but not change. */
export type Contents = keyof typeof FORBIDDEN;

/** Makes a folder for its owner alone, or makes sure that it is fit for what it is to hold. */
export async function preparePrivateFolder(folder: string, contents: Contents): Promise<void> {
  await makeFolder(folder);
  requirePrivateFolder(folder, contents);
}

export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeWithParents(folder);
  } catch (error) {
    throw storeError("create the folder", folder, error);
  }
}

/** Node's own `recursive` never ends where a folder is there and takes no other in, such as /proc. */
async function makeWithParents(folder: string): Promise<void> {
  const make = () =>
    fs.mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
  try {
    await make();
  } catch (error) {
    const parent = dirname(folder);
    if (codeOf(error) !== "ENOENT" || parent === folder) throw error;
    await makeWithParents(parent);
    await make();
  }
}

/** Makes sure that nobody but its owner can use a folder, and that the owner is who runs this. */
export function requirePrivateFolder(folder: string, contents: Contents): void {
  let stats: Stats;
  try {
    stats = statSync(folder);
  } catch (cause) {
    const error = storeError("use the folder", folder, cause);
    if (error instanceof StoreError && error.code === "ENOENT") return;
    throw error;
  }
  requirePrivate(folder, stats, contents);
}

/**
 * Makes sure that nobody but its owner can use a file or folder, and that the owner is who runs this.
 * Windows keeps the user's folders to the user, and its modes say nothing, so there all passes.
 */
export function requirePrivate(path: string, stats: Stats, contents: Contents): void {
  if (process.platform === "win32") return;
  const user = process.geteuid?.();
  // The system's administrator can change everything anyway, and mounts settings for others to read.
  const administrators = stats.uid === 0 && contents === "plain";
  if (user !== undefined && stats.uid !== user && !administrators) {
    throw new StoreError(
      `Cannot trust "${path}": it belongs to user ${stats.uid}, not to user ${user}`,
      {
        path,
        suggestion: "Run adc-run as its owner, or set your own folder with ADC_RUN_CONFIG_DIR.",
      },
    );
  }
  const mode = stats.mode & 0o777;
  if ((mode & FORBIDDEN[contents]) !== 0) {
    const use = contents === "secret" ? "use" : "change";
    const octal = mode.toString(8).padStart(4, "0");
    const suggestion = `Restrict it: chmod ${stats.isDirectory() ? "700" : "600"} ${
      shellWord(path)
    }`;
    throw new StoreError(
      `Cannot trust "${path}": others can ${use} it, its mode is ${octal}`,
      { path, suggestion },
    );
  }
}

const NAME = "adc-run";

/**
 * The folder of adc-run's own files: `ADC_RUN_CONFIG_DIR`; else `adc-run` below `XDG_CONFIG_HOME`, below
 * `APPDATA` on Windows, below `~/Library/Application Support` on macOS, or below `~/.config`.
 *
 * An empty variable counts as unset, and so does a relative `XDG_CONFIG_HOME`, as the XDG Base Directory
 * Specification has it.
 */
export function storeFolder(env: Environment, platform: string = process.platform): string {
  const { ADC_RUN_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, APPDATA: appData } = env;
  if (own) return resolve(own);
  if (xdg && isAbsolute(xdg)) return join(xdg, NAME);
  if (platform === "win32" && appData) return join(appData, NAME);
  const userHome = homeFolder(env);
  return platform === "darwin"
    ? join(userHome, "Library", "Application Support", NAME)
    : join(userHome, ".config", NAME);
}
