/**
 * The stored token of an account, wherever it is kept.
 *
 * @module
 */

import type { Secret } from "../secret.ts";
import type { Storage, TokenRecord } from "../store/state.ts";
import { isMissingKeychain, storedToken } from "./token_stores.ts";
import type { TokenStores } from "./token_stores.ts";

/** A stored token. */
export interface StoredEntry {
  /** The token. */
  readonly token: Secret;
  /** In which of the stores. */
  readonly storage: Storage;
  /** What is known of it; `undefined` where it was stored by other means. */
  readonly record: TokenRecord | undefined;
}

/**
 * Finds the stored token that a run would take: the file comes before the keychain.
 *
 * @param account The account, a server's origin.
 * @param stores The stores.
 * @returns The token, or `undefined` where none is stored.
 * @throws {SourceError} The keychain cannot be asked.
 * @throws {StoreError} The file cannot be read.
 */
export async function findStoredToken(
  account: string,
  stores: TokenStores,
): Promise<StoredEntry | undefined> {
  for (const storage of ["file", "keychain"] as const) {
    const records = (await stores.state.list()).filter((each) =>
      each.account === account && each.storage === storage
    );
    const token = await storedToken({ stores, storage, account }).catch((error: unknown) => {
      // Nothing was ever stored in a keychain that is not there.
      if (records.length === 0 && isMissingKeychain(error)) return undefined;
      throw error;
    });
    if (token === undefined) continue;
    const record = records.find(({ fingerprint }) => fingerprint === token.fingerprint);
    return { token, storage, record };
  }
  return undefined;
}
