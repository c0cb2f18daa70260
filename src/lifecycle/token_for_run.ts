import type { Credentials } from "../admin_api/session.ts";
import type { Connection } from "../connection/connection.ts";
import { isPipeline } from "../context.ts";
import type { Secret } from "../secret.ts";
import type { SourceAnswer } from "../token/source.ts";
import { accountOf } from "../token/token_value.ts";
import type { AdminApiSourceOptions } from "./admin_api_source.ts";
import { plainPasswordWarning } from "./credentials.ts";
import { lendToken } from "./ephemeral_token.ts";
import { DEFAULT_LIFETIME, DEFAULT_TTL, endOf, readTtl } from "./expiry.ts";
import { type Session, withAccount, withLogIn } from "./open_session.ts";
import { replaceToken } from "./replace_token.ts";
import { SessionPool } from "./session_pool.ts";
import {
  isMissingKeychain,
  openTokenStores,
  storedToken,
  type TokenStores,
} from "./token_stores.ts";

interface TokenForRunOptions extends Omit<AdminApiSourceOptions, "ask" | "confirm"> {
  readonly credentials: Credentials;
  readonly signal: AbortSignal;
}

interface Making extends TokenForRunOptions {
  readonly connection: Connection;
  readonly stores: TokenStores;
  readonly account: string;
  readonly session: Session;
  readonly ttl: number;
  readonly now: () => number;
}

/**
 * Logs in and has a token made. It is kept where there is a keychain without one; else it lives for the
 * run alone.
 */
export async function makeTokenForRun(
  connection: Connection,
  options: TokenForRunOptions,
): Promise<SourceAnswer> {
  const { env, keychain, onWarning, dispatcher, credentials, signal, now = Date.now } = options;
  const ttl = await readTtl(options.ephemeral ?? DEFAULT_TTL);
  const stores = openTokenStores({ env, keychain, onWarning });
  const [{ origin }] = connection.servers as [Connection["servers"][0]];
  const account = accountOf(origin, connection);
  // A token that is stored there already may be in use, and is not replaced.
  const keep = options.ephemeral === undefined && !isPipeline(env) &&
    await isEmpty(stores, account);
  const warning = plainPasswordWarning(connection);
  if (warning !== undefined) onWarning?.(warning);
  const make = async (): Promise<SourceAnswer> => {
    const { sessions = new SessionPool() } = options;
    const session = await sessions.open(connection, credentials, { dispatcher, signal });
    try {
      const { user } = session;
      if (user.superAdmin) {
        onWarning?.(
          `"${user.username}" is a Super Admin. Log in as a user with only the permissions that ADC needs.`,
        );
      }
      const making: Making = { ...options, connection, stores, account, session, ttl, now };
      const answer = keep ? await keepOne(making) : await lendOne(making);
      return { ...answer, secrets: [credentials.password, ...session.api.secrets] };
    } catch (error) {
      await session.close();
      throw error;
    }
  };
  return await withLogIn(connection, credentials, make, { folder: stores.folder, signal });
}

type Found = SourceAnswer & { readonly status: "found" };

async function lendOne(making: Making): Promise<Found> {
  const { session } = making;
  const { token, lease } = await lendToken(session, making);
  const detail = `logged in as ${session.user.username}: "${lease.name}", for this run only`;
  return { status: "found", token, detail, lease };
}

async function keepOne(making: Making): Promise<Found> {
  const { connection, stores, account, session, dispatcher, signal, onWarning, now } = making;
  const { api, user, close } = session;
  const make = async (): Promise<{ readonly token: Secret; readonly detail: string }> => {
    const other = await storedToken({ stores, storage: "keychain", account });
    if (other !== undefined) {
      return { token: other, detail: "stored in the keychain by another run just now" };
    }
    const { token, record } = await replaceToken(api, {
      connection,
      stores,
      storage: "keychain",
      account,
      user,
      expiresAt: endOf(DEFAULT_LIFETIME, now() + api.clockSkewMs),
      // The run tries it next.
      check: () => Promise.resolve(),
      onWarning: (warning) => onWarning?.(warning),
      dispatcher,
      signal,
      now,
    });
    return {
      token,
      detail: `logged in as ${user.username}: "${record.name}", now in the keychain`,
    };
  };
  const made = await withAccount(account, make, { folder: stores.folder, signal });
  await close();
  return { status: "found", ...made };
}

/** A keychain that is locked or broken is something to mend; none at all is not. */
async function isEmpty(stores: TokenStores, account: string): Promise<boolean> {
  try {
    return await storedToken({ stores, storage: "keychain", account }) === undefined;
  } catch (error) {
    if (isMissingKeychain(error)) return false;
    throw error;
  }
}
