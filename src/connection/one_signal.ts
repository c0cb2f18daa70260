import { MAX_TIMER } from "../adc/duration.ts";

/**
 * Joins signals and a time limit. It does what `AbortSignal.timeout()` does, whose loading takes as long as a
 * request over loopback, and the limit can be lifted.
 */
export function oneSignal(
  signals: readonly (AbortSignal | undefined)[],
  timeout: number,
): { readonly signal: AbortSignal; readonly liftLimit: () => void } {
  const limit = new AbortController();
  const late = () => {
    limit.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  };
  const timer = timeout === 0 ? undefined : setTimeout(late, Math.min(timeout, MAX_TIMER));
  const followed = [limit.signal, ...signals].filter((signal) => signal !== undefined);
  return { signal: AbortSignal.any(followed), liftLimit: () => clearTimeout(timer) };
}
