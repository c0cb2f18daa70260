import { join } from "node:path";
import type { Context } from "../context.ts";
import type { Secret } from "../secret.ts";
import { storeFolder } from "../store/private_path.ts";
import type { Storage, TokenRecord } from "../store/state.ts";
import { TOKEN_FILE, tokenFile } from "../store/token_file.ts";
import { KEYCHAIN_SERVICE } from "../token/keychain.ts";
import type { TokenSource } from "../token/source.ts";
import { findStored } from "../token/sources/stored.ts";
import { isMissingKeychain, storedToken, type TokenStores } from "./token_stores.ts";

/**
 * The source `store`: the file that `adc-run auth login --storage file` keeps tokens in, under the user's
 * configuration folder.
 */
export function storeSource({ env }: Pick<Context, "env">): TokenSource {
  return {
    name: "store",
    timeoutMs: 5_000,
    find: async ({ connection }) => {
      const folder = storeFolder(env);
      const place = join(folder, TOKEN_FILE);
      // Errors say by themselves which file it is and what is wrong with it.
      return await findStored(tokenFile(folder), {
        connection,
        place,
        detail: (accounts) => `${place}, account "${accounts}"`,
      });
    },
  };
}

/**
 * Where tokens are stored: the source that finds them there, and what a message calls the place.
 */
export const STORAGES: Readonly<
  Record<Storage, { readonly source: string; readonly place: (folder: string) => string }>
> = {
  keychain: {
    source: "keychain",
    place: () => `the keychain (service "${KEYCHAIN_SERVICE}", account `,
  },
  file: { source: "store", place: (folder) => `the file ${join(folder, TOKEN_FILE)} (account ` },
};

export function describeEntries(
  accounts: readonly string[],
  { storage, folder }: { readonly storage: Storage; readonly folder: string },
): string {
  const names = accounts.map((account) => `"${account}"`).join(" and ");
  return `${STORAGES[storage].place(folder)}${names})`;
}

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
