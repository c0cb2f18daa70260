import { ADC_SETTINGS } from "../adc/settings.ts";
import type { Environment } from "../context.ts";
import type { Connection } from "./connection.ts";
import {
  describeOrigin,
  isFromProject,
  type Layers,
  lookUp,
  profileValue,
  readSetting,
  type Setting,
  wrongValue,
} from "./origin.ts";
import type { Profile } from "./profile.ts";
import type { Proxy } from "./proxy.ts";
import { readServers, withoutUserinfo } from "./server.ts";
import type { Tls } from "./tls.ts";

/**
 * Tells whether what came along with a cloned repository sees what is sent to a server that somebody else
 * named: through a proxy of its own that a certificate of its own, or none, lets into the connection.
 */
export function untrustedProxyOf(
  { servers, proxies, tls }: Pick<Connection, "servers" | "proxies" | "tls">,
): string | undefined {
  const unverified = (tls.skipVerify.value && isFromProject(tls.skipVerify.origin)) ||
    (tls.caCertFile !== undefined && isFromProject(tls.caCertFile.origin));
  const proxy = proxies.find((each, index) =>
    each !== undefined && isFromProject(each.host.origin) &&
    (unverified || servers[index]!.base.protocol === "http:")
  );
  return proxy && describeOrigin(proxy.host.origin);
}

/**
 * Where the servers are pinned, by `ADC_RUN_ALLOWED_SERVERS` or by a profile of the user's own, what came
 * along with a cloned repository must not lead the token past them: through a proxy of its own, or to
 * whoever shows a certificate that it vouches for.
 */
export function refuseUntrustedOverrides({ env, profile, tls, proxies }: {
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
    if (setting === undefined || !isFromProject(setting.origin)) continue;
    throw wrongValue(setting.origin, `${pin}, and a file may not lead past it`, {
      suggestion: "Set it in the environment, as a flag, or in your own profile, if it is meant. " +
        "No token was sent.",
    });
  }
}

interface TargetSettings {
  /** As given, in the flag, the environment, `.env` or the profile. */
  readonly backend: Setting<string> | undefined;
  readonly server: Setting<string> | undefined;
  readonly gatewayGroup: Setting<string> | undefined;
  readonly profile: Profile | undefined;
  /** Where the profile's other values are looked up. */
  readonly layers: Layers;
  readonly warnings: readonly string[];
}

/**
 * Finds out which target is meant.
 *
 * A flag may differ from the profile; where it names another server, the profile is no longer in force for
 * the token. A `.env` file may not, nor may the environment where the profile was named for this run. A
 * profile that is merely used by default gives way to a server in the environment.
 */
export function readTarget(layers: Layers): TargetSettings {
  const { profile } = layers;
  if (profile !== undefined && isElsewhere(profile, layers)) {
    return {
      ...readTarget({ ...layers, profile: undefined }),
      warnings: [
        `The profile "${profile.name}" is ignored: ADC_SERVER names another server than its ${profile.server}.`,
      ],
    };
  }
  const server = readPinned("server", layers);
  const moved = profile?.server !== undefined && server !== undefined &&
    !isSameServer(server.value, profile.server);
  return {
    server,
    backend: readPinned("backend", layers),
    gatewayGroup: readPinned("gatewayGroup", layers),
    profile: moved ? undefined : profile,
    layers,
    warnings: moved
      ? [
        `--server names another server than the profile "${profile.name}" (${profile.server}), ` +
        "whose tokens are not used there.",
      ]
      : [],
  };
}

function readPinned(
  key: "server" | "backend" | "gatewayGroup",
  layers: Layers,
): Setting<string> | undefined {
  const setting = readSetting(key, layers);
  const { profile } = layers;
  const own = profile?.[key];
  if (profile === undefined || own === undefined || setting === undefined) return setting;
  const { origin } = setting;
  if (origin.kind === "flag" || origin.kind === "profile") return setting;
  if (key === "server" ? isSameServer(setting.value, own) : setting.value === own) {
    // The value is kept: an address may hold a password, which a profile does not.
    return { value: setting.value, origin: profileValue(profile, key)!.origin };
  }
  if (origin.kind === "environment" && !profile.explicit) return setting;
  const what = ADC_SETTINGS[key].flag.slice(2).replace("-", " ");
  throw wrongValue(
    origin,
    `it says "${
      withoutUserinfo(setting.value)
    }", and the ${what} of profile "${profile.name}" is "${own}"`,
    {
      suggestion: `Take ${describeOrigin(origin)} away, choose another profile, ` +
        "or leave the profile out with --no-profile. No token was sent.",
    },
  );
}

/** Whether the environment leads somewhere else than a profile that nobody named for this run. */
function isElsewhere(profile: Profile, layers: Layers): boolean {
  if (profile.explicit || profile.server === undefined) return false;
  const named = lookUp({ env: layers.env, files: [] }, "ADC_SERVER");
  return named !== undefined && !isSameServer(named.value, profile.server);
}

function isSameServer(one: string, other: string): boolean {
  return addressesOf(one) === addressesOf(other);
}

/** What cannot be read as an address is compared as it is, and refused elsewhere. */
function addressesOf(text: string): string {
  try {
    const origin = { kind: "default" } as const;
    return readServers({ value: text, origin }, true).map(({ display }) => display).join();
  } catch {
    return text;
  }
}
