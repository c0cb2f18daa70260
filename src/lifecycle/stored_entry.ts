import type { Secret } from "../secret.ts";
import type { Storage, TokenRecord } from "../store/state.ts";
import { isMissingKeychain, storedToken } from "./token_stores.ts";
import type { TokenStores } from "./token_stores.ts";

/** A stored token. */
export interface StoredEntry {
  readonly token: Secret;
  readonly storage: Storage;
  /** What is known of it; `undefined` where it was stored by other means. */
  readonly record: TokenRecord | undefined;
}

/** Finds the stored token that a run would take: the file comes before the keychain. */
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
