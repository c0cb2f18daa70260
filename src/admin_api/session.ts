import { isJson } from "../check/response.ts";
import type { Connection } from "../connection/connection.ts";
import type { Secret } from "../secret.ts";
import { MAX_TIMER } from "../system/deadline.ts";
import { AdminApiError, type CallOptions } from "./admin_api_error.ts";
import type { Requester } from "./requester.ts";
import type { LoginOption } from "./shapes.ts";

export class ServerSession {
  readonly #requester: Requester;
  #open = false;

  constructor(requester: Requester) {
    this.#requester = requester;
  }

  async begin(
    credentials: Credentials,
    { signal, ways }: CallOptions & { readonly ways: () => Promise<readonly LoginOption[]> },
  ): Promise<void> {
    const { loginOption } = credentials;
    const { connection } = this.#requester;
    const ldap = loginOption === undefined
      ? undefined
      : pickLoginOption(await ways(), loginOption, this.#requester).id;
    if (this.#open) await this.end();
    signal?.throwIfAborted();
    const patient = withGrace(signal, connection);
    try {
      await beginSession(this.#requester, credentials, { ldap, signal: patient.signal });
      this.#open = true;
      // Since API7 Enterprise 3.2.14.4 a login ends the user's other sessions, so that another login may have
      // ended this one. Renewed once: two that ended each other's again and again would never come to an end.
      this.#requester.renew = async (signal) => {
        this.#requester.renew = undefined;
        this.#requester.jar.clear();
        await beginSession(this.#requester, credentials, { ldap, signal });
      };
      signal?.throwIfAborted();
    } catch (error) {
      await this.end();
      throw signal?.aborted ? signal.reason : error;
    } finally {
      patient.end();
    }
  }

  /** Closes the session as well as that is possible, and forgets its cookies. It throws nothing. */
  async end(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#requester.renew = undefined;
    try {
      await this.#requester.ask({
        method: "POST",
        path: "/api/logout",
        about: "log-out",
        signal: AbortSignal.timeout(cleanUpLimit(this.#requester.connection)),
      });
    } catch {
      // The server ends it in its own time.
    } finally {
      this.#requester.jar.clear();
    }
  }
}

/**
 * Who logs in.
 * @category Admin API
 */
export interface Credentials {
  /** The user's name. */
  readonly username: string;
  /** The password. */
  readonly password: Secret;
  /** The name or the id of an LDAP login option. @default undefined, which is the built-in one */
  readonly loginOption?: string | undefined;
}

/**
 * Opens a session, whose cookies end up in the requester's jar.
 *
 * `POST /api/login`, or `POST /api/ldap/{id}/login` for LDAP, by API7 Enterprise's OpenAPI.
 */
async function beginSession(
  requester: Requester,
  { username, password }: Credentials,
  { ldap, signal }: {
    readonly ldap: string | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  requester.hide(password);
  const answered = await requester.ask({
    method: "POST",
    path: ldap === undefined ? "/api/login" : `/api/ldap/${encodeURIComponent(ldap)}/login`,
    body: { username, password: password.reveal() },
    about: "login",
    signal,
  });
  const { response, cookies } = answered;
  if (cookies.kept > 0) return;
  // A Dashboard may answer with its page to anything.
  if (response.body.trim() !== "" && !isJson(response)) throw requester.wrongServer(answered);
  throw requester.wrongServer(
    answered,
    cookies.insecure > 0
      ? {
        reason: "the server allows sessions over https only, and its address starts with http",
        suggestion: "Use the https address in --server or ADC_SERVER.",
      }
      : { reason: `the server answered ${response.status} without a session` },
  );
}

function pickLoginOption(
  options: readonly LoginOption[],
  wanted: string,
  requester: Requester,
): LoginOption {
  const quote = (words: string) => requester.quote(words);
  const request = `Cannot log in to ${requester.server.display} with login option "${
    quote(wanted)
  }"`;
  const enabled = options.filter(({ disabled }) => !disabled);
  const option = enabled.find(({ name }) => name === wanted) ??
    enabled.find(({ id }) => id === wanted);
  if (option === undefined) {
    const isDisabled = options.some(({ name, id }) => name === wanted || id === wanted);
    const usable = enabled.map(({ name, providerType }) => `"${name}" (${providerType})`).join(
      ", ",
    );
    throw new AdminApiError({
      failure: "not-found",
      request,
      reason: isDisabled ? "it is disabled on the server" : "the server has no such option",
      suggestion: usable === ""
        ? "The server has no login options; leave --login-option out."
        : `Available: ${quote(usable)}. Or leave --login-option out.`,
    });
  }
  if (option.providerType === "ldap") return option;
  throw new AdminApiError({
    failure: "browser-login",
    request,
    reason: `its type is "${quote(option.providerType)}", which needs a browser`,
    suggestion:
      "Create a token in the Dashboard (Organization > Tokens > Create Token), and store it " +
      'with "auth login --with-token".',
  });
}

/** How long cleaning up may take where the connection has no time limit, in milliseconds. */
const DEFAULT_LIMIT = 10_000;

/** The longest that a request goes on after the caller gave up, in milliseconds. */
const MAX_GRACE = 2_000;

export function cleanUpLimit({ timeoutMs }: Connection): number {
  return Math.min(timeoutMs.value || DEFAULT_LIMIT, MAX_TIMER);
}

/**
 * Puts a signal off. A request that makes something is not broken off at once: the server would make it
 * all the same, and nobody would know its id.
 */
export function withGrace(
  signal: AbortSignal | undefined,
  connection: Connection,
): { readonly signal: AbortSignal | undefined; readonly end: () => void } {
  if (signal === undefined) return { signal, end: () => {} };
  const delay = Math.min(MAX_GRACE, cleanUpLimit(connection) / 2);
  const later = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const begin = () => {
    timer = setTimeout(() => later.abort(signal.reason), delay);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return {
    signal: later.signal,
    end: () => {
      signal.removeEventListener("abort", begin);
      clearTimeout(timer);
    },
  };
}
