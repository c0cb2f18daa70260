import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { findGatewayGroup, type RawRequester } from "../../admin_api/raw_request.ts";
import { requireGatewayGroup } from "../../check/backend_checks.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { type Server, urlOf } from "../../connection/server.ts";
import { AdcRunError, codeOf, reasonOf, throwIfNotCapable, UsageError } from "../../errors.ts";
import { isAdminKey } from "../../secret.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import { type Io, readInput } from "../io.ts";
import type { ApiOptions } from "../manual/other_commands.ts";
import type { Reporter } from "../output/report.ts";

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
  throw new UsageError("Cannot use the method: it is not in capital letters", { suggestion });
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

/** Why headers stay as they are, and which. */
const RESERVED = {
  "adc-run sends the token itself": "x-api-key authorization proxy-authorization cookie",
  "the token is only ever sent to the connection's own server": "host",
  "adc-run controls the connection itself":
    "content-length transfer-encoding connection proxy-connection keep-alive upgrade " +
    "http2-settings te trailer expect",
  "the token cannot be masked in a compressed response": "accept-encoding",
};

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
    const dashed = plain.replaceAll("_", "-");
    const reserved = Object.entries(RESERVED).find(([, all]) => all.split(" ").includes(dashed));
    if (reserved !== undefined) throw new UsageError(`Cannot set header "${name}": ${reserved[0]}`);
    (headers[plain] ??= []).push(value);
  }
  return headers;
}

/** Far more than any configuration; what is longer is something else, and is not read to its end. */
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
  const max = MAX_BODY_BYTES;
  const read = (from: AsyncIterable<unknown>, what: string) => {
    const tooLong = `Cannot send ${what}: it is longer than ${max / 1024 / 1024} MiB`;
    return readInput(from, { max, tooLong, signal });
  };
  if (written === "-" || written === "@-") {
    return await read(io.stdin, "standard input");
  }
  if (!written.startsWith("@")) return Buffer.from(written);
  const name = written.slice(1);
  if (name === "") throw new UsageError('Cannot use -d "@": no file name after it');
  try {
    return await read(createReadStream(resolve(io.cwd, name)), `"${name}"`);
  } catch (error) {
    signal.throwIfAborted();
    throwIfNotCapable(error);
    const code = codeOf(error);
    if (error instanceof AdcRunError || code === undefined) throw error;
    const found = code === "ENOENT"
      ? `there is no file "${resolve(io.cwd, name)}"`
      : reasonOf(code);
    throw new UsageError(`Cannot read the body from "${name}": ${found}`, {
      suggestion: "Use -d @FILE for a file, -d - for standard input, -d TEXT for text.",
      cause: error,
    });
  }
}

interface ApiTarget {
  readonly server: Server;
  readonly path: string;
}

