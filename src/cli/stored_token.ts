/**
 * Tokens into the keychain and out of it, for the commands that do so on request.
 *
 * @module
 */

import { messageOf, SourceError } from "../errors.ts";
import { KEYCHAIN_SERVICE, KeychainError, systemKeychain } from "../token/keychain.ts";
import type { Keychain } from "../token/keychain.ts";
import type { Secret } from "../secret.ts";

/** Writing may make the keychain ask for its password, so there is time to type. */
const TIME_LIMIT = 30_000;

/**
 * Stores tokens and reads them back.
 *
 * @param tokens The token for each account, a server's origin.
 * @param keychain The keychain; by default the system's.
 * @throws {SourceError} There is no keychain, it is locked, it does not answer, or it forgot the token.
 */
export async function storeTokens(
  tokens: ReadonlyMap<string, Secret>,
  keychain: Keychain = systemKeychain(),
): Promise<void> {
  for (const [account, token] of tokens) {
    await attempt("store the token in", () => keychain.set(account, token));
    const stored = await attempt("read the token back from", () => keychain.get(account));
    if (stored?.reveal() !== token.reveal()) {
      throw new SourceError(
        "keychain",
        `Cannot store the token for ${account} in the keychain: it did not keep it`,
      );
    }
  }
}

/**
 * Removes tokens.
 *
 * @param accounts The accounts, each a server's origin.
 * @param keychain The keychain; by default the system's.
 * @returns The accounts that had a token.
 * @throws {SourceError} There is no keychain, it is locked, or it does not answer.
 */
export async function removeTokens(
  accounts: readonly string[],
  keychain: Keychain = systemKeychain(),
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const account of accounts) {
    const was = await attempt("remove the token from", () => keychain.delete(account));
    if (was) removed.push(account);
  }
  return removed;
}

/**
 * Names entries for a message.
 *
 * @param accounts The accounts.
 * @returns For example `service "adc-run", account "https://host:7443"`.
 */
export function describeEntries(accounts: Iterable<string>): string {
  const names = [...accounts].map((account) => `"${account}"`).join(" and ");
  return `the keychain (service "${KEYCHAIN_SERVICE}", account ${names})`;
}

async function attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new KeychainError("silent", `it did not answer within ${TIME_LIMIT / 1000} s`)),
      TIME_LIMIT,
    );
  });
  try {
    return await Promise.race([call(), limit]);
  } catch (cause) {
    const missing = cause instanceof KeychainError && cause.failure === "unavailable";
    throw new SourceError("keychain", `Cannot ${what} the keychain: ${messageOf(cause)}`, {
      suggestion: missing
        ? "Without a keychain, keep the token where ADC_TOKEN_FILE or ADC_TOKEN_COMMAND finds it."
        : "Unlock it and try again.",
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}
