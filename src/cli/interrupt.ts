import { constants } from "node:os";
import { ENDING, listenTo } from "../run/signals.ts";
import type { SignalPort } from "../run/signals.ts";

/** A signal ended adc-run before it had a child to pass it on to. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: NodeJS.Signals;
  /** What to exit with where the signal cannot be raised again. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
    this.signal = signal;
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Turns the signals that end a process into an abort, so that helpers and requests are ended as well.
 */
export function abortOnInterrupt(
  port: SignalPort,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const give = (signal: NodeJS.Signals) => () => controller.abort(new Interrupted(signal));
  return { signal: controller.signal, release: listenTo(port, ENDING, give) };
}
