import { isJson } from "../check/response.ts";
import type { HttpResponse } from "../http/http_client.ts";
import { validateToken } from "../token/token_value.ts";
import { AdminApiError, type CallOptions } from "./admin_api_error.ts";
import { createToken, type TokenCalls, type WantedToken } from "./create_token.ts";
import { cleanUpLimit, withGrace } from "./grace.ts";
import type { Answered, Ask, Requester } from "./requester.ts";
import {
  type NewToken,
  readExist,
  readNewToken,
  readPages,
  readTokenInfo,
  readValue,
  type TokenInfo,
} from "./shapes.ts";

export class Tokens {
  readonly #requester: Requester;

  constructor(requester: Requester) {
    this.#requester = requester;
  }

  /** Lists all, the oldest first: a token that is made meanwhile moves none to another page. */
  list(options: CallOptions): Promise<readonly TokenInfo[]> {
    const get = (page: string) =>
      getTokens(this.#requester, `?${page}&order_by=created_at&direction=asc`, options);
    return readPages(this.#requester, get, readTokenInfo);
  }

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
        request: `Cannot create the token "${quoted}" at ${server.display}`,
        reason: "a token with that name already exists",
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

  async rename(id: string, name: string, options: CallOptions): Promise<TokenInfo> {
    const answered = await this.#requester.ask({
      ...await this.#one(id, options),
      method: "PUT",
      body: { name },
    });
    return readValue(this.#requester, answered, readTokenInfo);
  }

  async regenerate(
    id: string,
    { expiresAt }: { readonly expiresAt: number | undefined },
    options: CallOptions,
  ): Promise<NewToken> {
    const one = await this.#one(id, options);
    const path = `${one.path}/regenerate`;
    return await this.#fresh({ ...one, method: "PUT", path, body: { expires_at: expiresAt ?? 0 } });
  }

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
    const answered = await this.#requester.ask(ask);
    const fresh = readValue(this.#requester, answered, readNewToken);
    const issue = this.#requester.isOwn(fresh.token)
      ? "it is the token that made the request"
      : validateToken(fresh.token, "api7ee");
    this.#requester.hide(fresh.token);
    if (issue === undefined) return fresh;
    // As where no token came: it is looked for, gets another value, and is revoked if that is no better.
    throw this.#requester.wrongServer(answered, {
      reason: `the server created an unusable token: ${issue}`,
      suggestion: "Nothing was stored. Check the server, and any proxy in front of it.",
    });
  }

  async #one(
    id: string,
    { signal }: CallOptions,
  ): Promise<Pick<Ask, "path" | "about" | "signal">> {
    const path = `${await tokenPath(this.#requester, { signal })}/${encodeURIComponent(id)}`;
    return { path, about: "one-token", signal };
  }
}

/**
 * `/api/tokens`, which ADC's end-to-end tests use with versions 3.5 to 3.10; older ones have the other.
 */
const PATHS = ["/api/tokens", "/api/settings/tokens"] as const;

const known = new Map<string, string>();

async function getTokens(
  requester: Requester,
  rest: string,
  options: CallOptions,
): Promise<Answered> {
  const answered = await findTokens(requester, rest, options);
  if ("response" in answered) return answered;
  const { missed } = answered;
  throw requester.wrongServer(missed, {
    reason: `the server answered ${missed.response.status}: it has neither ${PATHS.join(" nor ")}`,
  });
}

async function findTokens(
  requester: Requester,
  rest: string,
  { signal }: CallOptions,
): Promise<Answered | { readonly missed: Answered }> {
  const base = requester.server.display;
  const remembered = known.get(base);
  const paths = [...PATHS].sort((a, b) => Number(b === remembered) - Number(a === remembered));
  let missed: Answered | undefined;
  for (const path of paths) {
    const answered = await requester.send({ method: "GET", path: path + rest, signal });
    if (isElsewhere(answered.response)) {
      missed ??= answered;
      continue;
    }
    requester.requireSuccess(answered);
    known.set(base, path);
    return answered;
  }
  return { missed: missed! };
}

async function tokenPath(
  requester: Requester,
  options: CallOptions,
): Promise<string> {
  const base = requester.server.display;
  if (!known.has(base)) await getTokens(requester, "?page=1&page_size=1", options);
  return known.get(base)!;
}

/** 404, or a Dashboard that serves its page for any path it does not know. */
function isElsewhere(response: HttpResponse): boolean {
  const { status } = response;
  return status === 404 || (status >= 200 && status < 300 && !isJson(response));
}
