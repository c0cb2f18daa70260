import type { AdminApi } from "../admin_api/admin_api.ts";
import type { User } from "../admin_api/shapes.ts";
import type { Context } from "../context.ts";
import { messageOf, SourceError, throwIfNotCapable } from "../errors.ts";
import type { JournalEntry } from "../store/journal.ts";
import { isAlive } from "../store/process_identity.ts";
import { StoreError } from "../store/store_error.ts";
import { deadline } from "../system/deadline.ts";
import { hasEnded } from "./expiry.ts";
import { withAccount } from "./open_session.ts";
import { storedToken, type TokenStores } from "./token_stores.ts";

/** A server that hangs must not keep anybody for long from what they came for, in milliseconds. */
const TIME_LIMIT = 5_000;

export interface SweepOptions extends Pick<Context, "onWarning" | "signal"> {
  readonly stores: TokenStores;
  /** Whose session or token the requests are made with: only this user's tokens can be revoked. */
  readonly user: User;
  /** The account whose lock the caller holds. */
  readonly holding?: string | undefined;
  readonly now: () => number;
}

/** By far longer than it takes to make and store a token, in milliseconds: a day. */
const LONGEST_MINT = 24 * 60 * 60 * 1000;

/** The entries of the journal for one server whose process has ended. */
export async function leftOvers(
  origin: string,
  stores: TokenStores,
  now: number,
): Promise<readonly JournalEntry[]> {
  const entries = (await stores.journal.list()).filter((entry) => entry.origin === origin);
  const alive = await Promise.all(entries.map(({ owner }) => isAlive(owner)));
  return entries.filter(({ kind, expiresAt, begunAt }, index) => {
    if (alive[index] !== undefined) return !alive[index];
    // Age is all that tells of a process that nobody here can see, such as another machine's.
    return hasEnded(expiresAt, now) || (kind === "mint" && hasEnded(begunAt, now - LONGEST_MINT));
  });
}

/**
 * Finishes or undoes what processes that are gone had begun: a token that reached its store is kept, any
 * other is revoked. What cannot be done now stays in the journal and is told: it must not keep anybody
 * from what they came for.
 */
export async function sweep(api: AdminApi, options: SweepOptions): Promise<void> {
  const { stores, user, onWarning } = options;
  // Ends are the server's, and so is the clock that tells whether they have come.
  const now = () => options.now() + api.clockSkewMs;
  const { signal, clear } = deadline(TIME_LIMIT, [options.signal]);
  const fail = (error: unknown) => {
    options.signal?.throwIfAborted();
    throwIfNotCapable(error);
    onWarning?.(`Cannot clean up after an interrupted run: ${messageOf(error)}`);
  };
  try {
    const all = await leftOvers(api.origin, stores, now());
    // Nobody can revoke another user's token, and nobody needs to when it has ended.
    for (const { key, userId, expiresAt } of all) {
      if (userId !== user.id && hasEnded(expiresAt, now())) await stores.journal.remove(key);
    }
    const own = await Promise.all(
      all.filter(({ userId }) => userId === user.id)
        .map(async (entry) => ({ entry, stored: await isStored(entry, stores) })),
    );
    // A token takes its name when the one that had it is gone, so those that are stored come last.
    own.sort((a, b) => Number(a.stored) - Number(b.stored));
    for (const { entry, stored } of own) {
      // A keychain that cannot be asked now may have the token.
      if (stored === undefined) continue;
      options.signal?.throwIfAborted();
      if (signal.aborted) break;
      await clearInTurn(api, entry, { ...options, now, signal }).catch(fail);
    }
  } catch (error) {
    fail(error);
  } finally {
    clear();
  }
}

/** Clears one entry, unless another process has the account, which is then at it itself. */
async function clearInTurn(
  api: AdminApi,
  entry: JournalEntry,
  options: SweepOptions,
): Promise<void> {
  const { stores: { folder }, holding, signal } = options;
  const { account } = entry;
  if (account === undefined || account === holding) return await clearEntry(api, entry, options);
  let begun = false;
  const clear = async () => {
    begun = true;
    await clearEntry(api, entry, options);
  };
  try {
    await withAccount(account, clear, { folder, timeout: 1_000, signal });
  } catch (error) {
    if (begun || !(error instanceof StoreError)) throw error;
  }
}

async function clearEntry(
  api: AdminApi,
  entry: JournalEntry,
  options: SweepOptions,
): Promise<void> {
  const { stores, signal, onWarning, now } = options;
  const { key, name, expiresAt } = entry;
  const stored = await isStored(entry, stores);
  if (stored === undefined) return;
  if (stored) {
    if (entry.id !== undefined) await noteStored(entry, api, options);
    await stores.journal.remove(key);
    return;
  }
  const id = await findId(api, entry, options);
  const revoked = id !== undefined && await api.revokeToken(id, { signal });
  await stores.journal.remove(key);
  if (revoked && !hasEnded(expiresAt, now())) {
    onWarning?.(`Revoked "${name}", left behind by an interrupted run.`);
  }
}

/** Whether the token of an entry is the stored one; `undefined` where the store cannot be asked. */
async function isStored(
  { account, storage, fingerprint }: JournalEntry,
  stores: TokenStores,
): Promise<boolean | undefined> {
  if (account === undefined || storage === undefined || fingerprint === undefined) return false;
  try {
    const stored = await storedToken({ stores, storage, account });
    return stored?.fingerprint === fingerprint;
  } catch (error) {
    if (error instanceof SourceError || error instanceof StoreError) return undefined;
    throw error;
  }
}

/** The process ended between storing the token and noting what is known of it, or before it had its name. */
async function noteStored(
  { account, storage, fingerprint, origin, id, name, rename, userId, expiresAt }: JournalEntry,
  api: AdminApi,
  { stores: { state }, signal }: SweepOptions,
): Promise<void> {
  if (account === undefined || storage === undefined || fingerprint === undefined) return;
  const known = (await state.list()).find((record) =>
    record.account === account && record.storage === storage && record.fingerprint === fingerprint
  );
  if (known?.name !== undefined && (rename === undefined || known.name === rename)) return;
  let called = name;
  if (id !== undefined && rename !== undefined) {
    // A token under another name works just as well.
    called = await api.renameToken(id, rename, { signal }).then(() => rename, () => name);
    signal?.throwIfAborted();
  }
  await state.put({
    account,
    origin,
    storage,
    fingerprint,
    userId,
    id,
    ...(expiresAt === undefined ? { neverExpires: true } : { expiresAt }),
    ...known,
    name: called,
  });
}

/**
 * Where the process ended before the server's answer was noted, the token is known by its name alone,
 * which nobody else has: it is random.
 */
async function findId(
  api: AdminApi,
  { id, name, key }: JournalEntry,
  { stores, signal }: SweepOptions,
): Promise<string | undefined> {
  if (id !== undefined) return id;
  const [tokens, records, entries] = await Promise.all([
    api.tokens({ signal }),
    stores.state.list(),
    stores.journal.list(),
  ]);
  const others = [...records, ...entries.filter((entry) => entry.key !== key)];
  return tokens.find((token) =>
    token.name === name && !others.some((other) => other.id === token.id)
  )?.id;
}
