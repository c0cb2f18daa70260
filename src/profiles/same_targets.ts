import type { Profile } from "../connection/profile.ts";

/** Finds profiles with the same backend, server and gateway group. */
export function sameTargets(
  profiles: readonly Pick<Profile, "name" | "backend" | "server" | "gatewayGroup">[],
): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const { name, backend, server, gatewayGroup } of profiles) {
    if (server === undefined) continue;
    const bases = server.split(",").map((each) => new URL(each.trim()).href.replace(/\/+$/, ""));
    // ADC's own defaults.
    const target = JSON.stringify([backend ?? "apisix", bases, gatewayGroup ?? "default"]);
    groups.set(target, [...groups.get(target) ?? [], name]);
  }
  return [...groups.values()].filter((names) => names.length > 1);
}
