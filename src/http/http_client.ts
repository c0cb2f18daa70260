import process from "node:process";
import type { Transform } from "node:stream";
import type { Connection } from "../connection/connection.ts";
import type { Server } from "../connection/server.ts";
import type { Context } from "../context.ts";
import { codeOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { deadline, MAX_TIMER } from "../system/deadline.ts";
import { VERSION } from "../version.ts";
import { dispatcherTransport, ownTransport } from "./transports.ts";

export interface StreamRequest {
  readonly server: Server;
  /** Those that may be repeated are tried again, as long as no answer has begun. */
  readonly method: string;
  readonly path: string;
  readonly token: Secret | undefined;
  /** They cannot take the place of the token, nor of the server's own password. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  readonly body?: Uint8Array | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpRequest extends Omit<StreamRequest, "headers" | "body"> {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly cookie?: Secret | undefined;
  readonly body?: unknown;
}

export interface StreamResponse {
  readonly status: number;
  readonly reason: string;
  /** All headers in order, their names in lower case. `Set-Cookie` holds secrets. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  header(name: string): string | undefined;
  /** Whoever does not read it to its end leaves the loop, which ends the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpResponse extends Pick<StreamResponse, "status" | "header"> {
  /** Every `Set-Cookie` header, in order. They are secrets. */
  readonly setCookies: readonly string[];
  readonly body: string;
  readonly cut: boolean;
}

/** Sends requests over one connection. No redirect is followed: the token would follow along. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
  open(request: StreamRequest): Promise<StreamResponse>;
  close(): Promise<void>;
}

export interface Outgoing {
  readonly server: Server;
  readonly method: string;
  readonly path: string;
  /** Names in lower case; secrets are among the values. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array | string | undefined;
  readonly signal: AbortSignal;
}

export interface Incoming extends Pick<StreamResponse, "status" | "reason" | "headers" | "body"> {
  /** Ends the connection; a body that is being read fails with the error. */
  discard(error?: Error): void;
}

export type Transport = (request: Outgoing) => Promise<Incoming>;

const MAX_ATTEMPTS = 3;

/** Before the second and the third attempt, in milliseconds. */
const PAUSES = [33, 100];

/** Instead of a pause that a server asks for and that is longer than the time that is left. */
const MAX_PAUSE = 2_000;

const BUSY: readonly number[] = [408, 425, 429, 502, 503, 504];

const REPEATABLE: readonly string[] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

const PASSING: readonly string[] = [
  "ECONNRESET",
  "ECONNREFUSED",
  "ENOTFOUND",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EPIPE",
  "UND_ERR_SOCKET",
  ...BUSY.map((status) => `PROXY_${status}`),
];

/** More than any answer that is read to its end. */
const MAX_BYTES = 1024 * 1024;

export function openHttpClient(
  connection: Connection,
  { signal, dispatcher }: Pick<Context, "signal" | "dispatcher"> = {},
): HttpClient {
  const timeout = connection.timeoutMs.value;
  const transport = dispatcher === undefined
    ? ownTransport(connection)
    : dispatcherTransport(dispatcher);
  const closed = new AbortController();

  async function exchange<T>(
    request: StreamRequest,
    read: (answer: Incoming, ended: AbortSignal) => T | Promise<T>,
  ): Promise<T> {
    const { server, method, path, body } = request;
    const end = deadline(timeout, [signal, request.signal, closed.signal]);
    const headers = headersOf(request);
    const outgoing = { server, method, path, headers, body, signal: end.signal };
    const attempts = REPEATABLE.includes(method) ? MAX_ATTEMPTS : 1;
    const over = timeout === 0 ? Infinity : Date.now() + timeout;
    try {
      for (let count = 1;; count++) {
        end.signal.throwIfAborted();
        let pause = PAUSES[count - 1]!;
        try {
          const answer = await transport(outgoing);
          const left = over - Date.now();
          const asked = retryAfter(answer) ?? pause;
          pause = asked < left ? asked : Math.min(asked, MAX_PAUSE);
          // This answer says more than that the time is over.
          const isLast = count === attempts || pause >= left;
          if (isLast || !BUSY.includes(answer.status)) {
            // A `HEAD` has headers of a body that it has not.
            return await read(method === "HEAD" ? answer : decode(answer), end.signal);
          }
          answer.discard();
        } catch (error) {
          end.signal.throwIfAborted();
          if (count === attempts || !isPassing(error)) throw withoutAnswer(error);
        }
        const timers = process.getBuiltinModule("node:timers/promises");
        // Where it is cut short, the signal says why.
        await timers.setTimeout(pause, undefined, { signal: end.signal }).catch(() => {});
      }
    } finally {
      end.clear();
    }
  }

  return {
    send: ({ cookie, body: content, ...request }) => {
      const body = content === undefined ? undefined : JSON.stringify(content);
      const headers = {
        ...(cookie && { cookie: cookie.reveal() }),
        ...(body !== undefined && { "content-type": "application/json" }),
      };
      return exchange({ ...request, headers, body }, readWhole);
    },
    open: (request) =>
      exchange(request, (answer, ended) => ({
        status: answer.status,
        reason: answer.reason,
        headers: answer.headers,
        header: (name) => headerOf(answer, name),
        body: readParts(answer, { ended, timeout }),
      })),
    close: () => Promise.resolve(closed.abort()),
  };
}

