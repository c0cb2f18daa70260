import type { Dispatcher } from "undici";
import { urlOf } from "../connection/server.ts";
import type { HttpDispatcher } from "../context.ts";
import type { Transport } from "./http_client.ts";

/** Sends requests with a dispatcher that the caller brings; undici is loaded for nothing else. */
export function dispatcherTransport(dispatcher: HttpDispatcher): Transport {
  return async ({ server, method, path, headers, body, signal }) => {
    const { request } = await import("undici");
    const answer = await request(urlOf(server, path), {
      dispatcher: dispatcher as Dispatcher,
      method: method as Dispatcher.HttpMethod,
      headers: headers as Record<string, string | string[]>,
      ...(body !== undefined && { body }),
      // The limits are the client's.
      headersTimeout: 0,
      bodyTimeout: 0,
      signal,
    });
    return {
      status: answer.statusCode,
      reason: (answer as { readonly statusText?: string }).statusText ?? "",
      headers: Object.entries(answer.headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((each): readonly [string, string] => [name, each])
      ),
      body: answer.body,
      // Listened to for as long as it is there: an error that nobody hears would end the process.
      discard: (error) => void answer.body.on("error", () => {}).destroy(error),
    };
  };
}
