/**
 * undici's dispatcher for a server, with or without a proxy in between.
 *
 * @module
 */

import type { Dispatcher } from "undici";
import type { Connection } from "./connection.ts";
import type { Proxy } from "./proxy.ts";
import type { Server } from "./server.ts";
import type { Tls } from "./tls.ts";

/**
 * Makes the dispatcher that speaks to one server.
 *
 * @param connection Time limit, certificates and verification.
 * @param options The server and its proxy.
 * @returns The dispatcher, to be closed.
 */
export async function dispatcherFor(
  { tls, timeout }: Connection,
  { server, proxy }: { readonly server: Server; readonly proxy: Proxy | undefined },
): Promise<Dispatcher> {
  const connect = { ...tlsOptions(tls), timeout: timeout.value };
  if (proxy === undefined) {
    const { default: Agent } = await import("undici/lib/dispatcher/agent.js") as {
      default: typeof import("undici").Agent;
    };
    return new Agent({ connect });
  }
  // All of undici: a tunnel needs `Dispatcher.prototype.connect`, which only its index adds.
  const { ProxyAgent } = await import("undici");
  return new ProxyAgent({
    uri: proxy.url.reveal(),
    requestTls: connect,
    // axios, like most clients, sends a plain request to the proxy itself and asks for a tunnel only
    // where the request is encrypted.
    proxyTunnel: server.base.protocol === "https:",
  });
}

/** `NODE_EXTRA_CA_CERTS` needs nothing here: both runtimes add it to their own CAs, as ADC's Node does. */
function tlsOptions(tls: Tls): Record<string, unknown> {
  return {
    rejectUnauthorized: !tls.skipVerify.value,
    ...(tls.caCertFile && { ca: tls.caCertFile.value.pem.reveal() }),
    ...(tls.clientCertFile && { cert: tls.clientCertFile.value.pem.reveal() }),
    ...(tls.clientKeyFile && { key: tls.clientKeyFile.value.pem.reveal() }),
  };
}
