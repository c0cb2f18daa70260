import { findGatewayGroup, type RawRequester } from "../../admin_api/raw_request.ts";
import { requireGatewayGroup } from "../../check/backend_checks.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { type Server, urlOf } from "../../connection/server.ts";
import { UsageError } from "../../errors.ts";
import { isAdminKey } from "../../secret.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import type { Reporter } from "../output/report.ts";

interface ApiTarget {
  readonly server: Server;
  /** The path below the server's address, with its query. */
  readonly path: string;
}

/**
 * What has a scheme is an address; so is a Windows path that a shell has made of a leading slash.
 */
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

/**
 * Steps up, slashes in disguise and the like: two programs on the way may read them in two ways.
 */
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

/**
 * Adds the gateway group's id to a path, where somebody chose a group and the path names none. An admin
 * key belongs to one group, and ADC names none for it either.
 */
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
