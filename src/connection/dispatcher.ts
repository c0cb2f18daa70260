/**
 * undici's dispatcher for a server, with or without a proxy in between.
 *
 * @module
 */

import type { Dispatcher } from "undici";
import type { Connection } from "./connection.ts";
import type { Proxy } from "./proxy.ts";
import type { Server } from "./server.ts";
import { tlsOptions } from "./tls.ts";

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
  const ProxyAgent = await proxyAgent();
  return new ProxyAgent({
    uri: proxy.url.reveal(),
    requestTls: connect,
    // axios, like most clients, sends a plain request to the proxy itself and asks for a tunnel only
    // where the request is encrypted.
    proxyTunnel: server.base.protocol === "https:",
  });
}

/**
 * undici's agent for proxies, without the rest of undici: loading all of it takes three times as long, and
 * Bun has an undici of its own in its place, which knows no proxies.
 */
async function proxyAgent(): Promise<typeof import("undici").ProxyAgent> {
  const [{ default: ProxyAgent }, { default: connect }, { default: Base }] = await Promise.all([
    import("undici/lib/dispatcher/proxy-agent.js") as unknown as Promise<
      { default: typeof import("undici").ProxyAgent }
    >,
    import("undici/lib/api/api-connect.js") as unknown as Promise<
      { default: Dispatcher["connect"] }
    >,
    import("undici/lib/dispatcher/dispatcher.js") as unknown as Promise<
      { default: { readonly prototype: Dispatcher } }
    >,
  ]);
  // It opens tunnels by a method that undici's index adds.
  Base.prototype.connect ??= connect;
  return ProxyAgent;
}
