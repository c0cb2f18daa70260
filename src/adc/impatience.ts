import { ENDING, listenTo } from "./signals.ts";
import type { SignalPort } from "./signals.ts";

/** Signals on the way out: they hurry adc-run up, and do not end it. */
export interface Impatience {
  /** Aborted by the first signal after `Impatience.begin`. */
  readonly signal: AbortSignal;
  /** From now on signals count; until then they are the child's. */
  begin(): void;
  /** Stops listening. */
  end(): void;
}

/** Listens for signals, so that none ends adc-run on its way out. */
export function listenForImpatience(port: SignalPort | undefined): Impatience {
  const controller = new AbortController();
  let begun = false;
  const listener = () => {
    if (begun) controller.abort(new Error("it was interrupted"));
  };
  const stop = port === undefined ? () => {} : listenTo(port, ENDING, () => listener);
  return {
    signal: controller.signal,
    begin: () => {
      begun = true;
    },
    end: stop,
  };
}
