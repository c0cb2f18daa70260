import type { CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { Environment } from "../connection/origin.ts";
import type { Secret } from "../secret.ts";
import { storeFolder } from "../store/folder.ts";
import { openState } from "../store/state.ts";
import type { TokenRecord } from "../store/state.ts";
import { StoreError } from "../store/store_error.ts";
import { day, endsSoon, hasEnded } from "./expiry.ts";

/** Looks up what is known of a token. */
export async function knownToken(
  token: Secret,
  { connection, env, onWarning }: {
    readonly connection: Connection;
    readonly env: Environment;
    readonly onWarning?: ((warning: string) => void) | undefined;
  },
): Promise<TokenRecord | undefined> {
  const [server] = connection.servers;
  if (connection.backend.value !== "api7ee" || server === undefined) return undefined;
  try {
    const { fingerprint } = token;
    const state = openState(storeFolder(env), { onWarning });
    return await state.find({ origin: server.origin, fingerprint });
  } catch (error) {
    // The token works without it; only its end is not known.
    if (!(error instanceof StoreError)) throw error;
    onWarning?.(error.message);
    return undefined;
  }
}

/** Says that a token ends soon. */
export function endWarning(record: TokenRecord | undefined, now: number): string | undefined {
  const soon = endsSoon(record?.expiresAt, now);
  if (record === undefined || soon === undefined) return undefined;
  return `The token "${record.name ?? record.fingerprint}" expires ${soon}, on ` +
    `${day(record.expiresAt!)}. Renew it with "adc-run auth rotate".`;
}

/** Adds to a refusal that the token's time is over, where it is. */
export function explainRefusal(
  result: CheckResult,
  record: TokenRecord | undefined,
  now: number,
): CheckResult {
  if (result.verdict !== "rejected" || !hasEnded(record?.expiresAt, now)) return result;
  return {
    ...result,
    found: `${result.found}; the token expired on ${day(record!.expiresAt!)}`,
    suggestion: 'Make a new one with "adc-run auth login".',
  };
}
