import { AdminApi } from "../../admin_api/admin_api.ts";
import type { User } from "../../admin_api/shapes.ts";
import { findToken, requireAccepted } from "../../check/check_token.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { misuse } from "../../connection/origin.ts";
import type { Keychain } from "../../context.ts";
import { credentialsOf, needsConsent } from "../../lifecycle/credentials.ts";
import { describeEnd, knownToken } from "../../lifecycle/expiry.ts";
import {
  logInOrAsk,
  openSession,
  openTokenSession,
  type Session,
} from "../../lifecycle/open_session.ts";
import type { KeptToken } from "../../lifecycle/replace_token.ts";
import { sweep } from "../../lifecycle/sweep.ts";
import {
  describeEntries,
  openTokenStores,
  STORAGES,
  titleOf,
  type TokenStores,
} from "../../lifecycle/token_stores.ts";
import { isAdminKey, type Secret } from "../../secret.ts";
import type { Storage } from "../../store/state.ts";
import {
  NoTokenError,
  type ResolvedToken,
  type SourceReport,
  surveyTokens,
} from "../../token/resolve.ts";
import type { TokenSource } from "../../token/sources.ts";
import { canAsk, contextOf, interruptible, type Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import { fixed, line } from "../output/out.ts";
import type { Reporter } from "../output/report.ts";
import { askCredentials } from "../prompts.ts";
import { openConnection } from "../settings.ts";

export interface AccountSession extends Session {
  /** The token; `undefined` after a login with a password. */
  readonly resolved: ResolvedToken | undefined;
  readonly connection: Connection;
  readonly stores: TokenStores;
  readonly signal: AbortSignal;
}

export async function withAccountSession(
  call: OwnCall,
  io: Io,
  work: (session: AccountSession) => Promise<number>,
): Promise<number> {
  const { connection, sources } = await openConnection(call, io);
  requireUsers(connection, "manage tokens", {
    suggestion: "Only API7 Enterprise has them: set --backend api7ee or ADC_BACKEND=api7ee.",
  });
  const { warn: onWarning } = call.reporter;
  const stores = storesOf(io, call.reporter);
  return await interruptible(io, async (signal) => {
    const mayAsk = !call.spec.readOnly && canAsk(io);
    const session = await openOwnSession(connection, { sources, io, mayAsk, signal });
    io.secrets.watch(session.api);
    try {
      await sweep(session.api, { ...session, stores, onWarning, signal, now: Date.now });
      return await work({ ...session, connection, stores, signal });
    } finally {
      await session.close();
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
): Promise<Pick<AccountSession, keyof Session | "resolved">> {
  const { env } = io;
  try {
    const resolved = await findToken({ connection, sources: withoutLogIn(sources), signal });
    const record = await knownToken(resolved.token, { connection, env });
    const known = { resolved, record, now: Date.now(), env, signal };
    return { ...await openTokenSession(connection, known), resolved };
  } catch (error) {
    if (!(error instanceof NoTokenError)) throw error;
    const mayLogIn = sources.some(({ preview }) => preview !== undefined);
    const { username, password } = credentialsOf(env, connection);
    const complete = username !== undefined && password !== undefined;
    if (!mayLogIn || (!complete && !mayAsk) || needsConsent(connection) !== undefined) throw error;
    const session = await logInOrAsk(
      connection,
      { env, signal, ask: askCredentials(io, () => "") },
      (credentials) => openSession(connection, { credentials, signal }),
    );
    if (session === undefined) throw error;
    return { ...session, resolved: undefined };
  }
}

export function requireUsers(
  { backend }: Connection,
  what: string,
  options: { readonly suggestion?: string } = {},
): void {
  if (BACKENDS[backend.value].hasUsers) return;
  const found = `backend "${backend.value}" has no user accounts`;
  throw misuse(backend.origin, `Cannot ${what}: ${found}`, options);
}

export function checkOf(
  { options, reporter }: OwnCall,
  io: Io,
  { connection, signal }: Pick<AccountSession, "connection" | "signal">,
): (token: Secret) => Promise<void> {
  return async (token) => {
    io.secrets.add(token);
    if (!options.check) return;
    await requireAccepted(token, { connection, onWarning: reporter.warn, signal });
  };
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
  reporter: Reporter,
): Promise<User | undefined> {
  if (!BACKENDS[connection.backend.value].hasUsers || isAdminKey(token)) return undefined;
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

export function tellStored(
  what: string,
  { token, record, revoked, user: owner }: KeptToken & { readonly user: User },
  { options, reporter, folder }: OwnCall & Pick<TokenStores, "folder">,
): number {
  const { storage, account, id, name, expiresAt } = record;
  if (options.json) {
    const { redacted, fingerprint } = token;
    const known = { id, name, expiresAt: expiresAt ?? null, redacted, fingerprint, owner };
    return reporter.answer({ stored: storage, accounts: [account], ...known, revoked });
  }
  const entry = describeEntries([account], { storage, folder });
  const end = describeEnd(expiresAt, Date.now());
  reporter.info(
    line`${fixed(what)} ${token} "${name}" of ${describeOwner(owner)} in ${entry}, ${end}`,
  );
  return 0;
}

/** What comes before the place that a token is stored in; a run would take that one. */
export async function shadowsOf(
  connection: Connection,
  { sources, storage }: {
    readonly sources: readonly TokenSource[];
    readonly storage: Storage;
  },
): Promise<readonly SourceReport[]> {
  const at = sources.findIndex(({ name }) => name === STORAGES[storage].source);
  const before = withoutLogIn(sources.slice(0, at === -1 ? sources.length : at))
    // A helper command may ask for a password, or take its time.
    .filter(({ name }) => name !== "command");
  const { trail } = await surveyTokens({ connection, sources: before });
  return trail.filter(({ status }) => status !== "absent");
}

/** Whoever stored a token expects it to be used. */
export async function warnOfShadows(
  connection: Connection,
  place: Parameters<typeof shadowsOf>[1],
  reporter: Reporter,
): Promise<void> {
  for (const { source, detail } of await shadowsOf(connection, place)) {
    reporter.warn(
      `Source "${source}" still takes precedence over the ${titleOf(place.storage)}: ${detail}`,
    );
  }
}
