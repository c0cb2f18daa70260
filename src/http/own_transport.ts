import { Buffer } from "node:buffer";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Socket } from "node:net";
import process from "node:process";
import type { Connection } from "../connection/connection.ts";
import type { Proxy } from "../connection/proxy.ts";
import { hostOf, urlOf } from "../connection/server.ts";
import type { Incoming, Outgoing, Transport } from "./http_client.ts";
import { connectionClosed, openSocket, proxyAuthorization, proxyRefusal } from "./open_socket.ts";

/** Sends each request over a socket of its own, which is open before the request is made. */
export function ownTransport({ servers, proxies, tls }: Connection): Transport {
  return async (outgoing) => {
    const { server, signal } = outgoing;
    const proxy = proxies[servers.indexOf(server)];
    const opening = openSocket(server, { tls, proxy, signal });
    // `http` and `https` are not imported: that loads them at start, and fills all their exports in, one of
    // which makes Node.js load its own undici. Here they are loaded while the socket is on its way.
    const { request } = server.base.protocol === "https:"
      ? process.getBuiltinModule("node:https")
      : process.getBuiltinModule("node:http");
    const socket = await opening;
    const options = optionsOf(outgoing, proxy);
    const sent = request({ ...options, createConnection: () => socket });
    const answer = await answerTo(sent, { outgoing, socket });
    if (proxy === undefined || answer.status !== 407) return answer;
    answer.discard();
    throw proxyRefusal(answer.status);
  };
}

/** What Node.js' client is told of a request, secrets among it. */
export function optionsOf(
  { server, method, path, headers, body }: Omit<Outgoing, "signal">,
  proxy: Proxy | undefined,
): RequestOptions {
  const url = urlOf(server, path);
  const isForProxy = proxy !== undefined && url.protocol === "http:";
  return {
    hostname: hostOf(url),
    port: url.port,
    path: isForProxy ? url.href : url.pathname + url.search,
    method,
    headers: {
      // Named here: with a connection of its own, Node.js takes port 80 for the usual one of https as well.
      host: url.host,
      ...headers as Record<string, string | string[]>,
      // Node.js leaves it out where a method has no body as a rule.
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
      ...(isForProxy && proxyAuthorization(proxy)),
    },
  };
}

function answerTo(
  sent: ClientRequest,
  { outgoing: { body, signal }, socket }: { readonly outgoing: Outgoing; readonly socket: Socket },
): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const discard = (error?: Error) => {
      signal.removeEventListener("abort", abort);
      answer?.destroy(error);
      sent.destroy();
      socket.destroy();
    };
    const fail = (error: Error) => {
      discard(error);
      reject(error);
    };
    const abort = () => fail(signal.reason);
    // A server may hang up right after the handshake, and the request does not hear of it: its socket was
    // closed before it was made.
    const close = () => fail(socket.errored ?? connectionClosed());
    signal.addEventListener("abort", abort);
    socket.on("close", close);
    // Listened to for as long as they are there: an error that nobody hears would end the process.
    sent.on("error", fail);
    // An answer that asks to go on with another protocol is none.
    sent.on("upgrade", () => fail(new Error("The server speaks another protocol")));
    sent.on("response", (incoming: IncomingMessage) => {
      answer = incoming;
      socket.off("close", close);
      incoming.on("error", () => {});
      incoming.on("close", () => signal.removeEventListener("abort", abort));
      resolve({
        status: incoming.statusCode ?? 0,
        reason: incoming.statusMessage ?? "",
        headers: pairsOf(incoming.rawHeaders),
        body: incoming,
        discard,
      });
    });
    if (signal.aborted) abort();
    else if (socket.destroyed) close();
    else sent.end(body);
  });
}

function pairsOf(raw: readonly string[]): readonly (readonly [name: string, value: string])[] {
  return raw.flatMap((name, at) =>
    at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ""] as const] : []
  );
}
