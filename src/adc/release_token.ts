/**
 * What is given back after a run.
 *
 * @module
 */

import { AdcRunError, messageOf } from "../errors.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { RunOptions } from "./run_options.ts";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Revokes a token that was made for the run. A failure is told and changes nothing: the run is over, and
 * the journal remembers the token.
 *
 * @param resolved The token.
 * @param options Where signals arrive, and who is told. A signal ends the attempt.
 */
export async function releaseToken(
  { lease }: ResolvedToken,
  { signals, onWarning }: Pick<RunOptions, "signals" | "onWarning">,
): Promise<void> {
  if (lease === undefined) return;
  const impatience = new AbortController();
  const listener = () => impatience.abort(new Error("it was interrupted"));
  for (const name of ENDING) signals?.on(name, listener);
  try {
    await lease.release({ signal: impatience.signal });
  } catch (error) {
    const suggestion = error instanceof AdcRunError ? ` ${error.suggestion ?? ""}` : "";
    onWarning?.(`${messageOf(error)}.${suggestion}`.trimEnd());
  } finally {
    for (const name of ENDING) signals?.off(name, listener);
  }
}
