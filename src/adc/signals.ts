/**
 * Signals on their way to the child.
 *
 * @module
 */

import process from "node:process";

/** What signals arrive at: `process`, or an `EventEmitter` in a test. */
export interface SignalPort {
  /** Starts to listen. */
  on(signal: string, listener: () => void): unknown;
  /** Stops listening. */
  off(signal: string, listener: () => void): unknown;
}

const PASSED_ON: readonly NodeJS.Signals[] = [
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
];

/** How signals are passed on. */
export interface ForwardOptions {
  /** Where signals arrive. */
  readonly port: SignalPort;
  /** Whether a terminal sends SIGINT to the child as well. */
  readonly terminal: boolean;
  /** Sends a signal to the child. */
  readonly send: (signal: NodeJS.Signals) => void;
}

/**
 * Passes signals on, and keeps adc-run alive meanwhile: it must not end before its child.
 *
 * @param options Where signals come from and go to.
 * @returns A function that stops it.
 */
export function forwardSignals({ port, terminal, send }: ForwardOptions): () => void {
  const listeners = new Map<NodeJS.Signals, () => void>();
  for (const signal of PASSED_ON) listeners.set(signal, () => send(signal));
  // A second SIGINT makes many programs give up their own clean-up, so a terminal's is not repeated.
  listeners.set("SIGINT", terminal ? () => {} : () => send("SIGINT"));
  for (const [signal, listener] of listeners) {
    try {
      port.on(signal, listener);
    } catch {
      // Windows does not know all of them.
      listeners.delete(signal);
    }
  }
  return () => {
    for (const [signal, listener] of listeners) port.off(signal, listener);
  };
}

/**
 * Sends a signal to a process.
 *
 * On Deno `child.kill()` would report the child as ended by the signal even when it caught the signal and
 * left with a code of its own.
 *
 * @param pid The process' id.
 * @param signal The signal.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
