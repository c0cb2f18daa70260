/**
 * A keychain in memory.
 *
 * @module
 */

import type { Keychain } from "../../src/context.ts";
import { Secret } from "../../src/secret.ts";
import { KeychainError } from "../../src/token/keychain.ts";
import type { KeychainFailure } from "../../src/token/keychain.ts";

/** A keychain that tells what it was asked. */
export interface FakeKeychain extends Keychain {
  /** The accounts that were read, in order. */
  readonly asked: readonly string[];
  /** The entries as they are. */
  readonly entries: ReadonlyMap<string, string>;
}

/**
 * Makes a keychain.
 *
 * @param entries Passwords by account.
 * @param options How it fails, and from which account on; or that it never answers.
 * @returns The keychain.
 */
export function fakeKeychain(
  entries: Readonly<Record<string, string>> = {},
  { failure, at, silent = false }: {
    readonly failure?: KeychainFailure;
    readonly at?: string;
    readonly silent?: boolean;
  } = {},
): FakeKeychain {
  const map = new Map(Object.entries(entries));
  const asked: string[] = [];
  function answer<T>(account: string, value: () => T): Promise<T> {
    if (silent) return new Promise(() => {});
    if (failure !== undefined && (at === undefined || at === account)) {
      return Promise.reject(new KeychainError(failure, `it is ${failure}`));
    }
    return Promise.resolve(value());
  }
  return {
    asked,
    entries: map,
    get: (account) => {
      asked.push(account);
      return answer(account, () => {
        const password = map.get(account);
        return password === undefined ? undefined : new Secret(password);
      });
    },
    set: (account, password) => answer(account, () => void map.set(account, password.reveal())),
    delete: (account) => answer(account, () => map.delete(account)),
  };
}
