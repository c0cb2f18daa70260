import { lstatSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Environment } from "../../connection/origin.ts";
import { codeOf, CommandError, EXIT } from "../../errors.ts";
import { storeFolder } from "../../store/folder.ts";
import { requirePrivate } from "../../store/private_path.ts";
import { storeError } from "../../store/store_error.ts";
import { isVersion } from "./release_version.ts";

/** The file's name that says which ADC is installed, in `installFolder`. */
export const INSTALLED_FILE = "installed.json";

/** An ADC that was installed. */
export interface Installed {
  readonly version: string;
  /** The SHA-256 of the archive that it came in. */
  readonly sha256: string;
  /** When it was installed, in milliseconds since 1970. */
  readonly installedAt: number;
}

/** What the file holds. */
export interface InstalledContent {
  readonly current?: Installed | undefined;
  /** The one before, which can be had back without a download. */
  readonly previous?: Installed | undefined;
}

/** The folder of installed ADCs, one in a folder with the name of its version. */
export function installFolder(env: Environment): string {
  return join(storeFolder(env), "adc");
}

export function installedProgram(folder: string, version: string): string {
  return join(folder, version, process.platform === "win32" ? "adc.exe" : "adc");
}

/**
 * Makes sure of the shape of what `INSTALLED_FILE` holds. A version becomes a folder's name, so
 * nothing but a version passes.
 */
export function readInstalled(
  value: Readonly<Record<string, unknown>>,
): InstalledContent | undefined {
  const { current, previous } = value;
  const fits = [current, previous].every((each) => each === undefined || isInstalled(each));
  return fits ? { ...value, current, previous } as InstalledContent : undefined;
}

function isInstalled(value: unknown): value is Installed {
  if (typeof value !== "object" || value === null) return false;
  const { version, sha256, installedAt } = value as Record<string, unknown>;
  return typeof version === "string" && isVersion(version) && typeof sha256 === "string" &&
    typeof installedAt === "number";
}

/**
 * Finds the ADC that `adc-run install-adc` installed.
 *
 * It is read at every run: without waiting, and without the code that writes it.
 */
export function findInstalledAdc(env: Environment): string | undefined {
  const folder = installFolder(env);
  const version = currentVersion(join(folder, INSTALLED_FILE));
  if (version === undefined) return undefined;
  const file = installedProgram(folder, version);
  for (const path of [folder, dirname(file), file]) {
    try {
      const stats = lstatSync(path);
      if (path === file ? !stats.isFile() : !stats.isDirectory()) throw lost(path);
      requirePrivate(path, stats, "plain");
    } catch (error) {
      if (codeOf(error) === "ENOENT") throw lost(path);
      throw storeError("look at", path, error);
    }
  }
  return file;
}

function currentVersion(path: string): string | undefined {
  let text: string;
  try {
    requirePrivate(path, lstatSync(path), "plain");
    text = readFileSync(path, "utf8");
  } catch (error) {
    // ENOTDIR: HOME is /dev/null, say.
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return undefined;
    throw storeError("read", path, error);
  }
  try {
    const value: Record<string, unknown> = JSON.parse(text);
    const content = value.version === 1 ? readInstalled(value) : undefined;
    if (content !== undefined) return content.current?.version;
  } catch {
    // Nothing is quoted from a file that is not what it should be.
  }
  throw lost(path);
}

/** Another ADC in its place, on `PATH` perhaps, would be a surprise. */
function lost(path: string): CommandError {
  return new CommandError(
    `Cannot run the ADC that was installed: "${path}" is gone or damaged`,
    EXIT.notExecutable,
    {
      suggestion: 'Install it again with "adc-run install-adc --force", or name another one with ' +
        "--adc or ADC_RUN_ADC.",
    },
  );
}
