import process from "node:process";
import type { TLSSocket } from "node:tls";
import { hostOf } from "./server.ts";
import type { Server } from "./server.ts";
import { tlsOptions } from "./tls.ts";
import type { Tls } from "./tls.ts";

/** How a connection is made. */
export interface TlsSocketOptions {
  /** The certificates, and whether the server's is verified. */
  readonly tls: Tls;
  /** Verifies nothing, whatever else is said. No token may cross such a connection. */
  readonly unverified?: boolean;
}

/** Starts to shake hands with a server. */
export function openTlsSocket(
  server: Server,
  { tls, unverified = false }: TlsSocketOptions,
): TLSSocket {
  // Loaded only now: a run over http, or with no request at all, needs neither.
  const { isIP } = process.getBuiltinModule("node:net");
  const { connect } = process.getBuiltinModule("node:tls");
  const host = hostOf(server.base);
  return connect({
    host,
    port: Number(server.base.port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ["http/1.1"],
    ...tlsOptions(tls),
    ...(unverified && { rejectUnauthorized: false }),
  });
}
