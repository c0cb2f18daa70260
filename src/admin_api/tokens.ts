import { isJson } from "../check/server_words.ts";
import { AdminApiError } from "./admin_api_error.ts";
import type { CallOptions } from "./call_options.ts";
import { createToken } from "./create_token.ts";
import type { TokenCalls, WantedToken } from "./create_token.ts";
import { cleanUpLimit, withGrace } from "./grace.ts";
import { readPages, readValue } from "./read_answer.ts";
import type { Ask, Requester } from "./requester.ts";
import { readExist, readNewToken, readTokenInfo } from "./shapes.ts";
import type { NewToken, TokenInfo } from "./shapes.ts";
import { findTokens, getTokens, tokenPath } from "./token_path.ts";

/** The caller's tokens on one server, see the methods of the same names of `AdminApi`. */
export class Tokens {
  readonly #requester: Requester;

  /** Makes it for who asks. */
  constructor(requester: Requester) {
    this.#requester = requester;
  }

  /** Lists all, the oldest first: a token that is made meanwhile moves none to another page. */
  list(options: CallOptions): Promise<readonly TokenInfo[]> {
    const get = (page: string) =>
      getTokens(this.#requester, `?${page}&order_by=created_at&direction=asc`, options);
    return readPages(this.#requester, get, readTokenInfo);
  }

  /** Tells whether there is one of a name. */
  async isNameTaken(name: string, options: CallOptions): Promise<boolean> {
    const rest = `/check_name?name=${encodeURIComponent(name)}`;
    const answered = await findTokens(this.#requester, rest, options);
    if ("response" in answered) return readValue(this.#requester, answered, readExist);
    // No such call on this server; the list is always there.
    return (await this.list(options)).some((each) => each.name === name);
  }

  /**
   * Makes one of a name that is free. Where the answer is lost it takes a new value over, so a token that had
   * the name before must not be taken for it.
   */
  async create(wanted: WantedToken, { signal }: CallOptions): Promise<NewToken> {
    const { connection, server } = this.#requester;
    const { name, expiresAt, isUnique = false } = wanted;
    const quoted = this.#requester.quote(name);
    if (!isUnique && await this.isNameTaken(name, { signal })) {
      throw new AdminApiError({
        failure: "name-taken",
        tried: `Cannot create the token "${quoted}" at ${server.display}`,
        found: "there is a token of that name",
        suggestion: "Choose another name, or revoke that token.",
      });
    }
    const path = await tokenPath(this.#requester, { signal });
    const body = { name, expires_at: expiresAt ?? 0 };
    const calls: TokenCalls = {
      post: (signal) => this.#fresh({ method: "POST", path, body, signal }),
      findAll: async (signal) =>
        (await this.list({ signal })).filter((each) =>
          each.name === name && each.expiresAt === expiresAt
        ),
      regenerate: (id, signal) => this.regenerate(id, { expiresAt }, { signal }),
      revoke: (id, signal) => this.revoke(id, { signal }),
    };
    const patient = withGrace(signal, connection);
    try {
      const limit = cleanUpLimit(connection);
      return await createToken(calls, quoted, { signal, patient: patient.signal, limit });
    } finally {
      patient.end();
    }
  }

  /** Gives one another name. */
  async rename(id: string, name: string, options: CallOptions): Promise<TokenInfo> {
    const answered = await this.#requester.ask({
      ...await this.#one(id, options),
      method: "PUT",
      body: { name },
    });
    return readValue(this.#requester, answered, readTokenInfo);
  }

  /** Gives one another value. */
  async regenerate(
    id: string,
    { expiresAt }: { readonly expiresAt: number | undefined },
    options: CallOptions,
  ): Promise<NewToken> {
    const one = await this.#one(id, options);
    const path = `${one.path}/regenerate`;
    return await this.#fresh({ ...one, method: "PUT", path, body: { expires_at: expiresAt ?? 0 } });
  }

  /** Revokes one; `false` where there is none. */
  async revoke(id: string, options: CallOptions): Promise<boolean> {
    const ask: Ask = { ...await this.#one(id, options), method: "DELETE" };
    try {
      const answered = await this.#requester.ask(ask);
      const { response } = answered;
      // A page is no proof that the token is gone.
      if (response.body.trim() !== "" && !isJson(response)) {
        throw this.#requester.wrongServer(answered);
      }
      return true;
    } catch (error) {
      if (error instanceof AdminApiError && error.failure === "not-found") return false;
      throw error;
    }
  }

  async #fresh(ask: Ask): Promise<NewToken> {
    const fresh = readValue(this.#requester, await this.#requester.ask(ask), readNewToken);
    this.#requester.hide(fresh.token);
    return fresh;
  }

  async #one(
    id: string,
    { signal }: CallOptions,
  ): Promise<Pick<Ask, "path" | "about" | "signal">> {
    const path = `${await tokenPath(this.#requester, { signal })}/${encodeURIComponent(id)}`;
    return { path, about: "one-token", signal };
  }
}
