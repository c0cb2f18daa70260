import { AdcRunError, messageOf } from "../errors.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenLease } from "../token/source.ts";
import { listenForImpatience } from "./impatience.ts";
import type { RunOptions } from "./run_options.ts";

/** Tokens that were given back, or could not be, so that nobody is told twice. */
const released = new WeakSet<TokenLease>();

/**
 * Revokes a token that was made for the run. A failure is told, once, and changes nothing: the run is over,
 * and the journal remembers the token.
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