function headersOf({ server, token, headers = {} }: StreamRequest): Outgoing["headers"] {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    accept: "application/json",
    "accept-encoding": "identity",
    "user-agent": `adc-run/${VERSION}`,
    ...Object.fromEntries(given),
    ...(token && { "x-api-key": token.reveal() }),
    ...(server.authorization && { authorization: server.authorization.reveal() }),
  };
}

/** An address of several that a name has can fail in its own way. */
function isPassing(error: unknown): boolean {
  const { errors = [] } = (error ?? {}) as { readonly errors?: readonly unknown[] };
  return [error, ...errors].some((each) => PASSING.includes(codeOf(each) ?? ""));
}

function retryAfter(answer: Incoming): number | undefined {
  const text = headerOf(answer, "retry-after");
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return wait > 0 ? Math.min(wait, MAX_TIMER) : undefined;
}

function headerOf({ headers }: Incoming, wanted: string): string | undefined {
  return headers.find(([name]) => name === wanted)?.[1];
}

/** What a server sent can repeat the token, and errors of a dispatcher's parser hold what the server sent. */
function withoutAnswer(error: unknown): unknown {
  if (!(error instanceof Error) || !showsAnswer(error)) return error;
  return Object.assign(new Error(error.message), { code: codeOf(error) });
}

function showsAnswer(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const isShown = ["headers", "data"].some((each) => each in error);
  return isShown || showsAnswer((error as { readonly cause?: unknown }).cause);
}

/** An answer that is encoded although nothing was to be: a mask must see what is in it. */
function decode(answer: Incoming): Incoming {
  const encodings = answer.headers.filter(([name]) => name === "content-encoding")
    .flatMap(([, value]) => value.toLowerCase().split(","))
    .map((encoding) => encoding.trim()).filter((encoding) => !["", "identity"].includes(encoding));
  if (encodings.length === 0) return answer;
  const untrue = ["content-encoding", "content-length"];
  return {
    ...answer,
    headers: answer.headers.filter(([name]) => !untrue.includes(name)),
    body: encodings.reduceRight<AsyncIterable<Uint8Array>>(decodeOne, answer.body),
  };
}

/** More than this an encoded answer must not become: a few bytes can be made to unfold without end. */
const MAX_DECODED = 256 * MAX_BYTES;

async function* decodeOne(
  body: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const { Readable, pipeline } = process.getBuiltinModule("node:stream");
  const parts = body[Symbol.asyncIterator]();
  const first = await parts.next();
  if (first.done === true) return;
  let failure: unknown;
  async function* encoded(): AsyncGenerator<Uint8Array> {
    try {
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => parts };
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const decoder = decoderOf(encoding, first.value);
  pipeline(Readable.from(encoded()), decoder, () => {});
  let length = 0;
  try {
    for await (const part of decoder) {
      length += part.length;
      if (length > MAX_DECODED) throw unreadable("it is too long");
      yield part;
    }
  } catch (error) {
    throw failure ?? (codeOf(error) === UNREADABLE ? error : unreadable(`it is not ${encoding}`));
  }
}

function decoderOf(encoding: string, [start = 0]: Uint8Array): Transform {
  const zlib = process.getBuiltinModule("node:zlib");
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return zlib.createGunzip();
    case "br":
      return zlib.createBrotliDecompress();
    case "deflate":
      // Some servers leave out the header that the standard asks for.
      return (start & 15) === 8 ? zlib.createInflate() : zlib.createInflateRaw();
  }
  throw unreadable(`unknown encoding ${encoding}`);
}

const UNREADABLE = "ERR_CONTENT_ENCODING";

function unreadable(found: string): Error {
  return Object.assign(new Error(`Cannot decode the response: ${found}`), { code: UNREADABLE });
}

async function readWhole(answer: Incoming): Promise<HttpResponse> {
  try {
    const { text, cut } = await readStart(answer.body);
    const cookies = answer.headers.filter(([name]) => name === "set-cookie");
    return {
      status: answer.status,
      header: (name) => headerOf(answer, name),
      setCookies: cookies.map(([, value]) => value),
      body: text,
      cut,
    };
  } finally {
    answer.discard();
  }
}

/** Reads an answer, as far as any answer goes that is of use; the rest is not waited for. */
export async function readStart(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly text: string; readonly cut: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop destroys the body, so that an endless one ends here.
    if (length > MAX_BYTES) return { text, cut: true };
  }
  return { text: text + decoder.decode(), cut: false };
}

/** The time limit is for each part: a long answer is not a slow one. */
async function* readParts(
  answer: Incoming,
  { ended, timeout }: { readonly ended: AbortSignal; readonly timeout: number },
): AsyncGenerator<Uint8Array> {
  const parts = answer.body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const limit = deadline(timeout);
      limit.signal.addEventListener("abort", () => answer.discard(limit.signal.reason));
      const { done, value } = await parts.next().finally(limit.clear);
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    ended.throwIfAborted();
    throw withoutAnswer(error);
  } finally {
    answer.discard();
  }
}
