import { KEYCHAIN_SERVICE, KeychainError, systemKeychain } from "../keychain.ts";
import type { Keychain } from "../keychain.ts";
import type { SourceAnswer, TokenSource } from "../source.ts";
import { findStored } from "./find_stored.ts";

/** Which keychain the source `keychain` asks. */
export interface KeychainSourceOptions {
  /**
   * The keychain.
   *
   * @default the system's
   */
  readonly keychain?: Keychain;
  /**
   * How long the keychain may take, in milliseconds.
   *
   * @default 5_000
   */
  readonly timeout?: number;
}

/**
 * The source `keychain`: service `adc-run`, account the server's origin, or first `PROFILE@ORIGIN` where a
 * profile is in force; the bare token as the password.
 *
 * With several servers (`apisix-standalone`) each has its own entry, and all of them must be there.
 *
 * @param options The keychain and its time limit.
 * @returns The source.
 *
 * @example
 * ```ts
 * import { keychainSource, resolveConnection, resolveToken, Secret } from "@adc-run/adc-run";
 * import type { Keychain } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const keychain: Keychain = {
 *   get: (account) => Promise.resolve(new Secret(`token-for-${account}`)),
 *   set: () => Promise.resolve(),
 *   delete: () => Promise.resolve(false),
 * };
 * const connection = await resolveConnection({ env: {}, cwd: "/nowhere" });
 * const sources = [keychainSource({ keychain })];
 * const { token } = await resolveToken({ connection, sources });
 * assert.equal(token.reveal(), "token-for-http://localhost:9180");
 * ```
 */
export function keychainSource(options: KeychainSourceOptions = {}): TokenSource {
  const { keychain = systemKeychain(), timeout = 5_000 } = options;
  return {
    name: "keychain",
    timeout,
    whenSlow: "It may be waiting for you to unlock it.",
    find: async ({ connection }) => {
      try {
        return await findStored(keychain, {
          connection,
          place: "the keychain",
          detail: (accounts) => `service "${KEYCHAIN_SERVICE}", account "${accounts}"`,
        });
      } catch (error) {
        return whenItFails(error);
      }
    },
  };
}

/** No keychain is no token; a keychain that keeps its entries to itself is something to mend. */
function whenItFails(error: unknown): SourceAnswer {
  if (!(error instanceof KeychainError)) throw error;
  if (error.failure === "unavailable") {
    return { status: "absent", reason: `there is no keychain: ${error.message}` };
  }
  return {
    status: "broken",
    reason: `the keychain failed: ${error.message}`,
    suggestion: error.failure === "locked"
      ? "Unlock it, or leave it out with --source."
      : "Leave it out with --source, or see why it fails.",
    cause: error,
  };
}
