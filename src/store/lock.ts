import { promises as timers } from "node:timers";
import { StoreError } from "./store_error.ts";
import { breakersLock, createLock, findLock, removeLock, sweepLocks } from "./lock_file.ts";
import type { FoundLock } from "./lock_file.ts";
import { isAlive } from "./process_identity.ts";

/** How a lock is waited for. */
export interface LockOptions {
  /** How long to wait for the lock, in milliseconds. @default 60_000 */
  readonly timeout?: number | undefined;
  /** Gives the wait up. What already runs under the lock is not stopped. @default none */
  readonly signal?: AbortSignal | undefined;
  /**
   * After how many milliseconds a lock is taken over from a process of which nobody here can tell whether
   * it still runs: one of another machine or container, or a lock file that does not say whose it is. It
   * has to be far longer than what anybody does under the lock.
   */
  readonly stale?: number | undefined;
  /** What the lock is for, for messages, such as `the journal`. @default the lock file's path */
  readonly what?: string | undefined;
}

export interface HeldLock {
  /**
   * Makes sure that the lock is still held: a process that was stopped for a long time may have lost it.
   */
  check(): Promise<void>;
}

/**
 * Waits are short at first, and of uneven length, so that many that wait do not all look at once. Whoever
 * has waited for long looks less often: two hundred that look all the time leave the holder no processor.
 */
const SHORTEST_WAIT = 4;
const FIRST_WAIT = 24;
const LONGEST_WAIT = 250;

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
    if (found !== undefined && await isAbandoned(found, options)) {
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
    if (now?.id === found.id && await isAbandoned(now, options)) await removeLock(path, now.id);
  }, options);
}

async function isAbandoned(
  { owner, madeAt }: FoundLock,
  { stale = 60_000 }: LockOptions,
): Promise<boolean> {
  const alive = owner === undefined ? undefined : await isAlive(owner);
  return alive === undefined ? Date.now() - madeAt > stale : !alive;
}

async function requireLock(path: string, id: string, options: LockOptions): Promise<void> {
  if ((await findLock(path))?.id === id) return;
  throw new StoreError(
    `Cannot keep ${purpose(path, options)} locked: another process took "${path}" over`,
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
      suggestion: "Try again when it has ended. If no adc-run is running, delete that file.",
    },
  );
}

function purpose(path: string, { what = `"${path}"` }: LockOptions): string {
  return what;
}

/** The next wait of one who has waited for so long, in milliseconds. */
function wait(waited: number): number {
  const longest = Math.min(FIRST_WAIT + waited / 10, LONGEST_WAIT);
  return SHORTEST_WAIT + Math.random() * (longest - SHORTEST_WAIT);
}

function passStoreErrors(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}
