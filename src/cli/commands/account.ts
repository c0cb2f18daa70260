import type { Credentials } from "../../admin_api/session.ts";
import type { User } from "../../admin_api/shapes.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { misuse } from "../../connection/origin.ts";
import type { Keychain } from "../../context.ts";
import { credentialsOf, needsConsent } from "../../lifecycle/credentials.ts";
import { knownToken } from "../../lifecycle/expiry.ts";
import {
  openSession,
  openTokenSession,
  requireLoginServer,
  type Session,
  withTries,
} from "../../lifecycle/open_session.ts";
import type { KeptToken } from "../../lifecycle/replace_token.ts";
import { sweep } from "../../lifecycle/sweep.ts";
import { openTokenStores, STORAGES, type TokenStores } from "../../lifecycle/token_stores.ts";
import { isAdminKey, type Secret } from "../../secret.ts";
import type { Storage } from "../../store/state.ts";
import { NoTokenError, type ResolvedToken, surveyTokens } from "../../token/resolve.ts";
import type { TokenSource } from "../../token/sources.ts";
import { canAsk, contextOf, interruptible, type Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import type { Reporter } from "../output/report.ts";
import { askCredentials } from "../prompts.ts";
import { findToken, openConnection } from "../settings.ts";

interface OwnSession extends Session {
  /** The token; `undefined` after a login with a password. */
  readonly resolved: ResolvedToken | undefined;
}

export interface AccountSession extends OwnSession {
  readonly connection: Connection;
  readonly stores: TokenStores;
  readonly signal: AbortSignal;
}

/**
 * Does something as the user whose token a run would take, once what an interrupted run left behind is
 * cleared up. No token is made for it.
 */
export async function withAccountSession(
  call: OwnCall,
  io: Io,
  work: (session: AccountSession) => Promise<number>,
): Promise<number> {
  const { connection, sources } = await openConnection(call, io);
  const { backend } = connection;
  if (!BACKENDS[backend.value].hasUsers) {
    throw misuse(
      backend.origin,
      `Cannot manage tokens: backend "${backend.value}" has no user accounts`,
      { suggestion: "Only API7 Enterprise has them: set --backend api7ee or ADC_BACKEND=api7ee." },
    );
  }
  const { warn: onWarning } = call.reporter;
  const stores = storesOf(io, call.reporter);
  return await interruptible(io, async (signal) => {
    const mayAsk = !call.spec.readOnly && canAsk(io);
    const session = await openOwnSession(connection, { sources, io, mayAsk, signal });
    const { api, user, close } = session;
    try {
      await sweep(api, { stores, user, onWarning, signal, now: Date.now });
      return await work({ ...session, connection, stores, signal });
    } finally {
      await close();
    }
  });
}

async function openOwnSession(
  connection: Connection,
  { sources, io, mayAsk, signal }: {
    readonly sources: readonly TokenSource[];
    readonly io: Io;
    readonly mayAsk: boolean;
    readonly signal: AbortSignal;
  },
): Promise<OwnSession> {
  try {
    const resolved = await findToken({ connection, sources: withoutLogIn(sources), signal });
    const record = await knownToken(resolved.token, { connection, env: io.env });
    const now = Date.now();
    const known = { resolved, record, now, env: io.env };
    const session = await openTokenSession(connection, { ...known, signal });
    io.secrets.watch(session.api);
    return { ...session, resolved };
  } catch (error) {
    if (!(error instanceof NoTokenError)) throw error;
    const logIn = sources.some(({ preview }) => preview !== undefined);
    const { username, password, loginOption } = credentialsOf(io.env, connection);
    const complete = username !== undefined && password !== undefined;
    if (!logIn || (!complete && !mayAsk) || needsConsent(connection) !== undefined) throw error;
    if (!complete) await requireLoginServer(connection, { signal });
    const ask = async (before: Credentials | undefined) => {
      if (complete) return { username, password, loginOption };
      const known = { username: before?.username ?? username, password };
      const given = await askCredentials(io, () => "")(connection, { ...known, again: !!before });
      if (given === undefined) throw error;
      return { loginOption, ...given, typed: password === undefined };
    };
    const session = await withTries(
      ask,
      (credentials) => openSession(connection, { credentials, signal }),
    );
    io.secrets.watch(session.api);
    return { ...session, resolved: undefined };
  }
}

/** The stores, whose tokens are known from then on, and what is put there. */
export function storesOf(io: Io, reporter: Reporter): TokenStores {
  const stores = openTokenStores(contextOf(io, reporter));
  const remember = (keychain: Keychain): Keychain => ({
    get: async (account) => {
      const token = await keychain.get(account);
      io.secrets.add(token);
      return token;
    },
    set: (account, token) => {
      io.secrets.add(token);
      return keychain.set(account, token);
    },
    delete: (account) => keychain.delete(account),
  });
  return { ...stores, keychain: remember(stores.keychain), file: remember(stores.file) };
}

export function withoutLogIn(sources: readonly TokenSource[]): readonly TokenSource[] {
  return sources.filter(({ preview }) => preview === undefined);
}

export async function findOwner(
  connection: Connection,
  token: Secret,
  { reporter }: { readonly reporter: Reporter },
): Promise<User | undefined> {
  if (!BACKENDS[connection.backend.value].hasUsers || isAdminKey(token)) return undefined;
  const { AdminApi } = await import("../../admin_api/admin_api.ts");
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

export function warnOfSuperAdmin({ superAdmin, username }: User, reporter: Reporter): void {
  if (!superAdmin) return;
  reporter.warn(
    `The token belongs to "${username}", a Super Admin. ` +
      "Create tokens as a user with only the permissions that ADC needs.",
  );
}

export function describeOwner(owner: User): string {
  return `${owner.username} (roles: ${owner.roles.join(", ") || "none"})`;
}

/** Says each time that a file is the worse place, so that nobody forgets where the token is. */
export function warnOfFile(reporter: Reporter): void {
  reporter.warn("The token is stored unencrypted in a file. Use a keychain if you can.");
}

export function describeKept(
  { token, record, revoked }: KeptToken,
  owner: User,
): Record<string, unknown> {
  const { storage, account, id, name, expiresAt } = record;
  return {
    stored: storage,
    accounts: [account],
    id,
    name,
    expiresAt: expiresAt ?? null,
    redacted: token.redacted,
    fingerprint: token.fingerprint,
    owner,
    revoked,
  };
}

/**
 * Warns of sources that come before the one that a token was just stored in: that surprises whoever
 * stored it.
 */
export async function warnOfShadows(
  connection: Connection,
  { sources, storage, reporter }: {
    readonly sources: readonly TokenSource[];
    readonly storage: Storage;
    readonly reporter: Reporter;
  },
): Promise<void> {
  const own = STORAGES[storage].source;
  const at = sources.findIndex(({ name }) => name === own);
  const before = sources.slice(0, at === -1 ? sources.length : at)
    // A helper command may ask for a password, or take its time; others leave traces.
    .filter(({ name, preview }) => name !== "command" && preview === undefined);
  const { trail } = await surveyTokens({ connection, sources: before });
  for (const { source, status, detail } of trail) {
    if (status === "absent") continue;
    reporter.warn(`Source "${source}" still takes precedence over the ${own}: ${detail}`);
  }
}
