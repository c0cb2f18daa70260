/**
 * Gets ADC, and puts it where adc-run finds it.
 *
 * @module
 */

import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { HttpDispatcher } from "../../http/http_client.ts";
import type { Environment } from "../../connection/origin.ts";
import { throwIfNotCapable } from "../../errors.ts";
import { isExecutable, isFile } from "../../find_program.ts";
import type { Spawner } from "../../spawn.ts";
import { JsonFile } from "../../store/json_file.ts";
import { withLock } from "../../store/lock.ts";
import { preparePrivateFolder } from "../../store/private_path.ts";
import { checksumFor } from "./checksum.ts";
import { INSTALLED_FILE, installedProgram, installFolder, readInstalled } from "./installed.ts";
import type { Installed, InstalledContent } from "./installed.ts";
import { placeProgram, UNFINISHED } from "./place_program.ts";
import type { InstallStep, Placing } from "./place_program.ts";
import { releaseFor } from "./release.ts";
import type { Release } from "./release.ts";
import { isVersion } from "./release_version.ts";

/** What is installed, and how. */
export interface InstallOptions {
  /** The environment: the folder, the mirror, the proxies, the sum. */
  readonly env: Environment;
  /**
   * The version, with or without a leading `v`.
   *
   * @default the version that adc-run is tested with
   */
  readonly version?: string | undefined;
  /**
   * The SHA-256 that the archive must have.
   *
   * @default `ADC_RUN_ADC_SHA256`, else the one that adc-run brings along
   */
  readonly sha256?: string | undefined;
  /**
   * Whether it is downloaded though it is there.
   *
   * @default false
   */
  readonly force?: boolean | undefined;
  /**
   * Is told what comes next. It waits for another process that installs ADC, and for nothing else.
   *
   * @default nobody
   */
  readonly onStep?: ((step: InstallStep, release: Release) => void) | undefined;
  /**
   * Is told that a damaged file was set aside.
   *
   * @default nobody
   */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /**
   * Gives it up; nothing is left behind.
   *
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests, instead of a dispatcher of their own. The caller closes it.
   *
   * @default undefined
   */
  readonly dispatcher?: HttpDispatcher | undefined;
  /**
   * How the new ADC is started, to be asked for its version.
   *
   * @default the system's own way
   */
  readonly spawn?: Spawner | undefined;
}

/** What was installed. */
export interface InstallResult {
  /** The version. */
  readonly version: string;
  /** The program. */
  readonly file: string;
  /** The SHA-256 of the archive that it came in. */
  readonly sha256: string;
  /** Where the archive is. */
  readonly url: string;
  /** Whether it was downloaded, or was there: as the one that runs, or the one before it. */
  readonly how: "downloaded" | "present" | "restored";
}

/** What somebody who waits puts up with. */
const LONGEST_WAIT = 30 * 60_000;

/** Longer than an installation can take. */
const STALE = 2 * 60 * 60_000;

/** How long a wait goes without a word. */
const QUIET_WAIT = 500;

/**
 * Downloads ADC for this system, makes sure of its SHA-256, unpacks it into adc-run's own folder and tries
 * it. From then on runs find it there, before any on `PATH`. Whatever fails or interrupts it, what was installed before
 * stays in place, and nothing that is half done is ever run.
 *
 * @param options Version, sum, mirror.
 * @returns What was installed.
 * @throws {UsageError} The version or the sum is none.
 * @throws {AdcRunError} There is no ADC for this system or no sum (78), it cannot be downloaded (69), or is not what it should be (65).
 * @throws {StoreError} The folder cannot be written, or is open to others.
 * @throws {CommandError} It was downloaded and cannot be executed (126).
 *
 * @example
 * ```ts
 * import { installAdc } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(
 *   installAdc({ env: {}, version: "0.28.0", sha256: "none" }),
 *   /no SHA-256 sum/,
 * );
 * ```
 */
export async function installAdc(options: InstallOptions): Promise<InstallResult> {
  const { env, version, signal, onStep } = options;
  const release = releaseFor({ env, version });
  const sha256 = checksumFor(release, options);
  const folder = installFolder(env);
  await preparePrivateFolder(dirname(folder), "plain");
  await preparePrivateFolder(folder, "plain");
  const notice = setTimeout(() => onStep?.("waiting", release), QUIET_WAIT);
  try {
    return await withLock(join(folder, "install.lock"), async (lock) => {
      clearTimeout(notice);
      return await install({ ...options, release, sha256, folder, lock });
    }, { timeout: LONGEST_WAIT, stale: STALE, signal, what: "the installation of ADC" });
  } finally {
    clearTimeout(notice);
  }
}

/** What an installation knows once it has its turn. */
type Turn = Omit<InstallOptions, keyof Placing> & Placing;

async function install(options: Turn): Promise<InstallResult> {
  const { release: { version, url }, sha256, folder, force, onWarning } = options;
  await sweep(folder, (name) => name.startsWith(UNFINISHED));
  const state = new JsonFile<InstalledContent>({
    path: join(folder, INSTALLED_FILE),
    read: readInstalled,
    empty: {},
    what: "the record of the installed ADC",
    onWarning,
  });
  const { current, previous } = await state.readOrSetAside();
  const file = installedProgram(folder, version);
  const isThere = (each: Installed | undefined) =>
    !force && each?.version === version && each.sha256 === sha256 && isFile(file) &&
    isExecutable(file);
  const result = { version, file, sha256, url: url.href };
  if (isThere(current)) return { ...result, how: "present" };
  const restored = isThere(previous);
  if (!restored) await placeProgram(file, options);
  const installed = restored ? previous! : { version, sha256, installedAt: Date.now() };
  const before = current?.version === version ? previous : current;
  await state.update((content) => ({ ...content, current: installed, previous: before }));
  const kept = [version, before?.version];
  await sweep(folder, (name) => isVersion(name) && !kept.includes(name));
  return { ...result, how: restored ? "restored" : "downloaded" };
}

/** What others left when they were killed: the lock says that none of them is alive. */
async function sweep(folder: string, isLeft: (name: string) => boolean): Promise<void> {
  try {
    for (const name of await readdir(folder)) {
      if (isLeft(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
  } catch (error) {
    // What cannot be removed is in nobody's way.
    throwIfNotCapable(error);
  }
}
