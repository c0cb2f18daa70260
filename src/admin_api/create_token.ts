import { EXIT } from "../errors.ts";
import { AdminApiError } from "./admin_api_error.ts";
import type { NewToken, TokenInfo } from "./shapes.ts";

/**
 * A token to be.
 * @category Admin API
 */
export interface WantedToken {
  /** Its name, at most 40 characters. */
  readonly name: string;
  /** Its end in Unix seconds; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /**
   * Whether no other token can have the name, as it was drawn at random; else the server is asked first.
   *
   * @default false
   */
  readonly isUnique?: boolean;
}

export interface TokenCalls {
  post(signal: AbortSignal | undefined): Promise<NewToken>;
  /**
   * Looks for the token by its name and its end; a server that takes a name twice may have more of them.
   */
  findAll(signal: AbortSignal | undefined): Promise<readonly TokenInfo[]>;
  regenerate(id: string, signal: AbortSignal | undefined): Promise<NewToken>;
  revoke(id: string, signal: AbortSignal | undefined): Promise<unknown>;
}

interface CreateTokenOptions {
  readonly signal: AbortSignal | undefined;
  /** The same signal, but later, for requests that make something. */
  readonly patient: AbortSignal | undefined;
  /** How long cleaning up may take, in milliseconds. */
  readonly limit: number;
}

/**
 * Makes a token, at most once.
 *
 * Where the answer is lost, the token is looked for by its name, which no other has: one that
 * is there gets a new value, and where there is none it is asked for once more. Whoever gives up in
 * between leaves no token behind, as far as the server can still be reached.
 */
export async function createToken(
  calls: TokenCalls,
  name: string,
  { signal, patient, limit }: CreateTokenOptions,
): Promise<NewToken> {
  let id: string | undefined;
  signal?.throwIfAborted();
  for (let attempt = 1;; attempt++) {
    let failure: unknown;
    try {
      const token = await calls.post(patient);
      id = token.id;
      if (!signal?.aborted) {
        if (attempt > 1) await dropTwins(id);
        return token;
      }
    } catch (error) {
      // The first request may have come through after the look for its token.
      const late = attempt > 1 && error instanceof AdminApiError && error.failure === "name-taken";
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
  }

  async function look(error: unknown): Promise<TokenInfo | undefined> {
    try {
      return (await calls.findAll(signal))[0];
    } catch {
      if (!signal?.aborted) throw withHint(error);
      await cleanUp();
      throw signal.reason;
    }
  }

  /**
   * The value of a token whose answer was lost is nowhere but on the server: it takes a new one.
   */
  async function takeOver(found: TokenInfo): Promise<NewToken> {
    id = found.id;
    try {
      const token = await calls.regenerate(found.id, patient);
      signal?.throwIfAborted();
      return token;
    } catch (error) {
      await cleanUp();
      throw signal?.aborted ? signal.reason : error;
    }
  }

  /**
   * The first request may come through when nobody looks for its token any more, on a server that takes a
   * name twice. What comes even later than this is not known to anybody.
   */
  async function dropTwins(own: string): Promise<void> {
    const ending = AbortSignal.timeout(limit);
    try {
      for (const twin of await calls.findAll(ending)) {
        if (twin.id !== own) await calls.revoke(twin.id, ending);
      }
    } catch {
      // The token that was asked for is there.
    }
  }

  /** Nobody will ever use the token: it goes, if it is there. */
  async function cleanUp(): Promise<void> {
    const ending = AbortSignal.timeout(limit);
    try {
      id ??= (await calls.findAll(ending))[0]?.id;
      if (id !== undefined) await calls.revoke(id, ending);
    } catch {
      // What led here is the error to be seen.
    }
  }

  function withHint(error: unknown): unknown {
    if (!(error instanceof AdminApiError)) return error;
    const { failure, request, reason, httpStatus, suggestion, cause } = error;
    const hint = `The server may have created token "${name}" anyway; if so, revoke it.`;
    return new AdminApiError({
      failure,
      request,
      reason,
      httpStatus,
      cause,
      suggestion: suggestion === undefined ? hint : `${suggestion} ${hint}`,
    });
  }
}

/** No answer, or one that does not tell whether the token was made. */
function isUnclear(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!(error instanceof AdminApiError)) return signal?.aborted === true;
  if (error.exitCode === EXIT.unavailable) return true;
  // An answer that cannot be read, as opposed to a redirect or a 404.
  return error.failure === "wrong-server" && error.httpStatus !== undefined &&
    error.httpStatus < 300;
}
