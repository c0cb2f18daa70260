import type { Dispatcher } from "undici";
import type { Secret } from "../secret.ts";
import { deadline } from "../system/deadline.ts";
import { credentialHeaders, OWN_HEADERS } from "./request_terms.ts";
import { urlOf } from "./server.ts";
import type { Server } from "./server.ts";

/** A request to a server of the connection, in the caller's own words. */
export interface StreamRequest {
  readonly server: Server;
  /** The method; those that may be repeated are tried again, as long as no answer has begun. */
  readonly method: string;
  readonly path: string;
  /** The token for `X-API-KEY`; without one the header is left out. */
  readonly token: Secret | undefined;
  /** More headers. They cannot take the place of the token, nor of the server's own password. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly body?: Uint8Array | undefined;
  /** Ends this request, beside the time limit and the client's own signal. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer that has begun. */
export interface StreamResponse {
  readonly status: number;
  /** The words behind the status code; often none. */
  readonly reason: string;
  /** All headers in order, their names in lower case. `Set-Cookie` holds secrets. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The first header of a name in lower case. */
  header(name: string): string | undefined;
  /** The body; whoever does not read it to its end leaves the loop, which ends the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** What a request is sent with. */
export interface StreamTerms {
  /** undici's `request`. */
  readonly send: Dispatcher["request"];
  /** Makes a dispatcher that tries again what another one sends. */
  readonly retrying: (base: Dispatcher) => Dispatcher;
  /** Sends the request. */
  readonly base: Dispatcher;
  /**
   * How long the answer's begin, and each further part of it, may take, in milliseconds; 0 for ever.
   */
  readonly timeout: number;
  /** Ends the request. */
  readonly signal: AbortSignal | undefined;
}

/** Sends a request. Redirects are not followed. */
export async function streamRequest(
  request: StreamRequest,
  { send, retrying, base, timeout, signal }: StreamTerms,
): Promise<StreamResponse> {
  const { server, method, path, body } = request;
  const url = urlOf(server, path);
  const { range, ...headers } = lowerCased(request.headers ?? {});
  const end = deadline(timeout, [signal, request.signal]);
  try {
    const answer = await send.call(retrying(withoutResuming(base, range)), {
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as Dispatcher.HttpMethod,
      headers: {
        ...OWN_HEADERS,
        ...headers,
        ...(range !== undefined && { range }),
        ...credentialHeaders(request),
      },
      ...(body !== undefined && { body }),
      headersTimeout: timeout,
      bodyTimeout: timeout,
      signal: end.signal,
    });
    const list = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): readonly [string, string] => [name, each])
    );
    return {
      status: answer.statusCode,
      reason: (answer as { readonly statusText?: string }).statusText ?? "",
      headers: list,
      header: (wanted) => list.find(([name]) => name === wanted)?.[1],
      body: answer.body,
    };
  } finally {
    // From now on the limit is for each part: a long answer is not a slow one.
    end.clear();
  }
}

function lowerCased(
  headers: NonNullable<StreamRequest["headers"]>,
): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : [...value],
    ]),
  );
}

/**
 * undici goes on with an answer that was cut off by asking for the rest of it, which need not be the rest
 * of the same one. What has begun fails instead.
 */
function withoutResuming(base: Dispatcher, range: string | string[] | undefined): Dispatcher {
  const dispatch: Dispatcher["dispatch"] = (options, handler) => {
    const { headers } = options as { readonly headers?: Readonly<Record<string, unknown>> };
    if (headers?.range === range) return base.dispatch(options, handler);
    throw Object.assign(new Error("The answer was cut off"), { code: "UND_ERR_SOCKET" });
  };
  return { dispatch } as Dispatcher;
}
