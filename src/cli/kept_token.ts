import type { User } from "../admin_api/shapes.ts";
import { checkToken } from "../check/check_token.ts";
import { CheckError } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import { day } from "../lifecycle/expiry.ts";
import type { KeptToken } from "../lifecycle/replace_token.ts";
import type { Secret } from "../secret.ts";
import type { Reporter } from "./report.ts";

/** Tries a token that is to be stored. */
export async function tryToken(
  token: Secret,
  { connection, reporter, signal }: {
    readonly connection: Connection;
    readonly reporter: Reporter;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const checked = await checkToken(token, { connection, signal });
  if (checked.verdict === "no-gateway-group") reporter.warn(checked.found);
  else if (checked.verdict !== "valid") throw new CheckError(checked);
}

/** A stored token as data, without the token. */
export function describeKept(
  { token, record, revoked }: KeptToken,
  { owner, warnings }: { readonly owner: User; readonly warnings: readonly string[] },
): Record<string, unknown> {
  const { storage, account, id, name, expiresAt } = record;
  return {
    stored: storage,
    accounts: [account],
    id,
    name,
    expiresAt: expiresAt ?? null,
    ...(expiresAt !== undefined && { expires: day(expiresAt) }),
    redacted: token.redacted,
    fingerprint: token.fingerprint,
    owner,
    ...(revoked !== undefined && { revoked }),
    warnings,
  };
}
