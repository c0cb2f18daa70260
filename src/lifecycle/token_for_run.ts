import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Credentials } from "../admin_api/session.ts";
import type { Connection } from "../connection/connection.ts";
import { type Context, isPipeline } from "../context.ts";
import { AdcRunError, EXIT, messageOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { deadline } from "../system/deadline.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { SourceAnswer, TokenLease } from "../token/sources.ts";
import { accountOf } from "../token/token_value.ts";
import type { AdminApiSourceOptions } from "./admin_api_source.ts";
import { plainPasswordWarning } from "./credentials.ts";
import { day, DEFAULT_LIFETIME, DEFAULT_TTL, endOf, readTtl } from "./expiry.ts";
import { mintToken, uniqueTokenName } from "./mint_token.ts";
import {
  openTokenSession,
  revokeBySelf,
  type Session,
  SessionPool,
  withAccount,
  withLogIn,
} from "./open_session.ts";
import { replaceToken } from "./replace_token.ts";
import { sweep } from "./sweep.ts";
import {
  isMissingKeychain,
  openTokenStores,
  type Place,
  storedToken,
  type TokenStores,
} from "./token_stores.ts";

interface TokenForRunOptions extends Omit<AdminApiSourceOptions, "ask" | "confirm"> {
  readonly credentials: Credentials;
  readonly signal: AbortSignal;
}

/**
 * Logs in and has a token made. It is kept where there is a keychain without one; else it lives for the
 * run alone.
 */
export async function makeTokenForRun(
  connection: Connection,
  options: TokenForRunOptions,
): Promise<SourceAnswer> {
  const { env, onWarning, credentials, dispatcher, signal, ephemeral, now = Date.now } = options;
  const { sessions = new SessionPool() } = options;
  const ttl = await readTtl(ephemeral ?? DEFAULT_TTL);
  const stores = openTokenStores(options);
  const account = accountOf(connection.servers[0]!.origin, connection);
  const place = { stores, storage: "keychain", account } as const;
  // A token that is stored there already may be in use, and is not replaced.
  const isKept = ephemeral === undefined && !isPipeline(env) && await isEmpty(place);
  const warning = plainPasswordWarning(connection);
  if (warning !== undefined) onWarning?.(warning);
  const turn = { folder: stores.folder, signal };
  const logIn = async (): Promise<SourceAnswer> => {
    const session = await sessions.open(connection, credentials, { dispatcher, signal });
    const { api, user, close } = session;
    const terms = { ...place, connection, user, ttl, dispatcher, signal, onWarning, now };
    const loggedIn = `logged in as ${user.username}`;
    const lend = async () => {
      const { token, lease } = await lendToken(session, terms);
      return { token, lease, detail: `${loggedIn}: "${lease.name}", for this run only` };
    };
    const keep = async () => {
      const other = await storedToken(place);
      if (other !== undefined) {
        return { token: other, detail: "stored in the keychain by another run just now" };
      }
      const expiresAt = endOf(DEFAULT_LIFETIME, now() + api.clockSkewMs);
      // It is not tried: the run does that next.
      const { token, record } = await replaceToken(api, { ...terms, expiresAt });
      return { token, detail: `${loggedIn}: "${record.name}", now in the keychain` };
    };
    try {
      if (user.superAdmin) {
        onWarning?.(
          `"${user.username}" is a Super Admin. Log in as a user with only the permissions that ADC needs.`,
        );
      }
      const made = isKept ? await withAccount(account, keep, turn) : await lend();
      if (isKept) await close();
      return { status: "found", ...made, secrets: [credentials.password, ...api.secrets] };
    } catch (error) {
      await close();
      throw error;
    }
  };
  return await withLogIn(connection, credentials, logIn, turn);
}

/** A keychain that is locked or broken is something to fix; none at all is not. */
async function isEmpty(place: Place): Promise<boolean> {
  return await storedToken(place).then((token) => token === undefined, (error) => {
    if (isMissingKeychain(error)) return false;
    throw error;
  });
}

interface LendOptions extends Omit<Context, "env" | "cwd"> {
  readonly connection: Connection;
  readonly ttl: number;
}

export async function exchangeToken(
  resolved: ResolvedToken,
  { record, ...options }: LendOptions & Pick<Context, "env"> & {
    readonly record: TokenRecord | undefined;
  },
): Promise<ResolvedToken> {
  const { connection, env, dispatcher, signal, now = Date.now } = options;
  const stores = openTokenStores(options);
  const terms = { resolved, record, now: now(), env, dispatcher, signal };
  const session = await openTokenSession(connection, terms);
  try {
    const { token, lease } = await lendToken(session, { ...options, stores });
    const { token: parent, detail, secrets = [] } = resolved;
    return {
      ...resolved,
      token,
      detail: `${detail}: "${lease.name}", for this run only`,
      secrets: [parent, ...secrets],
      lease: { ...lease, parent },
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** How long giving a token back may take, in milliseconds. */
const RELEASE_LIMIT = 10_000;

export async function lendToken(
  { api, user, close }: Session,
  { connection, stores, ttl, onWarning, dispatcher, signal, now = Date.now }: LendOptions & {
    readonly stores: TokenStores;
  },
): Promise<{ readonly token: Secret; readonly lease: TokenLease }> {
  await sweep(api, { stores, user, onWarning, signal, now });
  const expiresAt = endOf(ttl, now() + api.clockSkewMs)!;
  const name = uniqueTokenName("adc-run-ephemeral");
  const { journal } = stores;
  const note = { kind: "ephemeral" } as const;
  const { fresh, settle } = await mintToken(api, { journal, user, name, expiresAt, signal, note });
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
    lease: { name, expiresAt, release: ({ signal } = {}) => released ??= release(signal) },
  };
}
