import type { Connection } from "../connection/connection.ts";
import { describeOrigin } from "../connection/origin.ts";
import type { Server } from "../connection/server.ts";
import { judgeFailure } from "./network_failure.ts";
import type { NetworkFailure } from "./network_failure.ts";

/**
 * Judges a failed request by its error, by the proxy in between, and, where TLS may be the reason, by a
 * second handshake.
 */
export async function explainFailure(
  error: unknown,
  { connection, server }: { readonly connection: Connection; readonly server: Server },
): Promise<NetworkFailure> {
  const failure = judgeFailure(error, connection.timeout.value);
  const proxy = connection.proxies[connection.servers.indexOf(server)];
  if (proxy !== undefined && failure.verdict === "unreachable") {
    const suggestion = `The request goes through the proxy ${proxy.host.value}, which ` +
      `${describeOrigin(proxy.host.origin)} names. Look at it, and at NO_PROXY.`;
    return { ...failure, suggestion };
  }
  const unclear = failure.verdict === "tls" || failure.cutOff === true;
  if (server.base.protocol !== "https:" || proxy !== undefined || !unclear) return failure;
  const { diagnoseTls } = await import("./tls_diagnosis.ts");
  return await diagnoseTls(server, connection) ?? failure;
}
