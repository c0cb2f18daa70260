import type { AdminApi } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand } from "../connection/origin.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { withApi } from "./open_session.ts";
import { forgetToken, keepToken, type Place, previousToken } from "./token_stores.ts";

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
 * Stores a token in the place of others, once the journal says that these are to be revoked: as long as one of
 * them is the stored token, its entry has no effect.
 */
export async function keepInstead(
  token: Secret,
  records: readonly TokenRecord[],
  { userId, ...place }: Place & { readonly userId?: string | undefined },
): Promise<readonly OldToken[]> {
  const before: OldToken[] = [];
  try {
    for (const record of records) before.push(await noteOldToken(record, { ...place, userId }));
    await keepToken(token, place);
    return before;
  } catch (error) {
    // A note that stays has no effect either.
    for (const { key } of before) {
      if (key !== undefined) await place.stores.journal.remove(key).catch(() => {});
    }
    throw error;
  }
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
    expiresAt,
  });
  const foreign = userId === undefined || userId !== sessionOf;
  const value = foreign && stored?.fingerprint === fingerprint ? stored : undefined;
  return { record, key: entry?.key, foreign, value };
}

interface DropOptions extends Place, Pick<Context, "dispatcher" | "onWarning"> {
  readonly api: AdminApi | undefined;
  readonly connection: Connection;
}

/**
 * Revokes old tokens, and clears the other store of them; tells which were revoked. What fails is told, and left
 * to a later run.
 */
export async function dropOldTokens(
  before: readonly OldToken[],
  options: DropOptions,
): Promise<readonly TokenRecord[]> {
  const dropped: TokenRecord[] = [];
  for (const { record, key, foreign, value } of before) {
    const { id, name = record.fingerprint, user } = record;
    const { api, connection, dispatcher, stores, onWarning } = options;
    try {
      if (id !== undefined) {
        if (!foreign) await api?.revokeToken(id);
        else if (value !== undefined) await revokeBySelf(value, { id, connection, dispatcher });
        else throw new Error("it belongs to another user and is no longer stored here");
        if (key !== undefined) await stores.journal.remove(key);
        dropped.push(record);
      }
      await forgetElsewhere(record, options);
    } catch (error) {
      onWarning?.(
        `Old token "${name}"${user === undefined ? "" : ` of ${user}`} could not be revoked ` +
          `(${messageOf(error)}); the next run tries again.`,
      );
    }
  }
  return dropped;
}

/** The token is of no use in the other store, and comes out of it as soon as that can be asked. */
async function forgetElsewhere(
  { storage: other }: TokenRecord,
  { stores, storage, account, onWarning }: DropOptions,
): Promise<void> {
  if (other === storage) return;
  try {
    await forgetToken({ stores, storage: other, account });
    await stores.state.remove({ account, storage: other });
  } catch (error) {
    onWarning?.(`The old token is still in the ${other}: ${messageOf(error)}`);
  }
}

/** Revokes a token with itself. */
export async function revokeBySelf(
  token: Secret,
  { id, connection, dispatcher, signal }: Pick<Context, "dispatcher" | "signal"> & {
    readonly id: string;
    readonly connection: Connection;
  },
): Promise<boolean> {
  try {
    return await withApi(
      connection,
      { token, dispatcher },
      (api) => api.revokeToken(id, { signal }),
    );
  } catch (error) {
    if (error instanceof AdminApiError && error.failure === "rejected") return false;
    throw error;
  }
}

/** Says that a token was replaced and not revoked. */
export function stillValid(token: Secret, connection: Connection): string {
  return `Token ${token}, stored before, was not created by adc-run and may still be valid. ` +
    `If nothing uses it, revoke it with "${adcRunCommand("auth revoke", connection)}".`;
}
