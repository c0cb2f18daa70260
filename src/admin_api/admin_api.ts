import { BACKENDS } from "../connection/backends.ts";
import type { Connection } from "../connection/connection.ts";
import { wrongValue } from "../connection/origin.ts";
import type { HttpDispatcher } from "../context.ts";
import type { Secret } from "../secret.ts";
import type { CallOptions } from "./admin_api_error.ts";
import { Requester } from "./requester.ts";
import { type Credentials, ServerSession } from "./session.ts";
import {
  type LoginOption,
  type NewToken,
  type Reader,
  readLoginOption,
  readPages,
  readUser,
  readValue,
  readVersion,
  type TokenInfo,
  type User,
} from "./shapes.ts";
import { Tokens, type WantedToken } from "./tokens.ts";

/**
 * What {@linkcode AdminApi.open} can be told.
 * @category Admin API
 */
export interface AdminApiOptions {
  /**
   * The token that vouches for the caller, sent as `X-API-KEY`.
   * @default undefined; {@linkcode AdminApi.logIn} opens a session instead
   */
  readonly token?: Secret | undefined;
  /**
   * Sends the requests; undici's `MockAgent`, say. The caller closes it.
   * @default a dispatcher of the connection's own
   */
  readonly dispatcher?: HttpDispatcher | undefined;
}

/**
 * API7 Enterprise's Admin API, as far as tokens need it: login and logout, who the caller is, and the
 * caller's tokens.
 *
 * Requests go out on the connection's terms: its CA, client certificate, proxy and time limit. Redirects
 * are not followed. What failed to connect, 408, 425, 429, 502, 503 and 504 are tried again, at most twice, except
 * for `POST`. Every call throws an {@linkcode AdminApiError} when it does not succeed, and the signal's
 * reason when it was cancelled. Paths and shapes are those of API7 Enterprise's OpenAPI; that newer
 * versions have `/api/tokens` instead of `/api/settings/tokens` is seen in ADC's end-to-end tests.
 *
 * @category Admin API
 * @example
 * ```ts
 * import { AdminApi, resolveConnection, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 * import { createServer } from "node:http";
 *
 * const server = createServer((request, response) => {
 *   assert.equal(request.headers["x-api-key"], "a7ee-example");
 *   response.end('{"value": {"id": "1", "username": "ann", "roles": [{"name": "Editor"}]}}');
 * });
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 *
 * const connection = await resolveConnection({
 *   args: ["ping", "--backend", "api7ee", "--server", `http://127.0.0.1:${port}`],
 *   env: {},
 *   cwd: "/nowhere",
 * });
 * const api = await AdminApi.open(connection, { token: new Secret("a7ee-example") });
 * try {
 *   const { username, roles } = await api.me();
 *   assert.deepEqual([username, roles], ["ann", ["Editor"]]);
 * } finally {
 *   await api.close();
 *   server.close();
 * }
 * ```
 */
export class AdminApi implements AsyncDisposable {
  /** Scheme, host and port of the server. */
  readonly origin: string;
  readonly #requester: Requester;
  readonly #session: ServerSession;
  readonly #tokens: Tokens;
  #closed: Promise<void> | undefined;

  private constructor(requester: Requester) {
    this.#requester = requester;
    this.#session = new ServerSession(requester);
    this.#tokens = new Tokens(requester);
    this.origin = requester.server.origin;
  }

  /**
   * Opens a client for the connection's server. Nothing is sent yet.
   *
   * @param connection The connection, whose backend is `api7ee`.
   * @param options The token, and what requests are sent with.
   * @returns The client, to be closed.
   * @throws {ConnectionError} The backend is another, which has no such API.
   */
  static async open(connection: Connection, options: AdminApiOptions = {}): Promise<AdminApi> {
    const { backend } = connection;
    if (!BACKENDS[backend.value].hasUsers) {
      throw wrongValue(backend.origin, `backend "${backend.value}" has no user accounts`, {
        suggestion: "Only API7 Enterprise has them: set --backend api7ee or ADC_BACKEND=api7ee.",
      });
    }
    const { token, dispatcher } = options;
    const { openHttpClient } = await import("../http/http_client.ts");
    const client = openHttpClient(connection, { dispatcher });
    return new AdminApi(new Requester(client, { connection, token }));
  }

