import { wrongValue } from "./layers.ts";
import type { Connection } from "./connection.ts";
import { cameAlong, describeOrigin } from "./origin.ts";
import type { Environment } from "./origin.ts";
import type { Profile } from "./profile.ts";
import type { Proxy } from "./proxy.ts";
import type { Tls } from "./tls.ts";

/**
 * Tells whether what came along with a cloned repository sees what is sent to a server that somebody else
 * named: through a proxy of its own that a certificate of its own, or none, lets into the connection.
 */
export function divertedBy(
  { servers, proxies, tls }: Pick<Connection, "servers" | "proxies" | "tls">,
): string | undefined {
  const unverified = (tls.skipVerify.value && cameAlong(tls.skipVerify.origin)) ||
    (tls.caCertFile !== undefined && cameAlong(tls.caCertFile.origin));
  const proxy = proxies.find((each, index) =>
    each !== undefined && cameAlong(each.host.origin) &&
    (unverified || servers[index]!.base.protocol === "http:")
  );
  return proxy && describeOrigin(proxy.host.origin);
}

/**
 * Where the servers are pinned, by `ADC_RUN_ALLOWED_SERVERS` or by a profile of the user's own, what came
 * along with a cloned repository must not lead the token past them: through a proxy of its own, or to
 * whoever shows a certificate that it vouches for.
 */
export function refuseDetours({ env, profile, tls, proxies }: {
  readonly env: Environment;
  readonly profile: Profile | undefined;
  readonly tls: Tls;
  readonly proxies: readonly (Proxy | undefined)[];
}): void {
  const own = profile?.server !== undefined && !profile.project;
  const pin = env.ADC_RUN_ALLOWED_SERVERS !== undefined
    ? "ADC_RUN_ALLOWED_SERVERS is set"
    : own
    ? `the profile "${profile.name}" pins its server`
    : undefined;
  if (pin === undefined) return;
  const settings = [
    ...proxies.map((proxy) => proxy?.host),
    tls.skipVerify,
    tls.caCertFile,
  ];
  for (const setting of settings) {
    if (setting === undefined || !cameAlong(setting.origin)) continue;
    throw wrongValue(setting.origin, `${pin}, and a file may not lead past it`, {
      suggestion: "Set it in the environment, as a flag, or in your own profile, if it is meant. " +
        "No token was sent.",
    });
  }
}
