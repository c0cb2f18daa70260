import type { Secret } from "../secret.ts";
import type { Connection } from "./connection.ts";
import { directRequest } from "./direct_request.ts";
import type { Server } from "./server.ts";
import type { StreamRequest, StreamResponse } from "./stream_request.ts";
import type { HttpDispatcher } from "../context.ts";

/** A request to a server of the connection. */
export interface HttpRequest {
  readonly server: Server;
  /** The method; all but `POST`, which would do twice what is asked once, are tried again. */
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** The token for `X-API-KEY`; without one the header is left out. */
  readonly token: Secret | undefined;
  readonly cookie?: Secret | undefined;
  /** The body, sent as JSON. */
  readonly body?: unknown;
  /** Ends this request, beside the time limit and the client's own signal. */
  readonly signal?: AbortSignal | undefined;
}

/** What came back. */
export interface HttpResponse {
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
  /** Sends a request. Redirects are not followed: the token would follow along. */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Sends a request and hands the answer on as it arrives. Redirects are not followed. */
  open(request: StreamRequest): Promise<StreamResponse>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** How `openHttpClient` works. */
export interface HttpClientOptions {
  /** Ends every request. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests instead of a dispatcher of the connection's own; undici's `MockAgent`, say. The
   * caller closes it.
   */
  readonly dispatcher?: HttpDispatcher | undefined;
}

/**
 * Opens a client. What only reads and goes straight to its server is sent by the runtime's own HTTP client:
 * undici, which everything else is sent with, takes longer to load than such a request takes.
 */
export function openHttpClient(
  connection: Connection,
  options: HttpClientOptions = {},
): HttpClient {
  let undici: Promise<HttpClient> | undefined;
  const loaded = () =>
    undici ??= import("./undici_client.ts").then(({ openUndiciClient }) =>
      openUndiciClient(connection, options)
    );
  const isDirect = ({ server, method }: HttpRequest): boolean =>
    (method === "GET" || method === "HEAD") && options.dispatcher === undefined &&
    connection.proxies[connection.servers.indexOf(server)] === undefined;
  return {
    send: async (request) =>
      isDirect(request)
        ? await directRequest(request, { connection, signal: options.signal })
        : await (await loaded()).send(request),
    open: async (request) => await (await loaded()).open(request),
    // That it could not be loaded was told where it was needed.
    close: async () => await (await undici?.catch(() => undefined))?.close(),
  };
}
