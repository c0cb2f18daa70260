import type { Dispatcher } from "undici";
import type { Connection } from "./connection.ts";
import { dispatcherFor } from "./dispatcher.ts";
import type { HttpClient, HttpClientOptions } from "./http.ts";
import { deadline } from "../system/deadline.ts";
import { headersOf, readStart, RETRY } from "./request_terms.ts";
import { urlOf } from "./server.ts";
import type { Server } from "./server.ts";
import { streamRequest } from "./stream_request.ts";

/**
 * Opens a client that sends everything with undici. Of undici only what a request needs is loaded: all of it
 * takes three times as long.
 */
export async function openUndiciClient(
  connection: Connection,
  options: HttpClientOptions,
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
    send: async (sent) => {
      const { server, method, path, body: content } = sent;
      const url = urlOf(server, path);
      const end = deadline(timeout.value, [options.signal, sent.signal]);
      try {
        const { statusCode, headers, body } = await request.call(dispatchers.get(server)!, {
          origin: url.origin,
          path: url.pathname + url.search,
          method,
          headers: headersOf(sent),
          ...(content !== undefined && { body: JSON.stringify(content) }),
          headersTimeout: timeout.value,
          bodyTimeout: timeout.value,
          signal: end.signal,
        });
        const { text, cut } = await readStart(body);
        return {
          status: statusCode,
          header: (name) => [headers[name]].flat()[0],
          setCookies: [headers["set-cookie"] ?? []].flat(),
          body: text,
          cut,
        };
      } finally {
        end.clear();
      }
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
