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
interface ForwardOptions {
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

/**
 * Listens at a port once for each signal, however many listen to what is given back: a hundred children
 * would look like a leak to Node, which warns of that.
 */
export function shareSignals(port: SignalPort): SignalPort {
  const shared = new Map<string, { readonly each: Set<() => void>; readonly tell: () => void }>();
  return {
    on(signal, listener) {
      const known = shared.get(signal);
      if (known !== undefined) return void known.each.add(listener);
      const each = new Set([listener]);
      const tell = () => {
        // A listener that is told may stop listening, or start another child.
        for (const told of [...each]) told();
      };
      // Windows does not know all signals: a port that throws has no listener then.
      port.on(signal, tell);
      shared.set(signal, { each, tell });
    },
    off(signal, listener) {
      const known = shared.get(signal);
      if (!known?.each.delete(listener) || known.each.size > 0) return;
      shared.delete(signal);
      port.off(signal, known.tell);
    },
  };
}

/** Signals on the way out: they hurry adc-run up, and do not end it. */
interface Impatience {
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
