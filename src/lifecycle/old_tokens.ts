import { AdminApi } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand } from "../connection/origin.ts";
import type { HttpDispatcher } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { forgetToken, type Place, previousToken, type TokenStores } from "./token_stores.ts";

/** A token that is about to be replaced. */
export interface OldToken {
  readonly record: TokenRecord;
  /** Its entry in the journal; `undefined` where adc-run did not make it. */
  readonly key: string | undefined;
  /** Whether the session cannot revoke it: another user made it, or nobody logged in. */
  readonly foreign: boolean;
  /** Its value, where it has to revoke itself; `undefined` where that is no longer stored. */
  readonly value: Secret | undefined;
}

/**
 * Notes in the journal that the old tokens are to be revoked. As long as one of them is the stored token,
 * the entry has no effect.
 */
export async function noteOldTokens(
  records: readonly TokenRecord[],
  { stores, storage, account, userId: sessionOf }: Place & { readonly userId?: string | undefined },
): Promise<readonly OldToken[]> {
  const before: OldToken[] = [];
  try {
    for (const record of records) {
      before.push(await noteOldToken(record, { stores, storage, account, userId: sessionOf }));
    }
  } catch (error) {
    await forgetOldTokens(before, stores);
    throw error;
  }
  return before;
}

async function noteOldToken(
  record: TokenRecord,
  { stores, storage, account, userId: sessionOf }: Place & { readonly userId: string | undefined },
): Promise<OldToken> {
  const { id, userId, name = "", fingerprint, origin, expiresAt } = record;
  // A keychain that cannot be asked must not keep anybody from storing a token in a file.
  const stored = await previousToken({ stores, storage: record.storage, account }).catch(
    (error) => {
      if (record.storage === storage) throw error;
      return undefined;
    },
  );
  const entry = id === undefined || userId === undefined ? undefined : await stores.journal.add({
    kind: "mint",
    origin,
    userId,
    name,
    id,
    fingerprint,
    account,
    storage: record.storage,
    ...(expiresAt !== undefined && { expiresAt }),
  });
  const foreign = userId === undefined || userId !== sessionOf;
  const value = foreign && stored?.fingerprint === fingerprint ? stored : undefined;
  return { record, key: entry?.key, foreign, value };
}

/**
 * Takes the notes back: the old tokens stay. A note that stays has no effect as long as its token is stored.
 */
export async function forgetOldTokens(
  before: readonly OldToken[],
  { journal }: TokenStores,
): Promise<void> {
  for (const { key } of before) if (key !== undefined) await journal.remove(key).catch(() => {});
}

/**
 * Revokes an old token, and clears the other store of it. What fails is told, and left to a later run.
 */
export async function dropOldToken(
  { record, key, foreign, value }: OldToken,
  { api, connection, dispatcher, stores, storage, account, onWarning }: Place & {
    readonly api: AdminApi | undefined;
    readonly connection: Connection;
    readonly dispatcher?: HttpDispatcher | undefined;
    readonly onWarning: (warning: string) => void;
  },
): Promise<boolean> {
  const { id, name = record.fingerprint, user } = record;
  try {
    if (id === undefined) {
      await forgetElsewhere();
      return false;
    }
    if (!foreign) await api?.revokeToken(id);
    else if (value !== undefined) await revokeBySelf(value, { id, connection, dispatcher });
    else throw new Error("it belongs to another user and is no longer stored here");
    if (key !== undefined) await stores.journal.remove(key);
    await forgetElsewhere();
    return true;
  } catch (error) {
    onWarning(
      `Old token "${name}"${user === undefined ? "" : ` of ${user}`} could not be revoked ` +
        `(${messageOf(error)}); the next run tries again.`,
    );
    return false;
  }

  /**
   * The token is of no use in the other store, and comes out of it as soon as that can be asked.
   */
  async function forgetElsewhere(): Promise<void> {
    if (record.storage === storage) return;
    try {
      await forgetToken({ stores, storage: record.storage, account });
      await stores.state.remove({ account, storage: record.storage });
    } catch (error) {
      onWarning(`The old token is still in the ${record.storage}: ${messageOf(error)}`);
    }
  }
}

/** Revokes a token with itself. */
export async function revokeBySelf(
  token: Secret,
  { id, connection, dispatcher, signal }: {
    readonly id: string;
    readonly signal?: AbortSignal | undefined;
    readonly connection: Connection;
    readonly dispatcher?: HttpDispatcher | undefined;
  },
): Promise<boolean> {
  const api = await AdminApi.open(connection, { token, dispatcher });
  try {
    return await api.revokeToken(id, { signal });
  } catch (error) {
    if (error instanceof AdminApiError && error.failure === "rejected") return false;
    throw error;
  } finally {
    await api.close();
  }
}

/** Says that a token was replaced and not revoked. */
export function stillValid(token: Secret, connection: Connection): string {
  return `Token ${token}, stored before, was not created by adc-run and may still be valid. ` +
    `If nothing uses it, revoke it with "${adcRunCommand("auth revoke", connection)}".`;
}
