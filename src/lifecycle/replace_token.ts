import type { AdminApi } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { User } from "../admin_api/shapes.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand, shellWord } from "../connection/origin.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { defaultTokenName, mintToken, numberedTokenName, uniqueTokenName } from "./mint_token.ts";
import { revokeBySelf, withApi } from "./open_session.ts";
import { sweep } from "./sweep.ts";
import { forgetToken, keepToken, type Place, previousToken } from "./token_stores.ts";

interface StoringOptions extends Place, Pick<Context, "dispatcher" | "onWarning"> {
  readonly connection: Connection;
  /**
   * Asked before a token is replaced that is another user's, or has another name; what it throws ends all.
   * @default nobody is asked
   */
  readonly confirm?: ((record: TokenRecord) => Promise<void>) | undefined;
}

export interface ReplaceTokenOptions extends StoringOptions, Pick<Context, "signal"> {
  readonly user: User;
  readonly name?: string | undefined;
  readonly expiresAt: number | undefined;
  /** Tries the token before it is stored; what it throws undoes all. @default it is not tried */
  readonly check?: ((token: Secret) => Promise<void>) | undefined;
  readonly now: () => number;
}

export interface KeptToken {
  readonly token: Secret;
  readonly record: TokenRecord;
  readonly revoked: string | undefined;
}

/**
 * Makes a token, tries it, stores it, reads it back, and revokes the one that was stored before. The
 * caller holds the account.
 *
 * Until the new token is stored a failure revokes it. From then on the old one's end is in the journal.
 */
export async function replaceToken(
  api: AdminApi,
  options: ReplaceTokenOptions,
): Promise<KeptToken> {
  const { stores, storage, account, user, expiresAt, signal, onWarning, now } = options;
  const { connection, dispatcher } = options;
  await sweep(api, { stores, user, holding: account, onWarning, signal, now });
  const known = await stores.state.list();
  const records = known.filter((record) => record.account === account);
  // Asked before anything is made: a keychain that is locked or not there ends the matter here.
  const previous = await previousToken(options);
  const wanted = await chooseName(api, { ...options, records: known });
  for (const record of records) {
    const { name, userId } = record;
    const isOwn = userId === user.id &&
      (name === wanted || (options.name === undefined && isDefault(name, user)));
    if (!isOwn) await confirmRevocation(record, options);
  }
  // Nobody else has this name: a token whose answer is lost can be told from all others by it.
  const first = uniqueTokenName(wanted);
  const minted = await mintToken(api, {
    journal: stores.journal,
    user,
    name: first,
    expiresAt,
    signal,
    note: { kind: "mint", account, storage, rename: wanted },
  });
  const { id, token } = minted.fresh;
  const record = (name: string): TokenRecord => ({
    account,
    origin: api.origin,
    storage,
    fingerprint: token.fingerprint,
    id,
    name,
    userId: user.id,
    user: api.redact(user.username),
    createdAt: Math.floor((now() + api.clockSkewMs) / 1000),
    ...(expiresAt === undefined ? { neverExpires: true } : { expiresAt }),
  });
  let before: readonly OldToken[];
  try {
    signal?.throwIfAborted();
    await options.check?.(token);
    signal?.throwIfAborted();
    before = await keepInstead(token, records, { stores, storage, account, userId: user.id });
  } catch (error) {
    // The server may be what has failed: then the journal remembers the token.
    await minted.undo().catch((reason) =>
      onWarning?.(
        `New token "${minted.fresh.name}" could not be revoked (${messageOf(reason)}); ` +
          "the next run tries again.",
      )
    );
    throw error;
  }
  // From here on the new token is the one that is stored, and nothing is undone.
  await stores.state.put(record(first));
  const [dropped] = await dropOldTokens(before, { ...options, api });
  const isKnown = before.some(({ record }) =>
    record.id !== undefined && record.fingerprint === previous?.fingerprint
  );
  if (previous !== undefined && !isKnown) {
    onWarning?.(
      `Token ${previous}, stored before, was not created by adc-run and may still be valid. ` +
        howToRevoke(connection),
    );
  }
  // No other has the name any more. The token asks for it itself: the one that it was made with may be revoked by
  // now. Under another name it works just as well.
  const rename = withApi(connection, { token, dispatcher }, (own) => own.renameToken(id, wanted));
  const name = await rename.then(() => wanted, () => minted.fresh.name);
  if (name === wanted) await stores.state.put(record(name));
  else onWarning?.(`The server did not use the name "${wanted}": the token is called "${name}".`);
  await minted.settle();
  return { token, record: record(name), revoked: dropped?.name };
}

