import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Dispatcher } from "undici";
import type { Connection } from "../connection/connection.ts";
import type { Proxy } from "../connection/proxy.ts";
import { urlOf } from "../connection/server.ts";
import type { HttpDispatcher } from "../context.ts";
import { codeOf } from "../errors.ts";
import type { Incoming, Outgoing, Transport } from "./http_client.ts";
import { connectionClosed, openSocket, proxyAuthorization, proxyRefusal } from "./open_socket.ts";

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

/**
 * Sends each request over a socket of its own, which is open before the request is made. The runtimes' own
 * clients do more, which takes longer to load and to run than the whole rest of the check.
 */
export function ownTransport({ servers, proxies, tls }: Connection): Transport {
  return async (outgoing) => {
    const { server, method, body = "", signal } = outgoing;
    const proxy = proxies[servers.indexOf(server)];
    const head = requestHead(outgoing, proxy);
    const socket = await openSocket(server, { tls, proxy, signal });
    const discard = (error?: Error) => {
      signal.removeEventListener("abort", abort);
      socket.destroy(error);
    };
    const abort = () => discard(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      socket.write(Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body as Uint8Array)]));
      const answer = await readAnswer(new SocketReader(socket), method);
      if (proxy !== undefined && answer.status === 407) throw proxyRefusal(answer.status);
      return { ...answer, discard };
    } catch (error) {
      discard();
      throw error;
    }
  };
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** A chunk's size, and extensions that mean nothing to us. */
const CHUNK = /^([\da-f]{1,12})(?:;[\w!#$%&'*+.^`|~-]+(?:=[\w!#$%&'*+.^`|~-]+)?)*$/i;

/** What cannot be in a header: with a line break it would be two. */
const NOT_IN_HEADER = /[^\t\x20-\x7e\x80-\xff]/;

export function requestHead(
  { server, method, path, headers, body }: Omit<Outgoing, "signal">,
  proxy: Proxy | undefined,
): string {
  const url = urlOf(server, path);
  const isForProxy = proxy !== undefined && url.protocol === "http:";
  // Requests that have no body as a rule need not say so.
  const isPlain = body === undefined && ["GET", "HEAD", "DELETE", "OPTIONS"].includes(method);
  const all = {
    host: url.host,
    connection: "close",
    ...headers,
    ...(!isPlain && { "content-length": String(Buffer.byteLength(body ?? "")) }),
    ...(isForProxy && proxyAuthorization(proxy)),
  };
  const fields = Object.entries(all).flatMap(([name, values]) =>
    [values].flat().map((value): readonly [string, string] => [name, value])
  );
  const isUnsafe = !TOKEN.test(method) ||
    fields.some(([name, value]) => !TOKEN.test(name) || NOT_IN_HEADER.test(value));
  if (isUnsafe) {
    throw Object.assign(new Error("Invalid character in a header"), { code: "ERR_INVALID_CHAR" });
  }
  return [
    `${method} ${isForProxy ? url.href : url.pathname + url.search} HTTP/1.1`,
    ...fields.map((field) => field.join(": ")),
    "\r\n",
  ].join("\r\n");
}

/** As long as the lines in front of a body may be altogether, in bytes. */
const MAX_HEAD = 16 * 1024;

class SocketReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #received = Buffer.alloc(0);
  #left = MAX_HEAD;

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /** Has a look at what comes first: what is no HTTP/1 may have no line to wait for. */
  async requireHttp1(): Promise<void> {
    if (!await this.#receive()) throw connectionClosed();
    const isHttp1 = "HTTP/1.".startsWith(this.#received.toString("latin1", 0, 7));
    if (!isHttp1) throw malformed(isHttp2(this.#received) ? "HTTP2_ONLY" : "HPE_INVALID_CONSTANT");
  }

  async #receive(): Promise<boolean> {
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#received = Buffer.concat([this.#received, value]);
      return true;
    } catch (error) {
      throw codeOf(error) === "ERR_STREAM_PREMATURE_CLOSE" ? connectionClosed() : error;
    }
  }

  async line(): Promise<string> {
    let end: number;
    while ((end = this.#received.indexOf("\r\n")) === -1) {
      if (this.#received.length > this.#left) throw malformed("HPE_HEADER_OVERFLOW");
      if (!await this.#receive()) throw connectionClosed();
    }
    if ((this.#left -= end + 2) < 0) throw malformed("HPE_HEADER_OVERFLOW");
    return this.#take(end + 2).toString("latin1", 0, end);
  }

  async *bytes(count = Infinity): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (this.#received.length === 0 && !await this.#receive()) {
        if (count === Infinity) return;
        throw connectionClosed();
      }
      const part = this.#take(Math.min(left, this.#received.length));
      left -= part.length;
      yield part;
    }
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#left = MAX_HEAD;
      const [, digits] = CHUNK.exec(await this.line()) ?? [];
      if (digits === undefined) throw malformed("HPE_INVALID_CHUNK_SIZE");
      const size = parseInt(digits, 16);
      // Fields may follow, which mean nothing to us.
      if (size === 0) return void await readHeaders(this);
      yield* this.bytes(size);
      if (await this.line() !== "") throw malformed("HPE_STRICT");
    }
  }

  /** Nothing may follow a body: it would answer no request, or somebody takes the body to be longer. */
  async *alone(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* body;
    if (/[^\r\n]/.test(this.#received.toString("latin1"))) throw malformed("HPE_CLOSED_CONNECTION");
  }

  #take(count: number): Buffer {
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }
}

async function readAnswer(
  reader: SocketReader,
  method: string,
): Promise<Omit<Incoming, "discard">> {
  await reader.requireHttp1();
  for (;;) {
    const [, digits, reason = ""] =
      /^HTTP\/1\.[01] (?!101)([1-9]\d\d)(?: (.*))?$/.exec(await reader.line()) ?? [];
    if (digits === undefined) throw malformed("HPE_INVALID_STATUS");
    const status = Number(digits);
    const headers = await readHeaders(reader);
    const body = bodyOf(reader, headers);
    if (status < 200) continue;
    const isEmpty = method === "HEAD" || status === 204 || status === 304;
    return { status, reason, headers, body: reader.alone(isEmpty ? reader.bytes(0) : body) };
  }
}

async function readHeaders(reader: SocketReader): Promise<Incoming["headers"]> {
  const headers: (readonly [string, string])[] = [];
  for (let line = await reader.line(); line !== ""; line = await reader.line()) {
    const at = line.indexOf(":");
    const name = line.slice(0, Math.max(at, 0));
    const value = line.slice(at + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!TOKEN.test(name) || NOT_IN_HEADER.test(value)) throw malformed("HPE_INVALID_HEADER_TOKEN");
    headers.push([name.toLowerCase(), value]);
  }
  return headers;
}

function bodyOf(reader: SocketReader, headers: Incoming["headers"]): AsyncGenerator<Uint8Array> {
  const valuesOf = (wanted: string) =>
    headers.flatMap(([name, value]) => name === wanted ? [value.toLowerCase()] : []);
  const codings = new Set(valuesOf("transfer-encoding"));
  const lengths = valuesOf("content-length");
  // Where there are several, somebody in between may have read another.
  if (lengths.length + codings.size > 1) throw malformed("HPE_UNEXPECTED_CONTENT_LENGTH");
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d{1,15}$/.test(length)) throw malformed("HPE_INVALID_CONTENT_LENGTH");
    return reader.bytes(Number(length));
  }
  const [coding = "identity"] = codings;
  if (coding === "chunked") return reader.chunks();
  if (coding === "identity") return reader.bytes();
  throw malformed("HPE_INVALID_TRANSFER_ENCODING");
}

/** A server that speaks only that begins with its SETTINGS, a frame of type 4 on stream 0. */
function isHttp2(packet: Uint8Array): boolean {
  return packet[0] === 0 && packet[3] === 4 && packet.subarray(4, 9).every((byte) => byte === 0);
}

/** By the codes that the runtimes' own parsers have. What was sent can repeat the token. */
function malformed(code: string): Error {
  return Object.assign(new Error("The response is not HTTP/1.1"), { code });
}
