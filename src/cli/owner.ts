import type { User } from "../admin_api/shapes.ts";
import type { Connection } from "../connection/connection.ts";
import { isAdminKey } from "../secret.ts";
import type { Secret } from "../secret.ts";
import type { Reporter } from "./report.ts";

/** Asks whose token it is, and warns about the Super Admin. Not knowing is no failure. */
export async function findOwner(
  connection: Connection,
  token: Secret,
  { reporter }: { readonly reporter: Reporter },
): Promise<User | undefined> {
  if (connection.backend.value !== "api7ee" || isAdminKey(token)) return undefined;
  const { AdminApi } = await import("../admin_api/admin_api.ts");
  const api = await AdminApi.open(connection, { token });
  try {
    const owner = await api.me();
    warnOfSuperAdmin(owner, reporter);
    return owner;
  } catch {
    return undefined;
  } finally {
    await api.close();
  }
}

/** Warns of the role that API7's documentation advises against for tokens. */
export function warnOfSuperAdmin({ superAdmin, username }: User, reporter: Reporter): void {
  if (!superAdmin) return;
  reporter.warn(
    `The token belongs to "${username}", a Super Admin. Make tokens as a user who may do only what ADC needs.`,
  );
}

/** Names an owner for a message. */
export function describeOwner(owner: User): string {
  return `${owner.username} (roles: ${owner.roles.join(", ") || "none"})`;
}
