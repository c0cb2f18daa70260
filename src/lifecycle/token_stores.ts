import { join } from "node:path";
import type { Context, Keychain } from "../context.ts";
import { messageOf, SourceError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type Journal, openJournal } from "../store/journal.ts";
import { storeFolder } from "../store/private_path.ts";
import { openState, type Storage, type TokenRecord, type TokenState } from "../store/state.ts";
import { DamagedFileError } from "../store/store_error.ts";
import { TOKEN_FILE, tokenFile } from "../store/token_file.ts";
import { deadline, unlessAborted } from "../system/deadline.ts";
import { KEYCHAIN_SERVICE, KeychainError, systemKeychain } from "../token/keychain.ts";

export interface TokenStores {
  readonly folder: string;
  readonly keychain: Keychain;
  readonly file: Keychain;
  /** What is known of the stored tokens; no secrets. */
  readonly state: TokenState;
  /** Tokens that may be alive without being stored; no secrets. */
  readonly journal: Journal;
}

/** Opens the stores; nothing is read or made yet. */
export function openTokenStores(
  { env, keychain = systemKeychain(env), onWarning }: Pick<
    Context,
    "env" | "keychain" | "onWarning"
  >,
): TokenStores {
  const folder = storeFolder(env);
  return {
    folder,
    keychain,
    file: tokenFile(folder, { onWarning }),
    state: openState(folder, { onWarning }),
    journal: openJournal(folder, { onWarning }),
  };
}

/** Where tokens are stored: the source that finds them there, and what a message calls the place. */
export const STORAGES: Readonly<
  Record<Storage, { readonly source: string; readonly place: (folder: string) => string }>
> = {
  keychain: {
    source: "keychain",
    place: () => `the keychain (service "${KEYCHAIN_SERVICE}", account `,
  },
  file: { source: "store", place: (folder) => `the file ${join(folder, TOKEN_FILE)} (account ` },
};

export function titleOf(storage: Storage): string {
  return storage === "file" ? "file store" : "keychain";
}

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

export interface Place {
  readonly stores: TokenStores;
  readonly storage: Storage;
  readonly account: string;
}

/** Stores a token and reads it back. A store that fails half-way gets back what it had. */
export async function keepToken(token: Secret, place: Place): Promise<void> {
  const { stores, storage, account } = place;
  const write = (value: Secret) =>
    attempt("store the token in", storage, () => stores[storage].set(account, value));
  const before = await previousToken(place);
  const putBack = async () => {
    const now = await storedToken(place);
    if (now?.fingerprint === before?.fingerprint) return;
    if (before === undefined) await forgetToken(place);
    else await write(before);
  };
  try {
    await write(token);
    const kept = await storedToken(place, "read the token back from");
    if (kept?.reveal() === token.reveal()) return;
    throw new SourceError(
      storage,
      `Cannot store the token for ${account} in the ${storage}: it is not there afterwards`,
    );
  } catch (error) {
    await putBack().catch((reason) => {
      const lost = `the previous entry could not be restored (${messageOf(reason)})`;
      throw new SourceError(storage, `${messageOf(error)}; ${lost}`, { cause: error });
    });
    throw error;
  }
}

/** Reads the token that is about to be replaced. A damaged file has none: writing sets it aside, and says so. */
export async function previousToken(place: Place): Promise<Secret | undefined> {
  try {
    return await storedToken(place, "store the token in");
  } catch (error) {
    if (error instanceof DamagedFileError) return undefined;
    throw error;
  }
}

/** Reads a stored token, with time to unlock the keychain. */
export async function storedToken(
  { stores, storage, account }: Place,
  what: string = "read the token from",
): Promise<Secret | undefined> {
  const token = await attempt(what, storage, () => stores[storage].get(account));
  // Somebody may have put it there by hand.
  return token && new Secret(token.reveal().trim());
}

export async function forgetToken({ stores, storage, account }: Place): Promise<boolean> {
  return await attempt("remove the token from", storage, () => stores[storage].delete(account));
}

/** Tells a machine without a keychain from one whose keychain is locked or fails. */
export function isMissingKeychain(error: unknown): boolean {
  return error instanceof SourceError && error.cause instanceof KeychainError &&
    error.cause.failure === "unavailable";
}

/** Writing may make the keychain ask for its password, so there is time to type. */
const TIME_LIMIT = 30_000;

async function attempt<T>(what: string, storage: Storage, call: () => Promise<T>): Promise<T> {
  // The file store says by itself what is wrong with it, and has a time limit of its own.
  if (storage === "file") return await call();
  const limit = deadline(TIME_LIMIT);
  try {
    return await unlessAborted(call(), limit.signal);
  } catch (error) {
    const cause = limit.signal.aborted
      ? new KeychainError("silent", `no response within ${TIME_LIMIT / 1000} s`)
      : error;
    throw new SourceError("keychain", `Cannot ${what} the keychain: ${messageOf(cause)}`, {
      suggestion: suggestionFor(cause, what),
      cause,
    });
  } finally {
    limit.clear();
  }
}

function suggestionFor(error: unknown, what: string): string | undefined {
  const { failure, suggestion } = error instanceof KeychainError
    ? error
    : { failure: "failed" as const };
  if (suggestion !== undefined) return suggestion;
  if (failure === "locked") return "Unlock it and try again.";
  if (failure === "silent") return "It may be waiting for you to unlock it. Then try again.";
  if (failure === "failed") return "The system log may say why.";
  return what.startsWith("store")
    ? "Without a keychain, use --storage file: a file that only you can read."
    : undefined;
}
