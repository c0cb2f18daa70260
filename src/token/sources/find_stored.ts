import type { Connection } from "../../connection/connection.ts";
import { divertedBy } from "../../connection/detours.ts";
import { EXIT } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { accountsFor, originsOf } from "../accounts.ts";
import type { Keychain } from "../keychain.ts";
import type { SourceAnswer } from "../source.ts";

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
  const detour = divertedBy(connection);
  if (detour !== undefined) {
    return {
      status: "broken",
      reason:
        `the token in ${place} is for ${originsOf(servers).join(", ")} alone, and ${detour} ` +
        "would let a proxy read it",
      suggestion: "Set the proxy in the environment, if it is meant. No token was sent.",
      exitCode: EXIT.config,
    };
  }
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
      return { status: "absent", reason: `${place} has no entry for ${accounts.join(" or ")}` };
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
