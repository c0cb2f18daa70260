import process from "node:process";

/** What signals arrive at: `process`, or an `EventEmitter` in a test. */
export interface SignalPort {
  /** Starts to listen. */
  on(signal: string, listener: () => void): unknown;
  /** Stops listening. */
  off(signal: string, listener: () => void): unknown;
}

/** Signals that end a process that does not listen to them. */
export const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

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
  readonly port: SignalPort;
  /** Whether a terminal sends SIGINT to the child as well. */
  readonly terminal: boolean;
  /** Sends a signal to the child. */
  readonly send: (signal: NodeJS.Signals) => void;
}

/** Passes signals on, and keeps adc-run alive meanwhile: it must not end before its child. */
export function forwardSignals({ port, terminal, send }: ForwardOptions): () => void {
  return listenTo(port, [...PASSED_ON, "SIGINT"], (signal) => () => {
    // A second SIGINT makes many programs give up their own clean-up, so a terminal's is not repeated.
    if (signal !== "SIGINT" || !terminal) send(signal);
  });
}

/** Listens to signals, as far as the system knows them: Windows does not know all. */
export function listenTo(
  port: SignalPort,
  signals: readonly NodeJS.Signals[],
  listenerOf: (signal: NodeJS.Signals) => () => void,
): () => void {
  const stops = signals.map((signal) => {
    const listener = listenerOf(signal);
    try {
      port.on(signal, listener);
    } catch {
      return () => {};
    }
    return () => port.off(signal, listener);
  });
  return () => {
    for (const stop of stops) stop();
  };
}

/**
 * Sends a signal to a process.
 *
 * On Deno `child.kill()` would report the child as ended by the signal even when it caught the signal and
 * left with a code of its own.
 */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
