import type { CallOptions } from "./call_options.ts";
import { cleanUpLimit, withGrace } from "./grace.ts";
import { beginSession, pickLoginOption } from "./log_in.ts";
import type { Credentials } from "./log_in.ts";
import type { Requester } from "./requester.ts";
import type { LoginOption } from "./shapes.ts";

/** The session that a client has on the server, or has not. */
export class ServerSession {
  readonly #requester: Requester;
  #open = false;

  /** Sends nothing yet. */
  constructor(requester: Requester) {
    this.#requester = requester;
  }

  /** Opens a session, in the place of the one that there is. */
  async begin(
    credentials: Credentials,
    { signal, ways }: CallOptions & { readonly ways: () => Promise<readonly LoginOption[]> },
  ): Promise<void> {
    const { loginOption } = credentials;
    const { connection, server } = this.#requester;
    const ldap = loginOption === undefined ? undefined : pickLoginOption(
      await ways(),
      loginOption,
      { server: server.display, quote: (words) => this.#requester.quote(words) },
    ).id;
    if (this.#open) await this.end();
    signal?.throwIfAborted();
    const patient = withGrace(signal, connection);
    try {
      await beginSession(this.#requester, credentials, { ldap, signal: patient.signal });
      this.#open = true;
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
