import { createHash, randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, throwIfNotCapable } from "../errors.ts";
import { makeFolder } from "./private_path.ts";
import { ownIdentity, readIdentity } from "./process_identity.ts";
import type { ProcessIdentity } from "./process_identity.ts";
import { removeBeside } from "./remove_beside.ts";
import { retrySharing } from "./retry_sharing.ts";
import { storeError } from "./store_error.ts";

/** A lock file as it was found. */
export interface FoundLock {
  /** Tells this lock from every other that was or will be at the same path. */
  readonly id: string;
  /** Who holds it; `undefined` where the file does not say so. */
  readonly owner: ProcessIdentity | undefined;
  /** When it was made, in milliseconds since 1970. */
  readonly madeAt: number;
}

/** What link() answers where the file system, or a sandbox, has no hard links. */
const NO_LINKS: readonly string[] = [
  "EPERM",
  "EACCES",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EINVAL",
  "EXDEV",
  "EMLINK",
];

/** What follows a lock's name in those of breakers' locks, and of locks in the making. */
const LEFT = /^(?:\.[0-9a-f]{12})*(?:\.[0-9a-f]{12}|\.[0-9a-f]{32}\.tmp)$/;

/** Looks who holds a lock. */
export async function findLock(path: string): Promise<FoundLock | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await retrySharing(() => fs.open(path, "r"));
    const { ino, mtimeMs: madeAt } = await handle.stat();
    const text = await handle.readFile("utf8");
    const { nonce, ...rest } = parse(text);
    const owner = readIdentity(rest);
    return typeof nonce === "string" && owner !== undefined
      ? { id: nonce, owner, madeAt }
      : { id: `${ino} ${madeAt} ${text}`, owner: undefined, madeAt };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw storeError("read the lock", path, error);
  } finally {
    await handle?.close();
  }
}

/**
 * Makes a lock file, unless there is one. It comes into being with its content: nobody ever finds it
 * empty, save where there are no hard links.
 */
export async function createLock(path: string): Promise<string | undefined> {
  const nonce = randomBytes(16).toString("hex");
  const content = JSON.stringify({ ...await ownIdentity(), nonce }) + "\n";
  try {
    return await linkNew(path, content, nonce) ? nonce : undefined;
  } catch (error) {
    throw storeError("make the lock", path, error);
  }
}

/** Removes a lock file, if it is still the same lock. */
export async function removeLock(path: string, id: string): Promise<void> {
  if ((await findLock(path))?.id !== id) return;
  try {
    await retrySharing(() => fs.unlink(path));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw storeError("remove the lock", path, error);
  }
}

/** The lock of those who would break a lock. */
export function breakersLock(path: string, id: string): string {
  return `${path}.${digest(id)}`;
}

/**
 * Clears away what processes that died left beside a lock file. Only the lock's holder may do so: to it,
 * no file there is of use any more. Who wanted to make the same lock comes too late anyway, and who wanted
 * to break an earlier one finds that it is gone.
 */
export async function sweepLocks(path: string, id: string): Promise<void> {
  const kept = breakersLock("", id);
  await removeBeside(path, (ending) => LEFT.test(ending) && !ending.startsWith(kept));
}

/** Makes a file with its content in one step: written under another name, then linked. */
async function linkNew(path: string, content: string, nonce: string): Promise<boolean> {
  const temporary = `${path}.${nonce}.tmp`;
  try {
    await writeNew(temporary, content);
    try {
      await fs.link(temporary, path);
      return true;
    } catch (error) {
      const code = codeOf(error) ?? "";
      // ENOENT: the holder of the lock cleared the other name away.
      if (code === "ENOENT") return false;
      // A network file system may have linked the file and lost the answer.
      if (code === "EEXIST") return (await findLock(path))?.id === nonce;
      if (!NO_LINKS.includes(code)) throw error;
    }
  } finally {
    await fs.rm(temporary, { force: true }).catch(throwIfNotCapable);
  }
  try {
    await writeNew(path, content);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function writeNew(path: string, content: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await fs.open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    await makeFolder(dirname(path));
    handle = await fs.open(path, "wx", 0o600);
  }
  try {
    await handle.writeFile(content);
  } catch (error) {
    await fs.rm(path, { force: true }).catch(throwIfNotCapable);
    throw error;
  } finally {
    await handle.close();
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function digest(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 12);
}
