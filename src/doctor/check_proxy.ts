import type { Connection } from "../connection/connection.ts";
import { describeOrigin, isFromProject } from "../connection/origin.ts";
import type { Proxy } from "../connection/proxy.ts";
import { crossesInPlain } from "../connection/server.ts";
import type { Server } from "../connection/server.ts";
import type { Environment } from "../context.ts";
import { EXIT } from "../errors.ts";
import type { Contact } from "./contact_servers.ts";
import type { Found } from "./finding.ts";

/** Says through which proxy the servers are asked. */
export function checkProxy(
  connection: Connection,
  { env, contacts }: { readonly env: Environment; readonly contacts: readonly Contact[] },
): readonly Found[] {
  const findings = new Map<string, Found>();
  for (const [index, proxy] of connection.proxies.entries()) {
    const contact = contacts[index];
    if (proxy === undefined || contact === undefined) continue;
    const finding = judge(proxy, contact, { connection, env });
    if (findings.get(proxy.host.value)?.status !== "failed") {
      findings.set(proxy.host.value, finding);
    }
  }
  if (findings.size > 0) return [...findings.values()];
  return [{ status: "ok", found: "none: requests go straight to the server" }];
}

function judge(
  proxy: Proxy,
  { server, failure, status }: Contact,
  { connection, env }: { readonly connection: Connection; readonly env: Environment },
): Found {
  const { value, origin } = proxy.host;
  const through = `requests to ${server.display} go through the proxy ${value} (${
    describeOrigin(origin)
  })`;
  const data = { proxy: value, origin: describeOrigin(origin), server: server.display };
  if (status === 407 || (failure !== undefined && failure.verdict !== "tls")) {
    return {
      status: "failed",
      found: `${through}, and no answer comes`,
      suggestion: "Unset the variable, or name the server in NO_PROXY, if it is reached without.",
      exitCode: EXIT.unavailable,
      data,
    };
  }
  const host = server.base.hostname;
  const near = nearMiss(host, connection, env);
  if (near !== undefined) {
    return {
      status: "warning",
      found:
        `${through}, although NO_PROXY lists "${near}": ADC takes that for the very host "${near}"`,
      suggestion: `List ".${near}" or "${host}" in NO_PROXY.`,
      data,
    };
  }
  if (isFromProject(origin)) {
    return {
      status: "warning",
      found: `${through}, which came along with this folder`,
      suggestion: "Take it away, unless you know the proxy.",
      data,
    };
  }
  if (isHere(server)) {
    return {
      status: "warning",
      found: `${through}, and the server is on this machine`,
      suggestion: `List "${host}" in NO_PROXY.`,
      data,
    };
  }
  return { status: "ok", found: through, data };
}

function isHere(server: Server): boolean {
  return !crossesInPlain({ ...server, base: new URL(`http://${server.base.host}`) });
}

/**
 * For curl and others `example.com` exempts `api.example.com` too, for ADC's client it does not.
 */
function nearMiss(
  host: string,
  { envFile }: Connection,
  env: Environment,
): string | undefined {
  const list = env.no_proxy || env.NO_PROXY || envFile.get("no_proxy") || envFile.get("NO_PROXY");
  return (list ?? "").toLowerCase().split(/[\s,]+/).find((entry) =>
    /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(entry) && host.endsWith(`.${entry}`)
  );
}
