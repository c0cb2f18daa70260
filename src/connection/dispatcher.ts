/**
 * undici's dispatcher for a server, with or without a proxy in between.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import type { Dispatcher } from "undici";
import type { Connection } from "./connection.ts";
import type { Environment } from "./origin.ts";
import type { Proxy } from "./proxy.ts";
import type { Server } from "./server.ts";
import type { Tls } from "./tls.ts";

/**
 * Makes the dispatcher that speaks to one server.
 *
 * @param connection Time limit, certificates and verification.
 * @param options The server's proxy, and the environment for `NODE_EXTRA_CA_CERTS`.
 * @returns The dispatcher, to be closed.
 */
export async function dispatcherFor(
  { tls, timeout }: Connection,
  { server, proxy, env }: {
    readonly server: Server;
    readonly proxy: Proxy | undefined;
    readonly env: Environment;
  },
): Promise<Dispatcher> {
  const connect = { ...tlsOptions(tls, env), timeout: timeout.value };
  if (proxy === undefined) {
    const { default: Agent } = await import("undici/lib/dispatcher/agent.js") as {
      default: typeof import("undici").Agent;
    };
    return new Agent({ connect });
  }
  const { default: ProxyAgent } = await import("undici/lib/dispatcher/proxy-agent.js") as {
    default: typeof import("undici").ProxyAgent;
  };
  return new ProxyAgent({
    uri: proxy.url.reveal(),
    requestTls: connect,
    // axios, like most clients, sends a plain request to the proxy itself and asks for a tunnel only
    // where the request is encrypted.
    proxyTunnel: server.base.protocol === "https:",
  });
}

function tlsOptions(tls: Tls, env: Environment): Record<string, unknown> {
  const extra = tls.caCertFile === undefined ? env.NODE_EXTRA_CA_CERTS : undefined;
  const ca = tls.caCertFile?.value.pem.reveal() ?? (extra ? extraCertificates(extra) : undefined);
  return {
    rejectUnauthorized: !tls.skipVerify.value,
    ...(ca !== undefined && { ca }),
    ...(tls.clientCertFile && { cert: tls.clientCertFile.value.pem.reveal() }),
    ...(tls.clientKeyFile && { key: tls.clientKeyFile.value.pem.reveal() }),
  };
}

/** ADC runs on Node, which adds these to its own; a file that cannot be read is passed over there too. */
function extraCertificates(path: string): string[] | undefined {
  try {
    return [...rootCertificates, readFileSync(path, "utf8")];
  } catch {
    return undefined;
  }
}
