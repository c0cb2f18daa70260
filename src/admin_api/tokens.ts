import { isJson } from "../check/response.ts";
import { EXIT } from "../errors.ts";
import { validateToken } from "../token/token_value.ts";
import { AdminApiError, type CallOptions } from "./admin_api_error.ts";
import type { Answered, Ask, Requester } from "./requester.ts";
import { cleanUpLimit, withGrace } from "./session.ts";
import {
  type NewToken,
  readExist,
  readNewToken,
  readPages,
  readTokenInfo,
  readValue,
  type TokenInfo,
} from "./shapes.ts";

/**
 * A token to be.
 * @category Admin API
 */
export interface WantedToken {
  /** Its name, at most 40 characters. */
  readonly name: string;
  /** Its expiry in Unix seconds; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /**
   * Whether no other token can have the name, as it was drawn at random; else the server is asked first.
   * @default false
   */
  readonly isUnique?: boolean;
}

/** `/api/tokens`, which ADC's end-to-end tests use with versions 3.5 to 3.10; older ones have the other. */
const PATHS = ["/api/tokens", "/api/settings/tokens"] as const;

export class Tokens {
  readonly #requester: Requester;
  /** The path that the server has, once it has answered there. */
  #path: string | undefined;

  constructor(requester: Requester) {
    this.#requester = requester;
  }

  /** Lists all, the oldest first: a token that is made meanwhile moves none to another page. */
  list(options: CallOptions): Promise<readonly TokenInfo[]> {
    const get = (page: string) => this.#get(`?${page}&order_by=created_at&direction=asc`, options);
    return readPages(this.#requester, get, readTokenInfo);
  }

  async isNameTaken(name: string, options: CallOptions): Promise<boolean> {
    const rest = `/check_name?name=${encodeURIComponent(name)}`;
    const answered = await this.#find(rest, options);
    if (!isElsewhere(answered)) return readValue(this.#requester, answered, readExist);
    // No such call on this server; the list is always there.
    return (await this.list(options)).some((each) => each.name === name);
  }

  /**
   * Makes one of a name that is free. Where the answer is lost it takes a new value over, so a token that had
   * the name before must not be taken for it.
   */
  async create(wanted: WantedToken, { signal }: CallOptions): Promise<NewToken> {
    const { connection, server } = this.#requester;
    const { name, isUnique = false } = wanted;
    const quoted = this.#requester.quote(name);
    if (!isUnique && await this.isNameTaken(name, { signal })) {
      throw new AdminApiError({
        failure: "name-taken",
        request: `Cannot create the token "${quoted}" at ${server.display}`,
        reason: "a token with that name already exists",
        suggestion: "Choose another name, or revoke that token.",
      });
    }
    const patient = withGrace(signal, connection);
    try {
      const limit = cleanUpLimit(connection);
      return await createOnce(this, wanted, { quoted, signal, patient: patient.signal, limit });
    } finally {
      patient.end();
    }
  }

  async post({ name, expiresAt }: WantedToken, { signal }: CallOptions): Promise<NewToken> {
    const body = { name, expires_at: expiresAt ?? 0 };
    return await this.#fresh({ method: "POST", path: "", body, signal });
  }

  async rename(id: string, name: string, options: CallOptions): Promise<TokenInfo> {
    const answered = await this.#send({ ...one(id, options), method: "PUT", body: { name } });
    this.#requester.requireSuccess(answered);
    return readValue(this.#requester, answered, readTokenInfo);
  }

  async regenerate(
    id: string,
    { expiresAt }: Pick<WantedToken, "expiresAt">,
    options: CallOptions,
  ): Promise<NewToken> {
    const ask = one(id, options);
    const path = `${ask.path}/regenerate`;
    return await this.#fresh({ ...ask, method: "PUT", path, body: { expires_at: expiresAt ?? 0 } });
  }

  async revoke(id: string, options: CallOptions): Promise<boolean> {
    const answered = await this.#send({ ...one(id, options), method: "DELETE" });
    const { response } = answered;
    try {
      this.#requester.requireSuccess(answered);
    } catch (error) {
      if (!(error instanceof AdminApiError) || error.failure !== "not-found") throw error;
      // So is a path that is not there, or that a proxy does not let through.
      if (!(await this.list(options)).some((each) => each.id === id)) return false;
      throw this.#requester.wrongServer(answered, {
        reason: `the server answered ${response.status}, but the token is still there`,
      });
    }
    // A page is no proof that the token is gone.
    if (response.body.trim() === "" || isJson(response)) return true;
    throw this.#requester.wrongServer(answered);
  }

  async #fresh(ask: Ask): Promise<NewToken> {
    const answered = await this.#send(ask);
    this.#requester.requireSuccess(answered);
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

  /** Sends a change to the path that is known, or likely; where the server has the other one, nothing happened yet. */
  async #send(ask: Ask): Promise<Answered> {
    const path = this.#path ?? PATHS[0];
    const answered = await this.#requester.send({ ...ask, path: path + ask.path });
    // A token may have been made whatever a 2xx answer says.
    const isMissing = ask.method === "POST"
      ? answered.response.status === 404
      : isElsewhere(answered);
    if (this.#path !== undefined || !isMissing) return answered;
    await this.#get("?page=1&page_size=1", ask);
    if (this.#path === path) return answered;
    return await this.#requester.send({ ...ask, path: this.#path! + ask.path });
  }

  async #get(rest: string, options: CallOptions): Promise<Answered> {
    const answered = await this.#find(rest, options);
    if (!isElsewhere(answered)) return answered;
    const { status } = answered.response;
    throw this.#requester.wrongServer(answered, {
      reason: `the server answered ${status}: it has neither ${PATHS.join(" nor ")}`,
    });
  }

  /** Asks at the path that this server has; where it has none, the first answer says so. */
  async #find(rest: string, { signal }: CallOptions): Promise<Answered> {
    const paths = [...PATHS].sort((a, b) => Number(b === this.#path) - Number(a === this.#path));
    let missed: Answered | undefined;
    for (const path of paths) {
      const answered = await this.#requester.send({ method: "GET", path: path + rest, signal });
      if (isElsewhere(answered)) {
        missed ??= answered;
        continue;
      }
      this.#requester.requireSuccess(answered);
      this.#path = path;
      return answered;
    }
    return missed!;
  }
}

