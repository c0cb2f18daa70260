import type { Connection } from "./connection.ts";
import { describeOrigin } from "./origin.ts";
import type { Setting } from "./origin.ts";

/** The connection as data, without secrets, for `--json` and `--dry-run`. */
export function describeConnection(
  connection: Connection,
): Record<string, { readonly value: string; readonly origin: string }> {
  const { backend, server, gatewayGroup, timeout, tls, proxies, profile } = connection;
  const entry = (value: string, { origin }: Setting<unknown>) => ({
    value,
    origin: describeOrigin(origin),
  });
  const proxy = proxies.find((each) => each !== undefined);
  return {
    ...(profile && { profile: { value: profile.name, origin: profile.file } }),
    backend: entry(backend.value, backend),
    server: entry(server.value, server),
    ...(backend.value === "api7ee" && {
      gatewayGroup: entry(gatewayGroup.value, gatewayGroup),
    }),
    timeout: entry(`${timeout.value}ms`, timeout),
    ...(tls.caCertFile && { caCertFile: entry(tls.caCertFile.value.path, tls.caCertFile) }),
    ...(tls.clientCertFile && {
      tlsClientCertFile: entry(tls.clientCertFile.value.path, tls.clientCertFile),
    }),
    ...(tls.clientKeyFile && {
      tlsClientKeyFile: entry(tls.clientKeyFile.value.path, tls.clientKeyFile),
    }),
    tlsSkipVerify: entry(String(tls.skipVerify.value), tls.skipVerify),
    ...(proxy && { proxy: entry(proxy.host.value, proxy.host) }),
  };
}
