/**
 * Whose token it is.
 *
 * @module
 */

import type { HttpClient } from "../connection/http.ts";
import type { Server } from "../connection/server.ts";
import type { Secret } from "../secret.ts";

/** The user that a token belongs to, as `GET /api/me` of API7 Enterprise tells. */
export interface TokenOwner {
  /** The user's name. */
  readonly username: string;
  /** The names of the user's roles. */
  readonly roles: readonly string[];
  /** Whether the user is a Super Admin, whom API7's documentation advises against for tokens. */
  readonly superAdmin: boolean;
}

/** The id of the Super Admin role. */
const SUPER_ADMIN_ROLE = "super_admin_id";

/**
 * Asks whose token it is.
 *
 * @param client What to ask with.
 * @param options The server and the token.
 * @returns The owner, or `undefined` where the server does not say: an admin key has none.
 * @throws {Error} No answer came.
 */
export async function whoAmI(
  client: HttpClient,
  { server, token }: { readonly server: Server; readonly token: Secret },
): Promise<TokenOwner | undefined> {
  const response = await client.send({ server, token, method: "GET", path: "/api/me" });
  if (response.status !== 200) return undefined;
  try {
    const { value } = JSON.parse(response.body) as {
      value?: { username?: unknown; roles?: unknown };
    };
    if (typeof value?.username !== "string") return undefined;
    const roles = (Array.isArray(value.roles) ? value.roles : []) as {
      id?: unknown;
      name?: unknown;
    }[];
    return {
      username: value.username,
      roles: roles.map(({ id, name }) => String(name ?? id)),
      superAdmin: roles.some(({ id }) => id === SUPER_ADMIN_ROLE),
    };
  } catch {
    return undefined;
  }
}
