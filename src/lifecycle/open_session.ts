import { createHash } from "node:crypto";
import { join } from "node:path";
import { AdminApi } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Credentials } from "../admin_api/session.ts";
import type { User } from "../admin_api/shapes.ts";
import { CheckError, type CheckResult, isVerdict } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context, Environment } from "../context.ts";
import { isAdminKey, type Secret } from "../secret.ts";
import { withLock } from "../store/lock.ts";
import type { TokenRecord } from "../store/state.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { explainRefusal } from "./expiry.ts";

/**
 * The Admin API, and on whose behalf it is asked.
 * @category Token sources
 */
export interface Session {
  /** Asks the server. */
  readonly api: AdminApi;
  /** Who asks. */
  readonly user: User;
  /** Logs out and closes the connections; never throws. */
  readonly close: () => Promise<void>;
}

const OF_NOBODY =
  'An admin key ("a7adm-…") belongs to no user, so there are no tokens to manage. ' +
  "Use a user's token, or log in.";

interface SessionOptions extends Pick<Context, "dispatcher" | "signal"> {
  /** A user and a password; or else a token. */
  readonly credentials?: Credentials | undefined;
  /** A token; or else a user and a password. */
  readonly token?: Secret | undefined;
}

/**
 * Opens a session with a token that was found, and asks whose it is. A refusal is told as that of the test
 * call is: with the token, where it came from, and whether its time is over.
 */
export async function openTokenSession(
  connection: Connection,
  { resolved, record, now, env, ...options }: Omit<SessionOptions, "credentials" | "token"> & {
    readonly resolved: ResolvedToken;
    readonly record: TokenRecord | undefined;
    readonly now: number;
    readonly env: Environment;
  },
): Promise<Session> {
  try {
    return await openSession(connection, { ...options, token: resolved.token });
  } catch (error) {
    if (!(error instanceof AdminApiError) || !isVerdict(error.failure)) throw error;
    const { failure: verdict, request, reason, httpStatus, suggestion } = error;
    const result: CheckResult = {
      verdict,
      request,
      reason,
      ...(suggestion !== undefined && { suggestion }),
      ...(isAdminKey(resolved.token) && verdict === "forbidden" && { suggestion: OF_NOBODY }),
      ...(httpStatus !== undefined && { httpStatus }),
    };
    throw new CheckError(explainRefusal(result, { record, now, resolved, connection, env }), {
      resolved,
    });
  }
}

/** Whether an API7 Enterprise answers, before anybody types a password for it. */
export async function requireLoginServer(
  connection: Connection,
  { signal, dispatcher }: Pick<Context, "dispatcher" | "signal">,
): Promise<void> {
  const api = await AdminApi.open(connection, { dispatcher });
  try {
    await api.loginOptions({ signal });
  } finally {
    await api.close();
  }
}

const MAX_TRIES = 3;

/** Logs in with what a person types; a slip is no reason to begin again. */
export async function withTries<T>(
  ask: (before: Credentials | undefined) => Promise<Credentials & { readonly typed?: boolean }>,
  logIn: (credentials: Credentials) => Promise<T>,
): Promise<T> {
  let credentials: Credentials & { readonly typed?: boolean } | undefined;
  for (let tries = 1;; tries++) {
    credentials = await ask(credentials);
    try {
      return await logIn(credentials);
    } catch (error) {
      const isSlip = error instanceof AdminApiError && error.failure === "wrong-credentials";
      if (!isSlip || !credentials.typed || tries === MAX_TRIES) throw error;
    }
  }
}

export async function openSession(
  connection: Connection,
  { credentials, token, dispatcher, signal }: SessionOptions,
): Promise<Session> {
  const api = await AdminApi.open(connection, { token, dispatcher });
  try {
    if (credentials !== undefined) {
      await api.logIn(credentials, { signal });
    }
    return { api, user: await api.me({ signal }), close: () => api.close() };
  } catch (error) {
    await api.close();
    throw error;
  }
}

/** Runs something while no other process of adc-run changes the token of an account. */
export async function withAccount<T>(
  account: string,
  run: () => Promise<T>,
  options: {
    readonly folder: string;
    readonly timeout?: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<T> {
  const { folder, timeout = 60_000, signal } = options;
  return await withLock(join(folder, `account-${hashOf(account)}.lock`), run, {
    timeout,
    // A keychain may ask for its password meanwhile, and nobody may be there to type it.
    stale: 15 * 60_000,
    what: `the token for ${account}`,
    ...(signal && { signal }),
  });
}

/**
 * Runs something, from the login to the token, while no other process of adc-run on this machine logs in as
 * the same user: that would end the session. Whoever needs {@linkcode withAccount} as well takes it inside.
 */
export async function withLogIn<T>(
  { servers }: Connection,
  { username }: Credentials,
  run: () => Promise<T>,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const { origin } = servers[0]!;
  return await withLock(join(folder, `login-${hashOf(`${username}@${origin}`)}.lock`), run, {
    timeout: 60_000,
    stale: 15 * 60_000,
    what: `logging in to ${origin}`,
    ...(signal && { signal }),
  });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
