/**
 * The socket under a sandbox: reads requests, lets faults happen, writes replies.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import {
  type AddressInfo,
  connect,
  createServer as createSocketServer,
  type Server as SocketServer,
  type Socket,
} from "node:net";
import type { TLSSocket } from "node:tls";
import type { Backend } from "./backend.ts";
import { errorReply, nginxPage, type Reply, type SandboxRequest } from "./exchange.ts";
import { doesTheWork, type Fault, type Faults, faultyReply, reset } from "./faults.ts";
import type { Holds } from "./holds.ts";
import type { SandboxHooks } from "./sandbox_options.ts";

/** What a server serves, and how. */
export interface ServerOptions {
  readonly backend: Backend;
  readonly faults: Faults;
  readonly holds: Holds;
  readonly hooks: SandboxHooks;
  /** Where requests are logged. */
  readonly requests: SandboxRequest[];
  readonly port: number;
  /** `undefined` for plain HTTP. */
  readonly tls:
    | {
      readonly cert: string;
      readonly key: string;
      readonly ca: string;
      readonly clientCertificate: boolean;
    }
    | undefined;
  /** Whether nginx answers what is wrong with TLS by a page, as it does for APISIX. */
  readonly nginx: boolean;
}

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * Listens on 127.0.0.1.
 *
 * @param options What to serve.
 * @returns The port, and how to stop.
 */
export async function listen(options: ServerOptions): Promise<RunningServer> {
  const { tls, faults, nginx } = options;
  function serve(request: IncomingMessage, response: ServerResponse): void {
    const { date } = options.hooks;
    if (date !== undefined) response.setHeader("date", new Date(date()).toUTCString());
    // A client that goes away in the middle is its own affair.
    respond({ request, response }, options).catch(() => request.socket.destroy());
  }
  const server = tls === undefined ? createServer(serve) : createSecureServer({
    cert: tls.cert,
    key: tls.key,
    ...(tls.clientCertificate ? { ca: tls.ca, requestCert: true, rejectUnauthorized: !nginx } : {}),
  }, serve);

  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => {});
  server.on("clientError", (_error: Error, socket: { destroy(): void }) => socket.destroy());
  const fronted = nginx && tls !== undefined;
  const inner = await listenOn(server, fronted ? 0 : options.port);
  const front = fronted ? frontOf(inner, sockets) : undefined;
  const port = front === undefined ? inner : await listenOn(front, options.port);

  return {
    port,
    close: () =>
      new Promise((resolve) => {
        faults.stop();
        front?.close();
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listenOn(server: SocketServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** How a TLS record with a handshake begins. */
const HANDSHAKE = 22;

/** Hands TLS on to the server, and answers http by the page that nginx has for it. */
function frontOf(port: number, sockets: Set<Socket>): SocketServer {
  return createSocketServer((client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.on("close", () => sockets.delete(client));
    client.once("data", (first: Buffer) => {
      if (first[0] !== HANDSHAKE) {
        const { status, body } = nginxPage(
          400,
          "The plain HTTP request was sent to HTTPS port",
        ) as { readonly status: number; readonly body: string };
        const isHead = first.toString("latin1").startsWith("HEAD ");
        client.end(
          `HTTP/1.1 ${status} Bad Request\r\nServer: openresty\r\nContent-Type: text/html\r\n` +
            `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${isHead ? "" : body}`,
        );
        return;
      }
      const behind = connect(port, "127.0.0.1");
      behind.on("error", () => client.destroy());
      behind.on("close", () => client.destroy());
      client.on("close", () => behind.destroy());
      behind.write(first);
      client.pipe(behind).pipe(client);
    });
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function respond(exchange: Exchange, options: ServerOptions): Promise<void> {
  const { backend, faults, holds, hooks } = options;
  const request = await read(exchange.request);
  options.requests.push(request);
  await hooks.onRequest?.(request);
  await holds.pass(request, "before");
  const fault = faults.take(request);
  const done = fault !== undefined && doesTheWork(fault) ? answer(backend, request) : undefined;
  if (fault?.kind === "reset") {
    if (done !== undefined) await hooks.onReply?.(request);
    return reset(fault, exchange);
  }

  const reply = (fault && faultyReply(fault)) ?? done ?? answer(backend, request);
  request.status = reply.status;
  await hooks.onReply?.(request);
  await holds.pass(request, "after");
  write(reply, exchange, { server: backend.server, fault, faults });
}

function answer(backend: Backend, request: SandboxRequest): Reply {
  try {
    return backend.answer(request);
  } catch (error) {
    return errorReply(500, String(error));
  }
}

async function read(request: IncomingMessage): Promise<SandboxRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString();
  // Put together, for two slashes at the start would begin a host.
  const url = new URL(`http://sandbox${request.url ?? "/"}`);
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers,
    apiKey: headers["x-api-key"],
    text,
    body: parse(text),
    clientCertificate: (request.socket as Partial<TLSSocket>).getPeerCertificate?.()?.subject?.CN,
    status: 0,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function write(
  reply: Reply,
  { request, response }: Exchange,
  options: {
    readonly server: string | undefined;
    readonly fault: Fault | undefined;
    readonly faults: Faults;
  },
): void {
  const { server, fault, faults } = options;
  const text = typeof reply.body === "string"
    ? reply.body
    : reply.body === undefined
    ? ""
    : JSON.stringify(reply.body);
  const body = request.method === "HEAD" || reply.status === 204 ? "" : text;
  const headers: Record<string, string | string[]> = {
    ...(server === undefined ? {} : { server }),
    ...(body === "" ? {} : { "content-type": "application/json" }),
    ...(reply.status === 204 ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
  for (const [name, value] of Object.entries(reply.headers ?? {})) {
    headers[name] = typeof value === "string" ? value : [...value];
  }
  const send = (): void => {
    response.writeHead(reply.status, headers);
    response.end(body);
  };
  if (fault?.kind === "slow-headers") return faults.later(send, fault.ms);
  if (fault?.kind === "slow-body") {
    response.writeHead(reply.status, headers);
    response.write(body.slice(0, 1));
    return faults.later(() => response.end(body.slice(1)), fault.ms);
  }
  send();
}
