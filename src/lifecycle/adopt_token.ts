import type { User } from "../admin_api/shapes.ts";
import type { Connection } from "../connection/connection.ts";
import type { Secret } from "../secret.ts";
import { dropOldToken, forgetOldTokens, noteOldTokens } from "./old_tokens.ts";
import { keepToken } from "./token_stores.ts";
import type { Place } from "./token_stores.ts";

/** Where a token is kept. */
export interface AdoptTokenOptions extends Place {
  /** Where the token is used. */
  readonly connection: Connection;
  /** The origin of the server that it is for. */
  readonly origin: string;
  /** Whose it is, where that is known. */
  readonly user?: Pick<User, "id" | "username"> | undefined;
  /** Told what a person should know, a sentence each. */
  readonly onWarning: (warning: string) => void;
}

/**
 * Stores a token, reads it back, and revokes the one that adc-run had made and stored before. The caller
 * holds the account.
 */
export async function adoptToken(
  token: Secret,
  options: AdoptTokenOptions,
): Promise<readonly string[]> {
  const { stores, storage, account, origin, user } = options;
  const { fingerprint } = token;
  const records = (await stores.state.list()).filter((record) => record.account === account);
  const same = records.find((record) => record.fingerprint === fingerprint);
  const others = records.filter((record) => record.fingerprint !== fingerprint);
  const before = await noteOldTokens(others, { stores, storage, account });
  try {
    await keepToken(token, { stores, storage, account });
  } catch (error) {
    await forgetOldTokens(before, stores);
    throw error;
  }
  await stores.state.put({
    // A token that was made here and comes back stays known.
    ...same,
    account,
    origin,
    storage,
    fingerprint,
    ...(user && { userId: user.id, user: user.username }),
  });
  const revoked: string[] = [];
  for (const old of before) {
    const { name, fingerprint: value } = old.record;
    if (await dropOldToken(old, { ...options, api: undefined })) revoked.push(name ?? value);
  }
  return revoked;
}