function one(id: string, { signal }: CallOptions): Pick<Ask, "path" | "about" | "signal"> {
  return { path: `/${encodeURIComponent(id)}`, about: "one-token", signal };
}

/** 404, or a Dashboard that serves its page for any path it does not know. */
function isElsewhere({ response }: Answered): boolean {
  const { status } = response;
  return status === 404 || (status >= 200 && status < 300 && !isJson(response));
}

/**
 * Makes a token, at most once.
 *
 * Where the answer is lost, the token is looked for by its name, which no other has: one that
 * is there gets a new value, and where there is none it is asked for once more. Whoever gives up in
 * between leaves no token behind, as far as the server can still be reached.
 */
export async function createOnce(
  tokens: Pick<Tokens, "list" | "post" | "regenerate" | "revoke">,
  wanted: WantedToken,
  { quoted, signal, patient, limit }: {
    readonly quoted: string;
    readonly signal: AbortSignal | undefined;
    /** The same signal, but later, for requests that make something. */
    readonly patient: AbortSignal | undefined;
    /** How long cleaning up may take, in milliseconds. */
    readonly limit: number;
  },
): Promise<NewToken> {
  // A server that takes a name twice may have more of them.
  const findAll = async (signal: AbortSignal | undefined) =>
    (await tokens.list({ signal })).filter(({ name, expiresAt }) =>
      name === wanted.name && expiresAt === wanted.expiresAt
    );
  let id: string | undefined;
  signal?.throwIfAborted();
  for (let attempt = 1;; attempt++) {
    let failure: unknown;
    try {
      const token = await tokens.post(wanted, { signal: patient });
      id = token.id;
      if (!signal?.aborted) {
        if (attempt > 1) await dropTwins(id);
        return token;
      }
    } catch (error) {
      // The first request may have come through after the look for its token.
      const late = attempt > 1 && error instanceof AdminApiError &&
        error.failure === "name-taken";
      if (!late && !isUnclear(error, signal)) throw signal?.aborted ? signal.reason : error;
      failure = error;
    }
    if (signal?.aborted) {
      await cleanUp();
      throw signal.reason;
    }
    const found = await look(failure);
    if (found !== undefined) return await takeOver(found);
    if (attempt > 1) throw withHint(failure);
    if (isForeignRefusal(failure)) throw new AdminApiError({ ...failure, refused: true });
  }

  async function look(error: unknown): Promise<TokenInfo | undefined> {
    try {
      return (await findAll(signal))[0];
    } catch {
      if (!signal?.aborted) throw withHint(error);
      await cleanUp();
      throw signal.reason;
    }
  }

  /** The value of a token whose answer was lost is nowhere but on the server: it takes a new one. */
  async function takeOver(found: TokenInfo): Promise<NewToken> {
    id = found.id;
    try {
      const token = await tokens.regenerate(found.id, wanted, { signal: patient });
      signal?.throwIfAborted();
      return token;
    } catch (error) {
      const isGone = await cleanUp();
      throw signal?.aborted ? signal.reason : isGone ? error : withHint(error);
    }
  }

  /**
   * The first request may come through when nobody looks for its token any more, on a server that takes a
   * name twice. What comes even later than this is not known to anybody.
   */
  async function dropTwins(own: string): Promise<void> {
    const ending = AbortSignal.timeout(limit);
    try {
      for (const twin of await findAll(ending)) {
        if (twin.id !== own) await tokens.revoke(twin.id, { signal: ending });
      }
    } catch {
      // The token that was asked for is there.
    }
  }

  /** Nobody will ever use the token: it goes, if it is there. */
  async function cleanUp(): Promise<boolean> {
    const ending = AbortSignal.timeout(limit);
    try {
      id ??= (await findAll(ending))[0]?.id;
      if (id !== undefined) await tokens.revoke(id, { signal: ending });
      return true;
    } catch {
      // What led here is the error to be seen.
      return false;
    }
  }

  function withHint(error: unknown): unknown {
    if (!(error instanceof AdminApiError)) return error;
    const { suggestion, cause } = error;
    const hint = `The server may have created token "${quoted}" anyway; if so, revoke it.`;
    const both = suggestion === undefined ? hint : `${suggestion} ${hint}`;
    return new AdminApiError({ ...error, refused: false, cause, suggestion: both });
  }
}

/** What a proxy refuses it refuses again. */
function isForeignRefusal(error: unknown): error is AdminApiError {
  return error instanceof AdminApiError && error.exitCode !== EXIT.unavailable &&
    (error.httpStatus ?? 0) >= 300;
}

/** No answer, or one that does not tell whether the token was made. */
function isUnclear(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!(error instanceof AdminApiError)) return signal?.aborted === true;
  return error.exitCode === EXIT.unavailable || !error.refused;
}
