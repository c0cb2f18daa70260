import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { AdcRunError, codeOf, EXIT, throwIfNotCapable, UsageError } from "../../errors.ts";
import type { Io } from "../io.ts";
import type { ApiOptions } from "../manual/other_commands.ts";

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly data: string | undefined;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly include: boolean;
  readonly paginate: boolean;
  readonly mask: boolean;
}

export function readApiRequest(operands: readonly string[], options: ApiOptions): ApiRequest {
  const { include = false, paginate = false, mask = true } = options;
  const { method, path } = readOperands(operands, options);
  const [data, ...more] = options.data ?? [];
  if (more.length > 0) throw new UsageError("Cannot use -d twice: a request has one body");
  const request: ApiRequest = {
    method: method ?? (data === undefined ? "GET" : "POST"),
    path,
    data,
    headers: readHeaders(options.header ?? []),
    fields: (options.field ?? []).map(readField),
    include,
    paginate,
    mask,
  };
  if (paginate) requirePages(request);
  return request;
}

/** `TRACE` has the server repeat the request, token and all; `CONNECT` asks for a tunnel. */
const REFUSED_METHODS = ["TRACE", "CONNECT"];
const KNOWN_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

function readOperands(
  operands: readonly string[],
  { method: flag }: ApiOptions,
): { readonly method: string | undefined; readonly path: string } {
  const suggestion = "For example: adc-run api GET /api/users";
  if (operands.length > 2) {
    throw new UsageError('Too many arguments for "adc-run api": it takes a method and a path', {
      suggestion: `${suggestion}. For query parameters, use -f key=value.`,
    });
  }
  const [path, before] = [operands.at(-1), operands.at(-2)];
  if (path === undefined || (before === undefined && KNOWN_METHODS.includes(path))) {
    throw new UsageError("No path given", { suggestion });
  }
  if (before !== undefined && flag !== undefined && before !== flag) {
    throw new UsageError("Cannot use -X: there is a method before the path already");
  }
  const method = before ?? flag;
  if (method === undefined) return { method, path };
  if (REFUSED_METHODS.includes(method.toUpperCase())) {
    throw new UsageError(`Cannot use the method ${method.toUpperCase()}: not supported`);
  }
  if (/^[A-Z]{1,32}$/.test(method)) return { method, path };
  throw new UsageError("Cannot use the method: it is not in capital letters", {
    suggestion,
  });
}

function readField(field: string): readonly [string, string] {
  const equals = field.indexOf("=");
  if (equals > 0) return [field.slice(0, equals), field.slice(equals + 1)];
  throw new UsageError('Cannot use a field: it is not of the form "key=value"', {
    suggestion: "For example: -f page_size=10",
  });
}

function requirePages({ method, data, include, fields }: ApiRequest): void {
  const other = method !== "GET"
    ? `the method ${method}`
    : data !== undefined
    ? "-d"
    : include
    ? "-i"
    : fields.some(([name]) => name === "page")
    ? "-f page"
    : undefined;
  if (other === undefined) return;
  throw new UsageError(`Cannot use --paginate with ${other}`);
}

/** Headers that stay as they are, and why. */
const RESERVED: readonly (readonly [names: readonly string[], reason: string])[] = [
  [
    ["x-api-key", "authorization", "proxy-authorization", "cookie"],
    "adc-run sends the token itself",
  ],
  [["host"], "the token is only ever sent to the connection's own server"],
  [
    [
      "content-length",
      "transfer-encoding",
      "connection",
      "proxy-connection",
      "keep-alive",
      "upgrade",
      "http2-settings",
      "te",
      "trailer",
      "expect",
    ],
    "adc-run controls the connection itself",
  ],
  [["accept-encoding"], "the token cannot be masked in a compressed response"],
];

export function readHeaders(
  written: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = Object.create(null);
  for (const line of written) {
    const colon = line.indexOf(":");
    const name = colon === -1 ? "" : line.slice(0, colon);
    // The value is not shown: it may well be a token.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw new UsageError(`Cannot use a header: it is not of the form "Name: value"`, {
        suggestion: `For example: -H "If-Match: abc"`,
      });
    }
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      throw new UsageError(
        `Cannot set header "${name}": its value contains a character outside printable ASCII`,
      );
    }
    const plain = name.toLowerCase();
    // Servers behind CGI and the like take an underscore for a dash.
    const reserved = RESERVED.find(([names]) => names.includes(plain.replaceAll("_", "-")));
    if (reserved !== undefined) {
      throw new UsageError(`Cannot set header "${name}": ${reserved[1]}`);
    }
    (headers[plain] ??= []).push(value);
  }
  return headers;
}

/**
 * Far more than any configuration; what is longer is something else, and is not read to its end.
 */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads the body: `@FILE`, `-` or `@-` for standard input, else the text itself. It is sent byte by byte
 * as it is.
 */
export async function readBody(
  written: string,
  io: Io,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  if (written === "-" || written === "@-") {
    return await collect(io.stdin, { what: "standard input", signal });
  }
  if (!written.startsWith("@")) return Buffer.from(written);
  const name = written.slice(1);
  if (name === "") throw new UsageError('Cannot use -d "@": no file name after it');
  try {
    const file = createReadStream(resolve(io.cwd, name));
    return await collect(file, { what: `"${name}"`, signal });
  } catch (error) {
    signal.throwIfAborted();
    throwIfNotCapable(error);
    const code = codeOf(error);
    if (error instanceof AdcRunError || code === undefined) throw error;
    const found = code === "ENOENT"
      ? `there is no file "${resolve(io.cwd, name)}"`
      : code === "EISDIR"
      ? "it is a directory"
      : `it cannot be read (${code})`;
    throw new UsageError(`Cannot read the body from "${name}": ${found}`, {
      suggestion: "Use -d @FILE for a file, -d - for standard input, -d TEXT for text.",
      cause: error,
    });
  }
}

async function collect(
  from: AsyncIterable<unknown>,
  { what, signal }: { readonly what: string; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
  // It is raced below; whoever does not wait for it must not hear of it either.
  aborted.catch(() => {});
  const chunks: Uint8Array[] = [];
  let length = 0;
  const iterator = from[Symbol.asyncIterator]();
  while (true) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next.done) return Buffer.concat(chunks);
    const bytes = Buffer.from(next.value as Uint8Array);
    length += bytes.length;
    if (length > MAX_BODY_BYTES) {
      await iterator.return?.();
      throw new AdcRunError(
        `Cannot send ${what}: it is longer than ${MAX_BODY_BYTES / 1024 / 1024} MiB`,
        EXIT.data,
      );
    }
    chunks.push(bytes);
  }
}
