import type { Connection } from "../connection/connection.ts";
import { MAX_TIMER } from "../system/deadline.ts";

/** How long cleaning up may take where the connection has no time limit, in milliseconds. */
const DEFAULT_LIMIT = 10_000;

/** The longest that a request goes on after the caller gave up, in milliseconds. */
const MAX_GRACE = 2_000;

export interface Grace {
  readonly signal: AbortSignal | undefined;
  end(): void;
}

export function cleanUpLimit({ timeoutMs }: Connection): number {
  return Math.min(timeoutMs.value || DEFAULT_LIMIT, MAX_TIMER);
}

/**
 * Puts a signal off. A request that makes something is not broken off at once: the server would make it
 * all the same, and nobody would know its id.
 */
export function withGrace(signal: AbortSignal | undefined, connection: Connection): Grace {
  if (signal === undefined) return { signal, end: () => {} };
  const delay = Math.min(MAX_GRACE, cleanUpLimit(connection) / 2);
  const later = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    timer = setTimeout(() => later.abort(signal.reason), delay);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return {
    signal: later.signal,
    end: () => {
      signal.removeEventListener("abort", begin);
      clearTimeout(timer);
    },
  };
}
