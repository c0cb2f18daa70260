import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Credentials } from "../admin_api/session.ts";
import type { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import type { Session } from "./open_session.ts";

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
    const { origin } = connection.servers[0]!;
    const { tls, proxies } = connection;
    const terms = [tls.caCertFile, tls.clientCertFile, tls.skipVerify, proxies[0]?.host]
      .map((setting) => setting?.value);
    const key = JSON.stringify([origin, username, password.fingerprint, loginOption, terms]);
    const known = this.#open.get(key);
    const shared = known ?? {
      session: logIn(connection, { ...options, credentials }),
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
    if (!(error instanceof AdminApiError) || error.failure !== "rejected") throw error;
    await api.logIn(credentials, options);
  }
}

/** Loaded by whoever logs in: most runs have a token. */
async function logIn(
  connection: Connection,
  options: Pick<Context, "dispatcher" | "signal"> & { readonly credentials: Credentials },
): Promise<Session> {
  const { openSession } = await import("./open_session.ts");
  return await openSession(connection, options);
}
