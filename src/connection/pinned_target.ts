import { flagOr, lookUp, profileValue, wrongValue } from "./layers.ts";
import type { Layers } from "./layers.ts";
import { describeOrigin } from "./origin.ts";
import type { Setting } from "./origin.ts";
import type { Profile } from "./profile.ts";
import { readServers, withoutUserinfo } from "./server.ts";

/** What makes up a target. */
export interface TargetSettings {
  /** As given, in the flag, the environment, `.env` or the profile. */
  readonly backend: Setting<string> | undefined;
  readonly server: Setting<string> | undefined;
  readonly gatewayGroup: Setting<string> | undefined;
  readonly profile: Profile | undefined;
  /** Where the profile's other values are looked up. */
  readonly layers: Layers;
  /** What a person should know, a sentence each. */
  readonly warnings: readonly string[];
}

/** The flags that name a target. */
export interface TargetFlags {
  readonly backend?: string;
  readonly server?: string;
  readonly gatewayGroup?: string;
}

/**
 * Finds out which target is meant.
 *
 * A flag may differ from the profile; where it names another server, the profile is no longer in force for
 * the token. A `.env` file may not, nor may the environment where the profile was named for this run. A
 * profile that is merely used by default gives way to a server in the environment.
 */
export function readTarget(flags: TargetFlags, layers: Layers): TargetSettings {
  const { profile } = layers;
  if (profile !== undefined && isElsewhere(profile, layers)) {
    return {
      ...readTarget(flags, { env: layers.env, files: layers.files }),
      warnings: [
        `The profile "${profile.name}" is passed over: ADC_SERVER names another server than its ${profile.server}.`,
      ],
    };
  }
  const server = pinned("server", flags, layers);
  const moved = profile?.server !== undefined && server !== undefined &&
    !isSameServer(server.value, profile.server);
  return {
    server,
    backend: pinned("backend", flags, layers),
    gatewayGroup: pinned("gatewayGroup", flags, layers),
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

const NAMES = {
  server: { flag: "--server", variable: "ADC_SERVER", what: "server" },
  backend: { flag: "--backend", variable: "ADC_BACKEND", what: "backend" },
  gatewayGroup: {
    flag: "--gateway-group",
    variable: "ADC_GATEWAY_GROUP",
    what: "gateway group",
  },
} as const;

function pinned(
  key: keyof typeof NAMES,
  flags: TargetFlags,
  layers: Layers,
): Setting<string> | undefined {
  const { flag, variable, what } = NAMES[key];
  const setting = flagOr({ name: flag, value: flags[key] }, { layers, variable, key });
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
