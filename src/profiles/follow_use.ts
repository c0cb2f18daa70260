import type { ProfileSettings } from "../connection/profile.ts";
import type { StoredProfile } from "./profile_settings.ts";

/** A setting, and the profile that it is written in. */
export interface InheritedSetting<T> {
  readonly value: T;
  /** The name of the profile that says so. */
  readonly profile: string;
}

/** The settings of a profile and of all that it uses. */
export type InheritedSettings = {
  readonly [K in keyof ProfileSettings]: InheritedSetting<NonNullable<ProfileSettings[K]>>;
};

/** Far more than anybody needs, and few enough to follow for each of thousands of profiles. */
export const MOST_STEPS = 32;

/** What came out of following a profile's `use`. */
export interface FollowedUse {
  /** The settings, each from the nearest profile that has it. */
  readonly settings: InheritedSettings;
  /**
   * The profile's name, and those of the profiles that it uses; no more than `MOST_STEPS` of them.
   */
  readonly chain: readonly string[];
  /**
   * Whether the chain comes back to where it was; its last name is then the one that came twice.
   */
  readonly circle: boolean;
}

/** Collects the settings of a profile and of those that it uses. */
export function followUse(
  name: string,
  profiles: ReadonlyMap<string, StoredProfile>,
): FollowedUse {
  const chain: string[] = [];
  const settings: Record<string, InheritedSetting<unknown>> = {};
  for (let next: string | undefined = name; next !== undefined && chain.length <= MOST_STEPS;) {
    const circle = chain.includes(next);
    chain.push(next);
    if (circle) return { settings, chain, circle };
    const { use, ...own }: StoredProfile = profiles.get(next) ?? {};
    for (const [key, value] of Object.entries(own)) settings[key] ??= { value, profile: next };
    next = use;
  }
  return { settings, chain, circle: false };
}