  /**
   * Takes the secrets of the session out of a text, such as a user name that a hostile server made of them.
   */
  redact(text: string): string {
    return this.#requester.redact(text);
  }

  /** The values of all cookies so far that are long enough to be a secret, for masks. */
  get secrets(): readonly Secret[] {
    return this.#requester.jar.seen;
  }

  /**
   * By how much the server's clock is ahead of this machine's, in milliseconds, by its last answer; 0 where
   * it does not say, or the difference is less than five seconds.
   */
  get clockSkewMs(): number {
    return this.#requester.clockSkew;
  }

  /**
   * Opens a session, which vouches for the caller from now on, unless there is a token.
   *
   * @param credentials The user's name and password, and the login option where it is LDAP.
   * @throws {AdminApiError} `wrong-credentials`, `password-change`, `no-license`, `browser-login`, or
   * `not-found` for the login option, besides what can always happen.
   */
  async logIn(credentials: Credentials, { signal }: CallOptions = {}): Promise<void> {
    await this.#session.begin(credentials, { signal, ways: () => this.loginOptions({ signal }) });
  }

  /** Tells who the caller is: `GET /api/me`. */
  me(options: CallOptions = {}): Promise<User> {
    return this.#value("/api/me", readUser, options);
  }

  /** Tells the server's version, such as `3.9.14`: `GET /api/version`. */
  version(options: CallOptions = {}): Promise<string> {
    return this.#value("/api/version", readVersion, options);
  }

  /** Lists the ways to log in besides the built-in one, those that are turned off too. It takes no login. */
  loginOptions({ signal }: CallOptions = {}): Promise<readonly LoginOption[]> {
    const path = "/api/login_options";
    const get = (page: string) =>
      this.#requester.ask({ method: "GET", path: `${path}?${page}`, signal });
    return readPages(this.#requester, get, readLoginOption);
  }

  /** Lists all of the caller's tokens, without their values, the oldest first. */
  tokens(options: CallOptions = {}): Promise<readonly TokenInfo[]> {
    return this.#tokens.list(options);
  }

  /**
   * Creates a token for the caller. If the response is lost on the way, it finds out what became of the
   * token; a caller who gives up leaves none behind, as far as the server can be reached.
   *
   * @returns The token with its value.
   * @throws {AdminApiError} `name-taken`, besides what can always happen.
   */
  createToken(token: WantedToken, options: CallOptions = {}): Promise<NewToken> {
    return this.#tokens.create(token, options);
  }

  /**
   * Gives a token another name, of at most 40 characters.
   *
   * @returns The token as it is now.
   * @throws {AdminApiError} `not-found` or `name-taken`, besides what can always happen.
   */
  renameToken(id: string, name: string, options: CallOptions = {}): Promise<TokenInfo> {
    return this.#tokens.rename(id, name, options);
  }

  /**
   * Revokes a token. It stops working at once.
   *
   * @returns `false` where there was none any more: it may also have been the first of two attempts, whose
   * answer was lost, that revoked it.
   */
  revokeToken(id: string, options: CallOptions = {}): Promise<boolean> {
    return this.#tokens.revoke(id, options);
  }

  /** Tells whether the caller has a token of a name. */
  isNameTaken(name: string, options: CallOptions = {}): Promise<boolean> {
    return this.#tokens.isNameTaken(name, options);
  }

  /** Closes the session, as well as that is possible, and the connections. It throws nothing. */
  close(): Promise<void> {
    return this.#closed ??= (async () => {
      await this.#session.end();
      await this.#requester.close();
    })();
  }

  /** The same as {@linkcode AdminApi.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #value<T>(path: string, read: Reader<T>, { signal }: CallOptions): Promise<T> {
    const answered = await this.#requester.ask({ method: "GET", path, signal });
    return readValue(this.#requester, answered, read);
  }
}
