import type { Keychain } from "../../src/context.ts";

/** What happens in the place of a call, by the call's number; the first is 1. */
type Moods = Readonly<Record<number, () => Promise<undefined>>>;

/**
 * Makes a keychain of which some calls go another way.
 *
 * @param keychain The keychain that answers the other calls.
 * @param moods Which calls, and what happens.
 * @returns The keychain.
 */
export function moodyKeychain(
  keychain: Keychain,
  { get = {}, set = {} }: { readonly get?: Moods; readonly set?: Moods },
): Keychain {
  const calls = { get: 0, set: 0 };
  return {
    ...keychain,
    get: (account) => get[++calls.get]?.() ?? keychain.get(account),
    set: (account, token) => set[++calls.set]?.() ?? keychain.set(account, token),
  };
}
