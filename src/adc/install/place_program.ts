/**
 * From a release archive to a program in its place.
 *
 * @module
 */

import { mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { HttpDispatcher } from "../../http/http_client.ts";
import type { Environment } from "../../connection/origin.ts";
import { AdcRunError, EXIT, throwIfNotCapable } from "../../errors.ts";
import type { Spawner } from "../../spawn.ts";
import type { HeldLock } from "../../store/lock.ts";
import { makeFolder } from "../../store/private_path.ts";
import { retrySharing } from "../../store/retry_sharing.ts";
import { storeError } from "../../store/store_error.ts";
import { download } from "./download.ts";
import type { Release } from "./release.ts";
import { isVersion } from "./release_version.ts";
import { reportedVersion } from "./try_program.ts";
import { unpack } from "./unpack.ts";

/** What an installation is about to do. */
export type InstallStep = "waiting" | "downloading" | "unpacking" | "trying";

/** What {@linkcode placeProgram} works with. */
export interface Placing {
  /** The environment: proxies, and what the new program gets without tokens. */
  readonly env: Environment;
  /** The archive. */
  readonly release: Release;
  /** The SHA-256 that it must have. */
  readonly sha256: string;
  /** The folder of installed ADCs. */
  readonly folder: string;
  /** Held by nobody else meanwhile. */
  readonly lock: HeldLock;
  /** Is told what comes next. @default nobody */
  readonly onStep?: ((step: InstallStep, release: Release) => void) | undefined;
  /** Gives it up. @default none */
  readonly signal?: AbortSignal | undefined;
  /** Sends the requests. @default a dispatcher of their own */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** How the new program is started. @default the system's own way */
  readonly spawn?: Spawner | undefined;
}

/** What the names of folders start with in which something is not complete. */
export const UNFINISHED = ".new-";

/** ADC 0.28 is Node.js with a script in it: some 45 MiB packed, and 120 MiB unpacked. */
const MOST_PACKED = 256 * 1024 * 1024;
const MOST_UNPACKED = 512 * 1024 * 1024;

/**
 * Downloads, makes sure, unpacks and tries a program in a folder of its own. The last step is a move: until
 * then the old program is there, and after it the new one.
 *
 * @param file Where the program goes.
 * @param options The archive, its sum, and what is held meanwhile.
 * @throws {AdcRunError} It does not come, or is not what it should be.
 */
export async function placeProgram(file: string, options: Placing): Promise<void> {
  const { release, folder, sha256, env, signal, onStep, lock, dispatcher, spawn } = options;
  const scratch = await makeScratch(folder);
  try {
    onStep?.("downloading", release);
    const archive = join(scratch, "archive");
    const found = await download(release.url, archive, {
      env,
      signal,
      dispatcher,
      maxBytes: MOST_PACKED,
    });
    if (found !== sha256) throw mismatch(release, { wanted: sha256, found });
    onStep?.("unpacking", release);
    const program = join(scratch, release.program);
    await unpack(archive, { ...release, path: program, maxBytes: MOST_UNPACKED, signal });
    onStep?.("trying", release);
    requireVersion(release, await reportedVersion(program, { env, signal, spawn }));
    await makeFolder(dirname(file));
    signal?.throwIfAborted();
    await lock.check();
    await retrySharing(() => rename(program, file)).catch((error: unknown) => {
      throw storeError("write", file, error);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true }).catch(throwIfNotCapable);
  }
}

async function makeScratch(folder: string): Promise<string> {
  try {
    return await mkdtemp(join(folder, UNFINISHED));
  } catch (error) {
    throw storeError("write in", folder, error);
  }
}

function mismatch(
  { archive, url }: Release,
  { wanted, found }: { readonly wanted: string; readonly found: string },
): AdcRunError {
  return new AdcRunError(
    `Cannot install ADC: the SHA-256 sum of "${archive}" from ${url.origin} is ${found}, and not ${wanted}`,
    EXIT.data,
    {
      suggestion:
        "Nothing was installed. Either the sum is another version's or system's, or somebody changed the file.",
    },
  );
}

function requireVersion({ version, archive }: Release, reported: string): void {
  if (reported.replace(/^v/, "") === version) return;
  const shown = isVersion(reported) ? `"${reported}"` : "another version, or none";
  throw new AdcRunError(
    `Cannot install ADC ${version}: the program in "${archive}" says that it is ${shown}`,
    EXIT.data,
    { suggestion: "Nothing was installed. Look at where the archive comes from." },
  );
}
