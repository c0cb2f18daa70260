import { randomBytes } from "node:crypto";
import { fsync, promises as fs } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { promises as timers } from "node:timers";
import { promisify } from "node:util";
import { codeOf, throwIfNotCapable } from "../errors.ts";
import { storeError } from "./store_error.ts";

/** What follows a file's name in those of files that are not yet complete. */
const UNFINISHED = /^\.[0-9a-f]{16}\.tmp$/;

/**
 * Writes a file beside the old one, for its owner alone, and moves it into its place. Whoever reads sees
 * the old file or the new one, even if this process is killed in between, or the machine loses its power.
 *
 * Only one process at a time may do so. It removes what others left unfinished, and one that had lost its
 * lock without knowing then finds that it cannot finish.
 */
export async function replaceFile(
  path: string,
  text: string,
  { check }: {
    /** Called when the new file is complete and the old one still there; what it throws stops it all. */
    readonly check: () => Promise<void>;
  },
): Promise<void> {
  await removeBeside(path, (ending) => UNFINISHED.test(ending));
  const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
  try {
    const handle = await fs.open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await sync(handle);
    } finally {
      await handle.close();
    }
    await retrySharing(async () => {
      await check();
      await fs.rename(temporary, path);
    }, { timeout: SHARING_TIMEOUT });
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(throwIfNotCapable);
    throw storeError("write", path, error);
  }
  await syncFolder(dirname(path));
}

/** Not by `FileHandle.sync()`: Yarn's Plug'n'Play puts handles of its own in their place, which have none. */
async function sync({ fd }: FileHandle): Promise<void> {
  await promisify(fsync)(fd);
}

/** After this the move survives a power failure, too. Not every system can do it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, "r");
    try {
      await sync(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throwIfNotCapable(error);
  }
}

/**
 * Removes files whose names start with that of another one. Where the folder cannot be cleared up, the
 * file itself can perhaps still be used: that is no failure.
 */
export async function removeBeside(
  path: string,
  isLeft: (ending: string) => boolean,
): Promise<void> {
  const [folder, file] = [dirname(path), basename(path)];
  try {
    for (const name of await fs.readdir(folder)) {
      if (!name.startsWith(file) || !isLeft(name.slice(file.length))) continue;
      await fs.rm(join(folder, name), { force: true });
    }
  } catch (error) {
    throwIfNotCapable(error);
  }
}

/** What Windows answers while another process, a virus scanner perhaps, has the file open. */
const SHARING_CODES: readonly string[] = ["EPERM", "EACCES", "EBUSY"];

/** As long as for a lock: somebody has the file open. */
export const SHARING_TIMEOUT = 60_000;

/** A file that is opened may be closed to us for good. */
const OPENING_TIMEOUT = 500;

/**
 * Makes a system call, on Windows until it works: there a file that somebody has open can for that time not
 * be renamed, replaced or read.
 */
export async function retrySharing<T>(
  call: () => T | Promise<T>,
  { timeout = OPENING_TIMEOUT, platform = process.platform }: {
    readonly timeout?: number;
    readonly platform?: string;
  } = {},
): Promise<T> {
  // Asked for at a failure alone: Node.js loads a dozen modules for it.
  let start: number | undefined;
  for (let wait = 2;; wait = Math.min(2 * wait, 100)) {
    try {
      return await call();
    } catch (error) {
      const code = codeOf(error) ?? "";
      const patience = code === "EBUSY" ? Math.max(timeout, SHARING_TIMEOUT) : timeout;
      if (platform !== "win32" || !SHARING_CODES.includes(code)) throw error;
      start ??= performance.now();
      if (performance.now() - start >= patience) throw error;
    }
    await timers.setTimeout(wait);
  }
}
