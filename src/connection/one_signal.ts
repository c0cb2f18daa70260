/**
 * Whatever ends a request, as one signal.
 *
 * @module
 */

import { LONGEST_TIMER } from "./duration.ts";
import { TIMED_OUT } from "./request_terms.ts";

/**
 * What `AbortSignal.any()` and `AbortSignal.timeout()` would give, which take longer to load than a request
 * over loopback.
 *
 * @param signals The signals to follow.
 * @param timeout The time limit in milliseconds, 0 for none.
 * @returns The signal, and what lets go of the others.
 */
export function oneSignal(
  signals: readonly (AbortSignal | undefined)[],
  timeout: number,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const ended = new AbortController();
  const abort = (event: Event) => ended.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal?.aborted) ended.abort(signal.reason);
    signal?.addEventListener("abort", abort);
  }
  const late = () => ended.abort(new DOMException(TIMED_OUT, "TimeoutError"));
  const timer = timeout === 0 ? undefined : setTimeout(late, Math.min(timeout, LONGEST_TIMER));
  return {
    signal: ended.signal,
    release: () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener("abort", abort);
    },
  };
}
