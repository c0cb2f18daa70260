/**
 * Who may ask Apache APISIX' Admin API, and what its nginx says to those who may not.
 *
 * @module
 */

import { nginxPage, type Reply, type SandboxRequest } from "./exchange.ts";
import type { Tokens } from "./tokens.ts";

/** What an Admin API of APISIX is made of. */
export interface ApisixOptions {
  readonly keys: Tokens;
  readonly version: string;
  /** The clock, in Unix seconds. */
  readonly seconds: () => number;
  readonly allowAdmin: boolean;
  readonly keyRequired: boolean;
  readonly adminApiVersion: "v2" | "v3";
  readonly etcd: boolean;
  readonly streamProxy: boolean;
  /** Whether a client has to present a certificate. */
  readonly clientCertificate: boolean;
}

/**
 * What nginx answers before APISIX looks at a request: the handshake succeeds whatever certificate a client
 * has.
 */
export function refuseClient(
  { clientCertificate }: SandboxRequest,
  { allowAdmin, clientCertificate: wanted }: ApisixOptions,
): Reply | undefined {
  if (wanted && clientCertificate !== "Sandbox client") {
    return nginxPage(
      400,
      clientCertificate === undefined
        ? "No required SSL certificate was sent"
        : "The SSL certificate error",
    );
  }
  return allowAdmin ? undefined : nginxPage(403, "403 Forbidden");
}

/**
 * Checks the admin key of a request, as APISIX does: the header first, then the query, then the cookie.
 *
 * @param request The request.
 * @param options The keys that there are, and whether one is needed.
 * @returns `undefined` when the key is good, else the reply.
 */
export function refuseKey(
  request: SandboxRequest,
  { keys, keyRequired }: ApisixOptions,
): Reply | undefined {
  if (!keyRequired) return undefined;
  const cookie = /(?:^|; )x_api_key=([^;]*)/.exec(request.headers["cookie"] ?? "")?.[1];
  const key = request.apiKey ?? request.query["api_key"] ?? cookie;
  if (key === undefined) return refusal("missing apikey");
  const known = keys.use(key);
  if (known === undefined) return refusal("wrong apikey");
  if (known.permissions.write === false && request.method !== "GET") {
    return refusal("invalid method for role viewer");
  }
  return undefined;
}

/** Tells whether a version is this one or a later one: `since("3.14.1", "3.13.0")`. */
export function since(version: string, first: string): boolean {
  const [[major, minor], [wantedMajor, wantedMinor]] = [version, first].map((each) =>
    each.split(".").map(Number)
  ) as [[number, number], [number, number]];
  return major === wantedMajor ? minor >= wantedMinor : major > wantedMajor;
}

function refusal(description: string): Reply {
  return { status: 401, body: { error_msg: "failed to check token", description } };
}