export function howToRevoke(connection: Connection): string {
  return `If nothing uses it, see "${adcRunCommand("auth list", connection)}", then: ` +
    adcRunCommand("auth revoke NAME", connection);
}

/** A token that was brought along is replaced, and not revoked. */
async function confirmRevocation(record: TokenRecord, { confirm }: StoringOptions): Promise<void> {
  if (record.id !== undefined) await confirm?.(record);
}

/** Tells a name that a log-in chose by itself, which may end in a number or in something random. */
function isDefault(name: string | undefined, { username }: User): boolean {
  const wanted = defaultTokenName(username);
  const start = name?.replace(/( \d\d?|-[0-9a-f]{8})$/, "");
  return start !== undefined && (start === wanted || (start !== name && wanted.startsWith(start)));
}

async function chooseName(
  api: AdminApi,
  { name, user, records, account, connection, signal, onWarning }: ReplaceTokenOptions & {
    readonly records: readonly TokenRecord[];
  },
): Promise<string> {
  const wanted = name ?? defaultTokenName(user.username);
  const holderOf = (name: string) =>
    records.find((record) => record.name === name && record.userId === user.id);
  // The token that has it now is about to be revoked.
  const isReplaced = (name: string) => holderOf(name)?.account === account;
  if (isReplaced(wanted)) return wanted;
  if (!await api.isNameTaken(wanted, { signal })) return wanted;
  if (name !== undefined) {
    throw new AdminApiError({
      failure: "name-taken",
      request: `Cannot name a token "${name}" at ${api.origin}`,
      reason: `${user.username} already has one with that name`,
      suggestion: "Choose another name, or revoke that token.",
    });
  }
  for (let number = 2; number < 100; number++) {
    const numbered = numberedTokenName(wanted, number);
    if (isReplaced(numbered)) return numbered;
    if (await api.isNameTaken(numbered, { signal })) continue;
    const holder = holderOf(wanted);
    const revoke = adcRunCommand(`auth revoke ${shellWord(wanted)}`, connection);
    onWarning?.(
      holder === undefined
        ? `${user.username} already has a token "${wanted}", so the new one ` +
          `is "${numbered}". If nothing uses the old one, revoke it with: ${revoke}`
        : `The token "${wanted}" is stored for ${holder.account}, so the new one is "${numbered}".`,
    );
    return numbered;
  }
  return uniqueTokenName(wanted);
}

export interface AdoptTokenOptions extends StoringOptions {
  readonly origin: string;
  readonly user?: Pick<User, "id" | "username"> | undefined;
}

/**
 * Stores a token, reads it back, and revokes the one that adc-run had made and stored before; tells the names of
 * what it revoked. The caller holds the account.
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
  // The server does not tell which of the user's tokens the new one is.
  for (const record of others) await confirmRevocation(record, options);
  const before = await keepInstead(token, others, { stores, storage, account });
  await stores.state.put({
    // A token that was made here and comes back stays known.
    ...same,
    account,
    origin,
    storage,
    fingerprint,
    ...(user && { userId: user.id, user: user.username }),
  });
  const revoked = await dropOldTokens(before, { ...options, api: undefined });
  return revoked.map(({ name, fingerprint }) => name ?? fingerprint);
}

interface OldToken {
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
async function keepInstead(
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
async function dropOldTokens(
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
