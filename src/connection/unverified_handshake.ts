/**
 * A TLS connection that is there to be looked at.
 *
 * @module
 */

import { isIP } from "node:net";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { Server } from "./server.ts";
import type { Tls } from "./tls.ts";

/**
 * Starts to shake hands with a server, verifying nothing. No token may cross the connection, which goes past
 * any proxy.
 *
 * @param server The server, at an `https:` address.
 * @param options The client certificate, if there is one.
 * @returns The connection that is being made, to be destroyed.
 * @throws {Error} The files hold no certificate or key of use.
 */
export function shakeHandsUnverified(
  server: Server,
  { tls }: { readonly tls: Tls },
): TLSSocket {
  const { hostname, port } = server.base;
  const host = hostname.replace(/^\[|\]$/g, "");
  return connect({
    host,
    port: Number(port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    rejectUnauthorized: false,
    ...(tls.clientCertFile && { cert: tls.clientCertFile.value.pem.reveal() }),
    ...(tls.clientKeyFile && { key: tls.clientKeyFile.value.pem.reveal() }),
  });
}
