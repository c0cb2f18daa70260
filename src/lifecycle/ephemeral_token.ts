import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT, messageOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { deadline } from "../system/deadline.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { TokenLease } from "../token/source.ts";
import { day, endOf } from "./expiry.ts";
import { mintToken, uniqueTokenName } from "./mint_token.ts";
import { revokeBySelf } from "./old_tokens.ts";
import type { Session } from "./open_session.ts";
import { sweep } from "./sweep.ts";
import type { TokenStores } from "./token_stores.ts";

interface EphemeralOptions extends Omit<Context, "cwd"> {
  readonly connection: Connection;
  readonly record: TokenRecord | undefined;
  readonly ttl: number;
}

/** Exchanges a token for one that lives for this run alone. A token that does so already stays. */
export async function exchangeToken(
  resolved: ResolvedToken,
  { connection, env, record, ttl, keychain, onWarning, signal, dispatcher, now = Date.now }:
    EphemeralOptions,
): Promise<ResolvedToken> {
  if (resolved.lease !== undefined) return resolved;
  const [{ openTokenSession }, { openTokenStores }] = await Promise.all([
    import("./open_session.ts"),
    import("./token_stores.ts"),
  ]);
  const stores = openTokenStores({ env, keychain, onWarning });
  const { token: parent, source, detail, trail } = resolved;
  const session = await openTokenSession(connection, {
    resolved,
    record,
    now: now(),
    env,
    dispatcher,
    signal,
  });
  try {
    const terms = { connection, stores, ttl, onWarning, dispatcher, signal, now };
    const { token, lease } = await lendToken(session, terms);
    return {
      token,
      source,
      detail: `${detail}: "${lease.name}", for this run only`,
      trail,
      secrets: [parent, ...(resolved.secrets ?? [])],
      lease: { ...lease, parent },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** How long giving a token back may take, in milliseconds. */
const RELEASE_LIMIT = 10_000;

interface LendOptions extends Omit<Context, "env" | "cwd"> {
  readonly connection: Connection;
  readonly stores: TokenStores;
  readonly ttl: number;
}

/** Clears up what earlier runs left behind, and makes a token for one run. */
export async function lendToken(
  { api, user, close }: Session,
  { connection, stores, ttl, onWarning, dispatcher, signal, now = Date.now }: LendOptions,
): Promise<{ readonly token: Secret; readonly lease: TokenLease }> {
  await sweep(api, { stores, user, onWarning, signal, now });
  const expiresAt = endOf(ttl, now() + api.clockSkewMs)!;
  const name = uniqueTokenName("adc-run-ephemeral");
  const { fresh, settle } = await mintToken(api, {
    journal: stores.journal,
    user,
    name,
    expiresAt,
    signal,
    note: { kind: "ephemeral" },
  });
  let released: Promise<void> | undefined;
  const release = async (ending: AbortSignal | undefined) => {
    const { signal, clear } = deadline(RELEASE_LIMIT, [ending]);
    try {
      await api.revokeToken(fresh.id, { signal }).catch((error: unknown) => {
        const gone = error instanceof AdminApiError &&
          (error.failure === "rejected" || error.failure === "forbidden");
        if (!gone) throw error;
        // The session is over, or the token that it was made with was revoked meanwhile.
        return revokeBySelf(fresh.token, { id: fresh.id, connection, dispatcher, signal });
      });
    } catch (cause) {
      const reason = signal.aborted && !ending?.aborted
        ? `it took more than ${RELEASE_LIMIT / 1000} s`
        : messageOf(cause);
      throw new AdcRunError(
        `Cannot revoke token "${name}", created for this run: ${reason}`,
        EXIT.unavailable,
        {
          suggestion: `The next run as ${user.username} on this server tries again; ` +
            `it expires on ${day(expiresAt)} anyway.`,
          cause,
        },
      );
    } finally {
      clear();
      await close();
    }
    await settle();
  };
  return {
    token: fresh.token,
    lease: {
      name,
      expiresAt,
      release: ({ signal } = {}) => released ??= release(signal),
    },
  };
}