/** What has a scheme is an address; so is a Windows path that a shell has made of a leading slash. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:/i;

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

export function readTarget(written: string, servers: readonly Server[]): ApiTarget {
  if (written.trim() === "") throw wrongPath("it is empty");
  if (CONTROL.test(written)) throw wrongPath("it contains a control character");
  if (written !== written.trim()) throw wrongPath("it starts or ends with whitespace");
  const { server, rest } = ADDRESS.test(written)
    ? ownServer(written, servers)
    : { server: servers[0]!, rest: written };
  if (rest.includes("#")) {
    throw wrongPath("it has a fragment, which is never sent", 'Write "#" as "%23".');
  }
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  requirePlain(target.split("?", 1)[0]!);
  const url = urlOf(server, target);
  const base = server.base.pathname.replace(/\/$/, "");
  // All that could lead elsewhere was refused above; this holds whatever else a URL may mean.
  if (url.origin !== server.origin || !`${url.pathname}/`.startsWith(`${base}/`)) {
    throw wrongPath(`it leads to ${url.origin}, but the connection's server is ${server.display}`);
  }
  return { server, path: url.pathname.slice(base.length) + url.search };
}

/** An address is as good as a path where it is the connection's own. */
function ownServer(
  written: string,
  servers: readonly Server[],
): { readonly server: Server; readonly rest: string } {
  const [head, authority = ""] = /^https?:\/\/([^/\\?#]*)/i.exec(written) ?? [];
  if (head === undefined || authority === "" || !URL.canParse(head)) {
    throw wrongPath(
      "it is not a path or an http or https URL",
      "For example: /api/users. If your shell expands a leading slash, omit it.",
    );
  }
  if (authority.includes("@")) {
    throw wrongPath("it contains a user name or password", "The token identifies the user.");
  }
  const { origin } = new URL(head);
  const rest = written.slice(head.length);
  const known = servers.filter((each) => each.origin === origin);
  const [path = ""] = rest.split(/[?#]/, 1);
  for (const server of known) {
    const base = server.base.pathname.replace(/\/$/, "");
    if (!`${path}/`.startsWith(`${base}/`)) continue;
    return { server, rest: rest.slice(base.length) || "/" };
  }
  const own = servers.map(({ display }) => display).join(", ");
  throw wrongPath(
    known.length === 0
      ? `it is on ${origin}, but the connection's server is ${own}`
      : `it is not under ${own}`,
    "The token is only ever sent to the connection's own server. Set another one with --server.",
  );
}

/** Steps up, slashes in disguise and the like: two programs on the way may read them in two ways. */
function requirePlain(path: string): void {
  const decoded = decodedFully(path);
  if (decoded.startsWith("//")) {
    throw wrongPath('it starts with "//", which names another host', 'Start it with one "/".');
  }
  if (decoded.includes("\\")) throw wrongPath("it contains a backslash");
  if (CONTROL.test(decoded)) throw wrongPath("it contains an encoded control character");
  if (decoded.split("/").some((segment) => /^\.\.?(;|$)/.test(segment))) {
    throw wrongPath('it contains a "." or ".." segment', "Write the resolved path.");
  }
}

/** Decodes what has a meaning in a path, also where it was encoded twice. */
function decodedFully(path: string): string {
  let [before, decoded] = ["", path];
  while (decoded !== before) {
    before = decoded;
    decoded = before.replace(
      /%(25|2e|2f|5c|0[0-9a-f]|1[0-9a-f]|7f)/gi,
      (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
    );
  }
  return decoded;
}

/** The path is not shown: it may hold a token, or what a terminal should not get to see. */
function wrongPath(found: string, suggestion = 'See "adc-run api --help".'): UsageError {
  return new UsageError(`Cannot use the path: ${found}`, { suggestion });
}

export function withFields(
  path: string,
  fields: readonly (readonly [name: string, value: string])[],
): string {
  if (fields.length === 0) return path;
  const query = fields.map(([name, value]) =>
    `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  ).join("&");
  if (!path.includes("?")) return `${path}?${query}`;
  return /[?&]$/.test(path) ? path + query : `${path}&${query}`;
}

export function hasField(path: string, name: string): boolean {
  const [, query = ""] = /\?(.*)$/s.exec(path) ?? [];
  return new URLSearchParams(query).has(name);
}

/** Refuses a group that was named for this command and would be ignored in silence. */
export function requireGroups({ backend, gatewayGroup }: Connection): void {
  if (gatewayGroup.origin.kind !== "flag" || BACKENDS[backend.value].hasGatewayGroups) return;
  throw new UsageError(
    `Cannot use --gateway-group with backend "${backend.value}": only api7ee has gateway groups`,
    { suggestion: "Set --backend api7ee or ADC_BACKEND=api7ee." },
  );
}

/** An admin key belongs to one group, and ADC names none for it either. */
export async function withGroup(
  path: string,
  options: {
    readonly connection: Connection;
    readonly requester: RawRequester;
    readonly resolved: ResolvedToken;
    readonly reporter: Reporter;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const { connection, requester, resolved, reporter, signal } = options;
  const { backend, gatewayGroup } = connection;
  if (!BACKENDS[backend.value].hasGatewayGroups || gatewayGroup.origin.kind === "default") {
    return path;
  }
  if (hasField(path, "gateway_group_id")) return path;
  if (isAdminKey(requester.token)) {
    if (gatewayGroup.origin.kind === "flag") {
      reporter.warn("--gateway-group is ignored: an admin key belongs to one gateway group.");
    }
    return path;
  }
  requireGatewayGroup(connection, requester.token);
  const id = await findGatewayGroup(requester, { connection, resolved, signal });
  return withFields(path, [["gateway_group_id", id]]);
}
