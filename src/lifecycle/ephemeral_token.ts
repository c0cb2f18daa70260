import type { Connection } from "../connection/connection.ts";
import type { HttpDispatcher } from "../http/http_client.ts";
import type { Environment } from "../connection/origin.ts";
import type { TokenRecord } from "../store/state.ts";
import type { Keychain } from "../token/keychain.ts";
import type { ResolvedToken } from "../token/resolve.ts";

/** How a token is exchanged for one that lives for a run. */
export interface EphemeralOptions {
  /** Where the token is used. */
  readonly connection: Connection;
  /** The environment, which says where the journal is. */
  readonly env: Environment;
  /** What is known of the token that was found. */
  readonly record: TokenRecord | undefined;
  /** How long the new token lives at most, in milliseconds. */
  readonly ttl: number;
  /** The keychain, where it is not the system's. */
  readonly keychain?: Keychain | undefined;
  /** Told what a person should know, a sentence each. */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Sends the requests. */
  readonly dispatcher?: HttpDispatcher | undefined;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** Exchanges a token for one that lives for this run alone. A token that does so already stays. */
export async function exchangeToken(
  resolved: ResolvedToken,
  { connection, env, record, ttl, keychain, onWarning, signal, dispatcher, now }: EphemeralOptions,
): Promise<ResolvedToken> {
  if (resolved.lease !== undefined) return resolved;
  const [{ openTokenSession }, { openTokenStores }, { lendToken }] = await Promise.all([
    import("./open_session.ts"),
    import("./token_stores.ts"),
    import("./lend_token.ts"),
  ]);
  const stores = openTokenStores({ env, keychain, onWarning });
  const { token: parent, source, detail, trail } = resolved;
  const session = await openTokenSession(connection, {
    resolved,
    record,
    now: now(),
    dispatcher,
    signal,
  });
  try {
    const terms = { connection, stores, ttl, onWarning, dispatcher, signal, now };
    const { token, lease } = await lendToken(session, terms);
    return {
      token,
      source,
      detail: `${detail}: "${lease.name}", for this run alone`,
      trail,
      secrets: [parent, ...(resolved.secrets ?? [])],
      lease: { ...lease, parent },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}
