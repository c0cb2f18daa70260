import type { Connection } from "../../connection/connection.ts";
import type { Context, Keychain } from "../../context.ts";
import { Secret } from "../../secret.ts";
import { KEYCHAIN_SERVICE, KeychainError, systemKeychain } from "../keychain.ts";
import type { SourceAnswer, TokenSource } from "../source.ts";
import { accountsFor, originsOf } from "../token_value.ts";

/**
 * Looks for the tokens of several servers in a store; each has its own entry, and all must be there.
 */
export async function findStored(
  store: Pick<Keychain, "get">,
  { connection, place, detail }: {
    readonly connection: Connection;
    readonly place: string;
    readonly detail: (accounts: string) => string;
  },
): Promise<SourceAnswer> {
  const { servers } = connection;
  const tokens = new Map<string, { readonly account: string; readonly token: Secret }>();
  for (const origin of originsOf(servers)) {
    const accounts = accountsFor(origin, connection);
    for (const account of accounts) {
      const token = await store.get(account);
      if (token === undefined) continue;
      tokens.set(origin, { account, token });
      break;
    }
    if (!tokens.has(origin)) {
      const reason = connection.profile?.explicit
        ? `profile "${connection.profile.name}" has no token of its own in ${place}`
        : `${place} has no entry for ${accounts.join(" or ")}`;
      return { status: "absent", reason };
    }
  }
  const found = [...tokens.values()];
  const [first, ...others] = found;
  const token = others.length === 0 && first !== undefined
    ? first.token
    : new Secret(servers.map(({ origin }) => tokens.get(origin)!.token.reveal()).join(","));
  return {
    status: "found",
    token,
    detail: detail(found.map(({ account }) => account).join(", ")),
  };
}

interface KeychainSourceOptions extends Pick<Context, "keychain"> {
  /** How long the keychain may take, in milliseconds. @default 5_000 */
  readonly timeout?: number;
}

/**
 * The source `keychain`: service `adc-run`, account the server's origin, or first `PROFILE@ORIGIN` where a
 * profile is in force; the bare token as the password.
 *
 * With several servers (`apisix-standalone`) each has its own entry, and all of them must be there.
 */
export function keychainSource(options: KeychainSourceOptions = {}): TokenSource {
  const { keychain = systemKeychain(), timeout = 5_000 } = options;
  return {
    name: "keychain",
    timeoutMs: timeout,
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
    return { status: "absent", reason: `no keychain: ${error.message}` };
  }
  return {
    status: "broken",
    reason: `the keychain failed: ${error.message}`,
    suggestion: error.suggestion ??
      (error.failure === "locked"
        ? "Unlock it, or skip it with --source."
        : "Skip it with --source, or find out why it fails."),
    cause: error,
  };
}
