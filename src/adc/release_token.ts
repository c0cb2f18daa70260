/**
 * What is given back after a run.
 *
 * @module
 */

import { AdcRunError, messageOf } from "../errors.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenLease } from "../token/source.ts";
import type { RunOptions } from "./run_options.ts";
import type { SignalPort } from "./signals.ts";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Tokens that were given back, or could not be, so that nobody is told twice. */
const released = new WeakSet<TokenLease>();

/** Signals on the way out: they hurry adc-run up, and do not end it. */
export interface Impatience {
  /** Aborted by the first signal after {@linkcode Impatience.begin}. */
  readonly signal: AbortSignal;
  /** From now on signals count; until then they are the child's. */
  begin(): void;
  /** Stops listening. */
  end(): void;
}

/**
 * Listens for signals, so that none ends adc-run on its way out.
 *
 * @param port Where signals arrive.
 * @returns What tells of them.
 */
export function listenForImpatience(port: SignalPort | undefined): Impatience {
  const controller = new AbortController();
  let begun = false;
  const listener = () => {
    if (begun) controller.abort(new Error("it was interrupted"));
  };
  const listening = ENDING.filter((name) => {
    try {
      port?.on(name, listener);
      return true;
    } catch {
      // Windows does not know all of them.
      return false;
    }
  });
  return {
    signal: controller.signal,
    begin: () => {
      begun = true;
    },
    end: () => {
      for (const name of listening) port?.off(name, listener);
    },
  };
}

/**
 * Revokes a token that was made for the run. A failure is told, once, and changes nothing: the run is over,
 * and the journal remembers the token.
 *
 * @param resolved The token.
 * @param options Where signals arrive, and who is told. A signal ends the attempt.
 */
export async function releaseToken(
  { lease }: ResolvedToken,
  { signals, onWarning }: Pick<RunOptions, "signals" | "onWarning">,
): Promise<void> {
  if (lease === undefined || released.has(lease)) return;
  released.add(lease);
  const impatience = listenForImpatience(signals);
  impatience.begin();
  try {
    await lease.release({ signal: impatience.signal });
  } catch (error) {
    const suggestion = error instanceof AdcRunError ? ` ${error.suggestion ?? ""}` : "";
    onWarning?.(`${messageOf(error)}.${suggestion}`.trimEnd());
  } finally {
    impatience.end();
  }
}
