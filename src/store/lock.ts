import { createHash, randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { promises as timers } from "node:timers";
import type { Context } from "../context.ts";
import { codeOf, throwIfNotCapable } from "../errors.ts";
import { makeFolder } from "./private_path.ts";
import { isAlive, ownIdentity, type ProcessIdentity, readIdentity } from "./process_identity.ts";
import { removeBeside, retrySharing } from "./replace_file.ts";
import { StoreError, storeError } from "./store_error.ts";

/** How a lock is waited for; what already runs under it goes on when the signal ends. */
export interface LockOptions extends Pick<Context, "signal"> {
  /** How long to wait for the lock, in milliseconds. @default 60_000 */
  readonly timeout?: number | undefined;
  /**
   * After how many milliseconds a lock is taken over from a process of which nobody here can tell whether it
   * still runs: one of another machine or container, one whose id may be in use again, or a lock file that
   * does not say whose it is. It has to be far longer than what anybody does under the lock.
   * @default 30_000
   */
  readonly stale?: number | undefined;
  /** What the lock is for, for messages, such as `the journal`. @default the lock file's path */
  readonly what?: string | undefined;
}

interface HeldLock {
  /** Makes sure that the lock is still held: a process that was stopped for a long time may have lost it. */
  check(): Promise<void>;
}

/**
 * Waits are short at first, and of uneven length, so that many that wait do not all look at once. Whoever
 * has waited for long looks less often: two hundred that look all the time leave the holder no processor.
 */
const MIN_WAIT = 4;
const FIRST_WAIT = 24;
const MAX_WAIT = 250;

/**
 * Runs something while no other process does so under the same lock, nor another call in this one.
 *
 * The lock is a file that says which process holds it. One whose process died, be it by SIGKILL, is taken
 * over at once. A lock is not for nesting: under it, the same lock is waited for in vain.
 */
export async function withLock<T>(
  path: string,
  run: (lock: HeldLock) => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const id = await acquire(path, options);
  try {
    await sweepLocks(path, id);
    options.signal?.throwIfAborted();
    return await run({ check: () => requireLock(path, id, options) });
  } finally {
    // A lock that cannot be removed is taken over when this process has ended.
    await removeLock(path, id).catch(passStoreErrors);
  }
}

async function acquire(path: string, options: LockOptions): Promise<string> {
  const { timeout = 60_000, signal } = options;
  const start = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const found = await findLock(path);
    const id = found === undefined ? await createLock(path) : undefined;
    if (id !== undefined) return id;
    const left = start + timeout - performance.now();
    if (left <= 0) throw tooLong(path, found, options);
    if (found !== undefined && await isAbandoned(path, found, options)) {
      await breakLock(path, found, { ...options, timeout: left });
    } else {
      await timers.setTimeout(Math.min(left, wait(timeout - left)));
    }
  }
}

/**
 * Removes an abandoned lock. Of the many that find the same one, each holds its breakers' lock in turn and
 * looks again: else the second would remove the lock that the first has got hold of in between.
 */
function breakLock(path: string, found: FoundLock, options: LockOptions): Promise<void> {
  return withLock(breakersLock(path, found.id), async () => {
    const now = await findLock(path);
    if (now?.id === found.id && await isAbandoned(path, now, options)) {
      await removeLock(path, now.id);
    }
  }, options);
}

async function isAbandoned(
  path: string,
  { owner, madeAt }: FoundLock,
  { stale = 30_000 }: LockOptions,
): Promise<boolean> {
  const alive = owner === undefined ? undefined : await isAlive(owner);
  if (alive !== undefined) return !alive;
  // By the clock of the file system, which is a server's: this machine's own may be hours off.
  const now = await timeOf(path);
  return now !== undefined && now - madeAt > stale;
}

/** The time that a file gets that is made now; `undefined` where none can be made. */
async function timeOf(path: string): Promise<number | undefined> {
  const temporary = `${path}.${randomBytes(16).toString("hex")}.tmp`;
  let handle: FileHandle | undefined;
  try {
    handle = await fs.open(temporary, "wx", 0o600);
    return (await handle.stat()).mtimeMs;
  } catch (error) {
    throwIfNotCapable(error);
    return undefined;
  } finally {
    await handle?.close();
    await fs.rm(temporary, { force: true }).catch(throwIfNotCapable);
  }
}

async function requireLock(path: string, id: string, options: LockOptions): Promise<void> {
  if ((await findLock(path))?.id === id) return;
  throw new StoreError(
    `Cannot keep ${purpose(path, options)} locked: another process took over "${path}"`,
    { path, suggestion: "Try again." },
  );
}

function tooLong(path: string, found: FoundLock | undefined, options: LockOptions): StoreError {
  const { owner } = found ?? {};
  const holder = owner === undefined
    ? "another process"
    : `process ${owner.pid} on ${JSON.stringify(owner.host)}`;
  return new StoreError(
    `Cannot lock ${purpose(path, options)}: ${holder} holds "${path}"`,
    {
      path,
      suggestion: "Try again when it has finished. If no adc-run is running, delete that file.",
    },
  );
}

function purpose(path: string, { what = `"${path}"` }: LockOptions): string {
  return what;
}

function wait(waited: number): number {
  const longest = Math.min(FIRST_WAIT + waited / 10, MAX_WAIT);
  return MIN_WAIT + Math.random() * (longest - MIN_WAIT);
}

function passStoreErrors(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

interface FoundLock {
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

async function findLock(path: string): Promise<FoundLock | undefined> {
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
    throw storeError("create the lock", path, error);
  }
}

export async function removeLock(path: string, id: string): Promise<void> {
  if ((await findLock(path))?.id !== id) return;
  try {
    await retrySharing(() => fs.unlink(path));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw storeError("remove the lock", path, error);
  }
}

export function breakersLock(path: string, id: string): string {
  return `${path}.${digest(id)}`;
}

/**
 * Clears away what processes that died left beside a lock file. Only the lock's holder may do so: to it,
 * no file there is of use any more. Who wanted to make the same lock comes too late anyway, and who wanted
 * to break an earlier one finds that it is gone.
 */
async function sweepLocks(path: string, id: string): Promise<void> {
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
