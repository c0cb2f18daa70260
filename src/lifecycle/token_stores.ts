import type { Context, Keychain } from "../context.ts";
import { messageOf, SourceError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type Journal, openJournal } from "../store/journal.ts";
import { storeFolder } from "../store/private_path.ts";
import { openState, type Storage, type TokenState } from "../store/state.ts";
import { DamagedFileError } from "../store/store_error.ts";
import { tokenFile } from "../store/token_file.ts";
import { deadline, unlessAborted } from "../system/deadline.ts";
import { KeychainError, systemKeychain } from "../token/keychain.ts";

/** Where adc-run keeps what it has to remember. */
export interface TokenStores {
  readonly folder: string;
  readonly keychain: Keychain;
  readonly file: Keychain;
  /** What is known of the stored tokens; no secrets. */
  readonly state: TokenState;
  /** Tokens that may be alive without being stored; no secrets. */
  readonly journal: Journal;
}

interface TokenStoresOptions extends Pick<Context, "env" | "keychain" | "onWarning"> {
}

/** Opens the stores; nothing is read or made yet. */
export function openTokenStores(options: TokenStoresOptions): TokenStores {
  const { env, keychain = systemKeychain(), onWarning } = options;
  const folder = storeFolder(env);
  return {
    folder,
    keychain,
    file: tokenFile(folder, { onWarning }),
    state: openState(folder, { onWarning }),
    journal: openJournal(folder, { onWarning }),
  };
}

/** Writing may make the keychain ask for its password, so there is time to type. */
const TIME_LIMIT = 30_000;

export interface Place {
  readonly stores: TokenStores;
  readonly storage: Storage;
  readonly account: string;
}

/** Stores a token and reads it back. A store that fails half-way gets back what it had. */
export async function keepToken(token: Secret, place: Place): Promise<void> {
  const { storage, account } = place;
  const before = await previousToken(place);
  try {
    await write(token, place);
    const kept = await storedToken(place, "read the token back from");
    if (kept?.reveal() === token.reveal()) return;
    throw new SourceError(
      storage,
      `Cannot store the token for ${account} in the ${storage}: it is not there afterwards`,
    );
  } catch (error) {
    await putBack(before, place).catch((reason) => {
      const lost = `the previous entry could not be restored (${messageOf(reason)})`;
      throw new SourceError(storage, `${messageOf(error)}; ${lost}`, { cause: error });
    });
    throw error;
  }
}

/**
 * Reads the token that is about to be replaced. A damaged file has none: writing sets it aside, and says so.
 */
export async function previousToken(place: Place): Promise<Secret | undefined> {
  try {
    return await storedToken(place, "store the token in");
  } catch (error) {
    if (error instanceof DamagedFileError) return undefined;
    throw error;
  }
}

async function putBack(before: Secret | undefined, place: Place): Promise<void> {
  const now = await storedToken(place);
  if (now?.fingerprint === before?.fingerprint) return;
  if (before === undefined) await forgetToken(place);
  else await write(before, place);
}

async function write(token: Secret, { stores, storage, account }: Place): Promise<void> {
  await attempt("store the token in", storage, () => stores[storage].set(account, token));
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

/** Removes a token; tells whether there was one. */
export async function forgetToken({ stores, storage, account }: Place): Promise<boolean> {
  return await attempt("remove the token from", storage, () => stores[storage].delete(account));
}

/** Tells a machine without a keychain from one whose keychain is locked or fails. */
export function isMissingKeychain(error: unknown): boolean {
  return error instanceof SourceError && error.cause instanceof KeychainError &&
    error.cause.failure === "unavailable";
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
