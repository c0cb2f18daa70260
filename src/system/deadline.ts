/**
 * The longest that a timer can run, in milliseconds: a longer one would fire at once. ADC's, a socket's, is
 * cut down to this as well.
 */
export const MAX_TIMER = 2 ** 31 - 1;

interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

/**
 * A signal that ends after a time in milliseconds, 0 for never, or with the first of others. It does what
 * `AbortSignal.timeout()` does, whose loading takes as long as a request over loopback, and can be lifted.
 */
export function deadline(
  timeout: number,
  signals: readonly (AbortSignal | undefined)[] = [],
): Deadline {
  const limit = new AbortController();
  const late = () => {
    limit.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  };
  const timer = timeout === 0 ? undefined : setTimeout(late, Math.min(timeout, MAX_TIMER));
  const followed = signals.filter((signal) => signal !== undefined);
  return {
    signal: followed.length === 0 ? limit.signal : AbortSignal.any([limit.signal, ...followed]),
    clear: () => clearTimeout(timer),
  };
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
