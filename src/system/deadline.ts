import timers from "node:timers";

/**
 * The longest that a timer can run, in milliseconds: a longer one would fire at once. ADC's, a socket's, is
 * cut down to this as well.
 */
export const MAX_TIMER = 2 ** 31 - 1;

/**
 * A signal that ends after a time in milliseconds, 0 for never, or with the first of others. It does what
 * `AbortSignal.timeout()` does, whose loading takes as long as a request over loopback, and can be lifted.
 */
export function deadline(
  timeout: number,
  signals: readonly (AbortSignal | undefined)[] = [],
): { readonly signal: AbortSignal; clear(): void } {
  const limit = new AbortController();
  const late = () => {
    limit.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  };
  const timer = timeout === 0 ? undefined : setTimeout(late, Math.min(timeout, MAX_TIMER));
  return {
    signal: firstOf(limit.signal, ...signals),
    clear: () => clearTimeout(timer),
  };
}

/** A signal that ends with the first of several, as far as they are there. */
export function firstOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  const there = signals.filter((signal) => signal !== undefined);
  return there.length === 1 ? there[0]! : AbortSignal.any(there);
}

/**
 * What a promise comes to; once a signal has ended nobody waits for it, and its reason is thrown.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort!);
  }
}

/** What `IdleTimer` needs of `node:timers`; tests bring their own. */
export interface Timers {
  setTimeout(callback: () => void, delay: number): TimerHandle;
  /** Calls back once after pending input has been read. */
  setImmediate(callback: () => void): unknown;
  clearTimeout(handle: TimerHandle): void;
  clearImmediate(handle: unknown): void;
}

export interface TimerHandle {
  unref(): unknown;
}

interface IdleTimerOptions {
  readonly idleTime: number;
  /** How much longer reading may take that was due in the meantime, in milliseconds. @default 0 */
  readonly readingTime?: number;
  readonly keepAlive?: boolean;
  readonly timers?: Timers | undefined;
}

/** How long a pipe may stay open and silent after its process has ended. */
export const ENDED_PROCESS: IdleTimerOptions = {
  idleTime: 250,
  readingTime: 10,
  keepAlive: true,
};

/**
 * Calls back once when it has not been restarted for some time.
 *
 * A process that was busy or suspended finds its timers due before it reads what has arrived in the
 * meantime. That input gets its turn first; it stops or restarts this timer.
 */
export class IdleTimer {
  readonly #callback: () => void;
  readonly #options: IdleTimerOptions;
  readonly #timers: Timers;
  #timeout: TimerHandle | undefined;
  #immediate: unknown;

  constructor(callback: () => void, options: IdleTimerOptions) {
    this.#callback = callback;
    this.#options = options;
    this.#timers = options.timers ?? timers as unknown as Timers;
  }

  start(): void {
    const { idleTime, readingTime } = this.#options;
    this.stop();
    this.#wait(idleTime, () => {
      if (readingTime === undefined) this.#readFirst();
      else this.#wait(readingTime, () => this.#readFirst());
    });
  }

  stop(): void {
    if (this.#timeout !== undefined) this.#timers.clearTimeout(this.#timeout);
    if (this.#immediate !== undefined) this.#timers.clearImmediate(this.#immediate);
    this.#timeout = this.#immediate = undefined;
  }

  #wait(delay: number, elapsed: () => void): void {
    this.#timeout = this.#timers.setTimeout(elapsed, delay);
    if (!this.#options.keepAlive) this.#timeout.unref();
  }

  #readFirst(): void {
    this.#timeout = undefined;
    // Referenced, or Node.js would sleep until something else wakes it. It lasts one turn.
    this.#immediate = this.#timers.setImmediate(() => {
      this.#immediate = undefined;
      this.#callback();
    });
  }
}
