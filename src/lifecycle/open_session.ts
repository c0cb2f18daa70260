import { createHash } from "node:crypto";
import { join } from "node:path";
import { AdminApi, type AdminApiOptions } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Credentials } from "../admin_api/session.ts";
import type { User } from "../admin_api/shapes.ts";
import { CheckError, type CheckResult, isVerdict } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { isAdminKey, type Secret } from "../secret.ts";
import { withLock } from "../store/lock.ts";
import type { TokenRecord } from "../store/state.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import type { AdminApiSourceOptions } from "./admin_api_source.ts";
import { credentialsOf } from "./credentials.ts";
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

interface SessionOptions extends Pick<Context, "dispatcher" | "signal"> {
  readonly credentials?: Credentials | undefined;
  readonly token?: Secret | undefined;
}

export async function openSession(
  connection: Connection,
  { credentials, token, dispatcher, signal }: SessionOptions,
): Promise<Session> {
  const api = await AdminApi.open(connection, { token, dispatcher });
  try {
    if (credentials !== undefined) await api.logIn(credentials, { signal });
    return { api, user: await api.me({ signal }), close: () => api.close() };
  } catch (error) {
    await api.close();
    throw error;
  }
}

export async function withSession<T>(
  connection: Connection,
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(connection, options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

export async function withApi<T>(
  connection: Connection,
  options: AdminApiOptions,
  work: (api: AdminApi) => Promise<T>,
): Promise<T> {
  const api = await AdminApi.open(connection, options);
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

export async function revokeBySelf(
  token: Secret,
  { id, connection, dispatcher, signal }: Pick<Context, "dispatcher" | "signal"> & {
    readonly id: string;
    readonly connection: Connection;
  },
): Promise<boolean> {
  return await withApi(connection, { token, dispatcher }, async (api) => {
    try {
      return await api.revokeToken(id, { signal });
    } catch (error) {
      if (!isRejected(error)) throw error;
      // A proxy can answer the same: a token that is gone is refused whatever it asks.
      const me: unknown = await api.me({ signal }).catch((refusal: unknown) => refusal);
      if (isRejected(me) && me.refused) return false;
      throw error;
    }
  });
}

function isRejected(error: unknown): error is AdminApiError {
  return error instanceof AdminApiError && error.failure === "rejected";
}

const OF_NOBODY =
  'An admin key ("a7adm-…") belongs to no user, so there are no tokens to manage. ' +
  "Use a user's token, or log in.";

/**
 * Opens a session with a token that was found, and asks whose it is. A refusal is told as that of the test
 * call is: with the token, where it came from, and whether its time is over.
 */
export async function openTokenSession(
  connection: Connection,
  { resolved, record, now, env, ...options }: Pick<Context, "dispatcher" | "env" | "signal"> & {
    readonly resolved: ResolvedToken;
    readonly record: TokenRecord | undefined;
    readonly now: number;
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

export async function requireLoginServer(
  connection: Connection,
  { signal, dispatcher }: Pick<Context, "dispatcher" | "signal">,
): Promise<void> {
  await withApi(connection, { dispatcher }, (api) => api.loginOptions({ signal }));
}

const MAX_TRIES = 3;

/** Logs in with what a person types; a slip is no reason to begin again. `undefined` where nobody wants to. */
export async function withTries<T>(
  ask: (before: Credentials | undefined) => Promise<TypedCredentials | undefined>,
  logIn: (credentials: Credentials) => Promise<T>,
): Promise<T | undefined> {
  let credentials: TypedCredentials | undefined;
  for (let tries = 1;; tries++) {
    credentials = await ask(credentials);
    if (credentials === undefined) return undefined;
    try {
      return await logIn(credentials);
    } catch (error) {
      const isSlip = error instanceof AdminApiError && error.failure === "wrong-credentials";
      if (!isSlip || !credentials.typed || tries === MAX_TRIES) throw error;
    }
  }
}

type TypedCredentials = Credentials & { readonly typed?: boolean };

/** Logs in with what the environment says, or else as {@linkcode withTries}. */
export async function logInOrAsk<T>(
  connection: Connection,
  { env, ask, signal, dispatcher }:
    & Pick<AdminApiSourceOptions, "env" | "ask" | "dispatcher">
    & Pick<Context, "signal">,
  logIn: (credentials: Credentials) => Promise<T>,
): Promise<T | undefined> {
  const { username, password, loginOption } = credentialsOf(env, connection);
  if (username !== undefined && password !== undefined) {
    return await logIn({ username, password, loginOption });
  }
  await requireLoginServer(connection, { signal, dispatcher });
  const known = { ...(username && { username }), ...(password && { password }) };
  return await withTries(async (before) => {
    const again = before && { username: before.username, again: true };
    const given = await ask?.(connection, { ...known, ...again });
    return given && { loginOption, ...given, typed: password === undefined };
  }, logIn);
}

interface TurnOptions extends Pick<Context, "signal"> {
  readonly folder: string;
  readonly timeout?: number;
}

/** Runs something while no other process of adc-run changes the token of an account. */
export function withAccount<T>(
  account: string,
  run: () => Promise<T>,
  options: TurnOptions,
): Promise<T> {
  return inTurn(`account-${hashOf(account)}`, run, `the token for ${account}`, options);
}

/**
 * Runs something, from the login to the token, while no other process of adc-run on this machine logs in as
 * the same user: that would end the session. Whoever needs {@linkcode withAccount} as well takes it inside.
 */
export function withLogIn<T>(
  { servers }: Connection,
  { username }: Credentials,
  run: () => Promise<T>,
  options: TurnOptions,
): Promise<T> {
  const { origin } = servers[0]!;
  const name = `login-${hashOf(`${username}@${origin}`)}`;
  return inTurn(name, run, `logging in to ${origin}`, options);
}

function inTurn<T>(
  name: string,
  run: () => Promise<T>,
  what: string,
  { folder, timeout = 60_000, signal }: TurnOptions,
): Promise<T> {
  // A keychain may ask for its password meanwhile, and nobody may be there to type it.
  const stale = 15 * 60_000;
  return withLock(join(folder, `${name}.lock`), run, { timeout, stale, what, signal });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Logins that several runs share. A login ends the user's other sessions on the server, so that runs side by
 * side, each with a session of its own, would end each other's.
 * @category Token sources
 */
export class SessionPool {
  readonly #open = new Map<string, { readonly session: Promise<Session>; users: number }>();

  /**
   * Logs in, unless that has been done for the same server on the same terms with the same credentials.
   *
   * @param connection Where to log in.
   * @param credentials Who logs in.
   * @param options What sends the requests, and what ends them.
   * @returns The session. It ends when all who have it have closed it.
   * @throws {AdminApiError} The login failed; whoever asks again gets the same error, and no second try.
   */
  async open(
    connection: Connection,
    credentials: Credentials,
    options: Pick<Context, "dispatcher" | "signal"> = {},
  ): Promise<Session> {
    const { username, password, loginOption } = credentials;
    const { servers: [server], tls, proxies } = connection;
    const terms = [tls.caCertFile, tls.clientCertFile, tls.skipVerify, proxies[0]?.host]
      .map((setting) => setting?.value);
    const key = JSON.stringify([
      server!.origin,
      username,
      password.fingerprint,
      loginOption,
      terms,
    ]);
    const known = this.#open.get(key);
    const shared = known ?? {
      session: openSession(connection, { ...options, credentials }),
      users: 0,
    };
    this.#open.set(key, shared);
    shared.users++;
    const session = await shared.session;
    if (known !== undefined) await revive(session, credentials, options);
    let closed: Promise<void> | undefined;
    const close = async () => {
      if (--shared.users > 0) return;
      this.#open.delete(key);
      await session.close();
    };
    return { ...session, close: () => closed ??= close() };
  }
}

/** Somebody else's login may have ended the session since it was used last. */
async function revive(
  { api }: Session,
  credentials: Credentials,
  options: Pick<Context, "signal">,
): Promise<void> {
  try {
    await api.me(options);
  } catch (error) {
    if (!isRejected(error)) throw error;
    await api.logIn(credentials, options);
  }
}
