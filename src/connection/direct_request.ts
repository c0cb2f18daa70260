import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import process from "node:process";
import { codeOf } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { deadline } from "../system/deadline.ts";
import { headersOf, readStart, RETRY } from "./request_terms.ts";
import { hostOf, urlOf } from "./server.ts";
import { openTlsSocket } from "./tls_socket.ts";

/** Failures that another try may not meet; undici's own list. */
const PASSING: readonly string[] = [
  "ECONNRESET",
  "ECONNREFUSED",
  "ENOTFOUND",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EPIPE",
];

/** What a direct request goes by. */
export interface DirectTerms {
  /** How to connect; without a proxy to this server. */
  readonly connection: Connection;
  /** Ends the request, beside its own signal and the time limit. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a request, and again where the connection failed or the server is busy. Redirects are not followed.
 */
export async function directRequest(
  request: HttpRequest,
  { connection, signal }: DirectTerms,
): Promise<HttpResponse> {
  const end = deadline(connection.timeout.value, [signal, request.signal]);
  try {
    return await tryRepeatedly(request, { connection, ended: end.signal });
  } finally {
    end.clear();
  }
}

async function tryRepeatedly(
  request: HttpRequest,
  { connection, ended }: { readonly connection: Connection; readonly ended: AbortSignal },
): Promise<HttpResponse> {
  ended.throwIfAborted();
  for (let retries = 0;; retries++) {
    const last = retries === RETRY.maxRetries;
    // The first pause is shorter than what is called the shortest: that is how undici counts.
    let pause = Math.min(RETRY.minTimeout * RETRY.timeoutFactor ** (retries - 1), RETRY.maxTimeout);
    try {
      const response = await tryOnce(request, { connection, ended });
      const busy = RETRY.statusCodes.includes(response.status);
      if (!busy || last) return response;
      pause = retryAfter(response) ?? pause;
    } catch (error) {
      ended.throwIfAborted();
      if (last || !isPassing(error)) throw error;
    }
    await delay(pause, ended);
  }
}

/** An address of several that a name has can fail in its own way. */
function isPassing(error: unknown): boolean {
  const { errors = [] } = error as { readonly errors?: readonly unknown[] };
  return [error, ...errors].some((each) => PASSING.includes(codeOf(each) ?? ""));
}

async function tryOnce(
  request: HttpRequest,
  { connection, ended }: { readonly connection: Connection; readonly ended: AbortSignal },
): Promise<HttpResponse> {
  const sent = start(request, connection);
  return await new Promise((resolve, reject) => {
    const end = (error: unknown) => {
      ended.removeEventListener("abort", abort);
      sent.destroy();
      reject(withoutBytes(error));
    };
    const abort = () => end(ended.reason);
    ended.addEventListener("abort", abort);
    // Listened to for as long as the socket is there: one that nobody hears would end the process.
    sent.on("error", end);
    // An answer that asks to go on with another protocol is none.
    sent.on("upgrade", () => end(new Error("The server speaks another protocol")));
    sent.on("response", (answer: IncomingMessage) => {
      answer.on("error", end);
      readStart(answer).then(({ text, cut }) => {
        ended.removeEventListener("abort", abort);
        sent.destroy();
        resolve({
          status: answer.statusCode ?? 0,
          header: (name) => [answer.headers[name]].flat()[0],
          setCookies: answer.headers["set-cookie"] ?? [],
          body: text,
          cut,
        });
      }, end);
    });
    if (ended.aborted) abort();
    else sent.end();
  });
}

/**
 * What the server sent can hold the token, and an error of the parser holds what the server sent.
 */
function withoutBytes(error: unknown): unknown {
  if (!(error instanceof Error) || !("rawPacket" in error)) return error;
  return Object.assign(new Error(error.message), { code: codeOf(error) });
}

function start(request: HttpRequest, { tls }: Connection): ClientRequest {
  const { server } = request;
  const options = optionsOf(request);
  // `http` and `https` are not imported: that loads them at start, and fills all their exports in, one of
  // which makes Node.js load its own undici. Each request has a connection of its own, which ends with it.
  if (server.base.protocol === "http:") {
    return process.getBuiltinModule("node:http").request({ ...options, agent: false });
  }
  return process.getBuiltinModule("node:https").request({
    ...options,
    // Where Deno's agent makes it, Deno asks for one permission more as soon as NODE_EXTRA_CA_CERTS is set.
    createConnection: () => openTlsSocket(server, { tls }),
  });
}

/** What Node.js' client is told of a request. */
export function optionsOf(request: HttpRequest): RequestOptions {
  const { server, method, path } = request;
  const url = urlOf(server, path);
  return {
    hostname: hostOf(url),
    port: url.port,
    path: url.pathname + url.search,
    method,
    // Named here: with a connection of its own, Node.js takes port 80 for the usual one of https as well.
    headers: { host: url.host, ...headersOf(request) },
  };
}

/** What the server asks for, within bounds. */
function retryAfter(response: HttpResponse): number | undefined {
  const text = response.header("retry-after");
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return wait > 0 ? Math.min(wait, RETRY.maxTimeout) : undefined;
}

function delay(milliseconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(ended.reason);
    };
    const timer = setTimeout(() => {
      ended.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    ended.addEventListener("abort", abort, { once: true });
    if (ended.aborted) abort();
  });
}
