/**
 * Whose token it is, for the commands that say so.
 *
 * @module
 */

import { whoAmI } from "../admin_api/who_am_i.ts";
import type { TokenOwner } from "../admin_api/who_am_i.ts";
import type { Connection } from "../connection/connection.ts";
import { tokenPrefix } from "../secret.ts";
import type { Secret } from "../secret.ts";
import type { Reporter } from "./report.ts";

/**
 * Asks whose token it is, and warns about the Super Admin. Not knowing is no failure.
 *
 * @param connection Where to ask.
 * @param token The token.
 * @param options Who is told of a Super Admin.
 * @returns The owner; `undefined` for backends without users, for admin keys, and where no answer came.
 */
export async function findOwner(
  connection: Connection,
  token: Secret,
  { reporter }: { readonly reporter: Reporter },
): Promise<TokenOwner | undefined> {
  const [server] = connection.servers;
  const isAdminKey = tokenPrefix(token.reveal()) === "a7adm-";
  if (connection.backend.value !== "api7ee" || isAdminKey || server === undefined) return undefined;
  const { openHttpClient } = await import("../connection/http.ts");
  const client = await openHttpClient(connection);
  try {
    const owner = await whoAmI(client, { server, token });
    if (owner?.superAdmin) {
      reporter.warn(
        `The token belongs to "${owner.username}", a Super Admin. Make tokens as a user who may do only what ADC needs.`,
      );
    }
    return owner;
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}

/**
 * Names an owner for a message.
 *
 * @param owner The owner.
 * @returns For example `ci-bot (roles: Editor)`.
 */
export function describeOwner(owner: TokenOwner): string {
  return `${owner.username} (roles: ${owner.roles.join(", ") || "none"})`;
}
