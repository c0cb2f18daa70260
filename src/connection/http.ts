/**
 * HTTP on ADC's own terms: its CA, its client certificate, its proxy, its time limit.
 *
 * @module
 */

import type { Dispatcher } from "undici";
import { VERSION } from "../version.ts";
import type { Secret } from "../secret.ts";
import type { Connection } from "./connection.ts";
import { dispatcherFor } from "./dispatcher.ts";
import { LONGEST_TIMER } from "./duration.ts";
import { urlOf } from "./server.ts";
import type { Server } from "./server.ts";
import { streamRequest } from "./stream_request.ts";
import type { StreamRequest, StreamResponse } from "./stream_request.ts";

/** More than any answer that is read to its end; longer ones are cut. */
const MOST_BYTES = 1024 * 1024;

/** A request to a server of the connection. */
export interface HttpRequest {
  /** The server. */
  readonly server: Server;
  /** The method; all but `POST`, which would do twice what is asked once, are tried again. */
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** The path with its query. */
  readonly path: string;
  /** The token for `X-API-KEY`; without one the header is left out. */
  readonly token: Secret | undefined;
  /**
   * The `Cookie` header.
   *
   * @default undefined, which leaves it out
   */
  readonly cookie?: Secret | undefined;
  /**
   * The body, sent as JSON.
   *
   * @default undefined, which sends none
   */
  readonly body?: unknown;
  /**
   * Ends this request, beside the time limit and the client's own signal.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
}

/** What came back. */
export interface HttpResponse {
  /** The status code. */
  readonly status: number;
  /** A header, by its name in lower case. */
  header(name: string): string | undefined;
  /** Every `Set-Cookie` header, in order. They are secrets. */
  readonly setCookies: readonly string[];
  /** The body, cut off after 1 MiB. */
  readonly body: string;
  /** Whether the body is longer than what was read. */
  readonly cut: boolean;
}

/** Sends requests over one connection. */
export interface HttpClient {
  /**
   * Sends a request. Redirects are not followed: the token would follow along.
   *
   * @param request What to ask.
   * @returns What came back, whatever the status.
   * @throws {Error} No answer came.
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Sends a request and hands the answer on as it arrives. Redirects are not followed.
   *
   * @param request What to ask, with any method, headers and body.
   * @returns The answer, as soon as its headers are there.
   * @throws {Error} No answer came.
   */
  open(request: StreamRequest): Promise<StreamResponse>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** What requests can be sent with: any of undici's dispatchers, its `MockAgent` among them. */
export interface HttpDispatcher {
  /**
   * Sends a request.
   *
   * @param options undici's `DispatchOptions`.
   * @param handler undici's `DispatchHandler`.
   * @returns Whether more may be sent at once.
   */
  dispatch(options: object, handler: object): boolean;
}

/** How {@linkcode openHttpClient} works. */
export interface HttpClientOptions {
  /**
   * Ends every request.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests instead of a dispatcher of the connection's own; undici's `MockAgent`, say. The
   * caller closes it.
   *
   * @default undefined
   */
  readonly dispatcher?: HttpDispatcher | undefined;
}

/**
 * Opens a client. undici is loaded here and not before, and of it only what a request needs: loading all
 * of it takes three times as long.
 *
 * @param connection How to connect.
 * @param options What to send requests with, and what ends them.
 * @returns The client, to be closed.
 */
export async function openHttpClient(
  connection: Connection,
  options: HttpClientOptions = {},
): Promise<HttpClient> {
  const { timeout } = connection;
  const [{ default: RetryAgent }, { default: request }] = await Promise.all([
    import("undici/lib/dispatcher/retry-agent.js") as Promise<
      { default: typeof import("undici").RetryAgent }
    >,
    import("undici/lib/api/api-request.js") as unknown as Promise<
      { default: Dispatcher["request"] }
    >,
  ]);
  const own: Dispatcher[] = [];
  const bases = new Map<Server, Dispatcher>();
  const dispatchers = new Map<Server, Dispatcher>();
  for (const [index, server] of connection.servers.entries()) {
    let base = options.dispatcher as Dispatcher | undefined;
    if (base === undefined) {
      base = await dispatcherFor(connection, {
        server,
        proxy: connection.proxies[index],
      });
      own.push(base);
    }
    bases.set(server, base);
    dispatchers.set(server, new RetryAgent(base, RETRY));
  }
  return {
    send: async ({ server, method, path, token, cookie, body: content, signal }) => {
      const url = urlOf(server, path);
      const limit = timeout.value === 0
        ? undefined
        : AbortSignal.timeout(Math.min(timeout.value, LONGEST_TIMER));
      const signals = [limit, options.signal, signal].filter((each) => each !== undefined);
      const { statusCode, headers, body } = await request.call(dispatchers.get(server)!, {
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: {
          accept: "application/json",
          "user-agent": `adc-run/${VERSION}`,
          ...(token && { "x-api-key": token.reveal() }),
          ...(server.authorization && { authorization: server.authorization.reveal() }),
          ...(cookie && { cookie: cookie.reveal() }),
          ...(content !== undefined && { "content-type": "application/json" }),
        },
        ...(content !== undefined && { body: JSON.stringify(content) }),
        headersTimeout: timeout.value,
        bodyTimeout: timeout.value,
        ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
      });
      const { text, cut } = await readStart(body);
      return {
        status: statusCode,
        header: (name) => [headers[name]].flat()[0],
        setCookies: [headers["set-cookie"] ?? []].flat(),
        body: text,
        cut,
      };
    },
    open: (streamed) =>
      streamRequest(streamed, {
        send: request,
        retrying: (base) => new RetryAgent(base, RETRY),
        base: bases.get(streamed.server)!,
        timeout: timeout.value,
        signal: options.signal,
      }),
    close: async () => {
      await Promise.all(own.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/** A failed connection and a server that is busy are tried again, at most twice. */
const RETRY = {
  maxRetries: 2,
  minTimeout: 100,
  maxTimeout: 2_000,
  timeoutFactor: 3,
  statusCodes: [429, 502, 503, 504],
  throwOnError: false,
};

async function readStart(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly text: string; readonly cut: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop destroys the body, so that an endless one ends here.
    if (length > MOST_BYTES) return { text, cut: true };
  }
  return { text: text + decoder.decode(), cut: false };
}
