import type { AdminApi } from "../admin_api/admin_api.ts";
import type { Credentials } from "../admin_api/session.ts";
import type { User } from "../admin_api/shapes.ts";
import { requireAccepted } from "../check/check_token.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand } from "../connection/origin.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import type { Secret } from "../secret.ts";
import type { TokenRecord } from "../store/state.ts";
import { accountOf, accountsFor } from "../token/token_value.ts";
import { plainPasswordWarning, requireConsent } from "./credentials.ts";
import { DEFAULT_LIFETIME, endOf, lifetimeOf, readLifetime } from "./expiry.ts";
import { requireTokenName } from "./mint_token.ts";
import { openTokenSession, withAccount, withLogIn, withSession } from "./open_session.ts";
import { type KeptToken, replaceToken } from "./replace_token.ts";
import { sweep } from "./sweep.ts";
import {
  describeEntries,
  findStoredToken,
  openTokenStores,
  previousToken,
  STORAGES,
  titleOf,
  type TokenStores,
} from "./token_stores.ts";

/**
 * Options for {@linkcode rotateStoredToken}.
 * @category Stored tokens
 */
export interface RotateStoredTokenOptions extends Context {
  /**
   * How long the token lives, such as `90d`, or `never`.
   * @default 30d; of a rotation, as long as the one before was to live
   */
  readonly expiresIn?: string | undefined;
  /** Whether the new token is checked before it is stored. @default true */
  readonly check?: boolean | undefined;
}

/**
 * Options for {@linkcode logIn}.
 * @category Stored tokens
 */
export interface LogInOptions extends RotateStoredTokenOptions {
  /** Who logs in. */
  readonly credentials: Credentials;
  /** The token's name on the server: at most 40 characters. @default adc-run USER@HOST */
  readonly name?: string | undefined;
  /**
   * Where the token is stored: in the keychain, or unencrypted in a file that only the user can read.
   * @default "keychain"
   */
  readonly storage?: "keychain" | "file" | undefined;
  /**
   * Whether a stored token of another user, or of another name, may be replaced and revoked.
   * @default false
   */
  readonly replace?: boolean | undefined;
  /**
   * Whether the password may be sent though only a file of the working directory, such as `.env`, says where,
   * through which proxy, or whom to trust.
   * @default false
   */
  readonly consent?: boolean | undefined;
}

/**
 * A token that was stored, and that a run will find.
 * @category Stored tokens
 */
export interface StoredToken {
  /** The token. */
  readonly token: Secret;
  /** Its id on the server. */
  readonly id: string;
  /** Its name on the server. */
  readonly name: string;
  /** When it expires, in Unix seconds; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** Where it is stored. */
  readonly storage: "keychain" | "file";
  /** The entry's account there: the server's origin, after `PROFILE@` if a profile is in use. */
  readonly account: string;
  /** The name of the token that was revoked in its favor. */
  readonly revoked: string | undefined;
}

/**
 * Logs in with a password, creates a token, checks it and stores it, as `adc-run auth login` does. What a run
 * finds from then on is that token; the session ends, and the password is not kept. A token that was stored
 * before is revoked.
 *
 * @category Stored tokens
 * @param connection The server, of API7 Enterprise: the password is sent there.
 * @param options Who logs in, the token's name and lifetime, and where it is stored.
 * @returns The token, and what is known of it.
 * @throws {AdminApiError} The server cannot be reached, or rejects the password.
 * @throws {CheckError} The new token does not work; it is revoked then.
 * @throws {SourceError} The token cannot be stored; it is revoked then.
 * @throws {AdcRunError} Another user's token is stored, or one of another name (64); or the password needs
 * `consent` (78).
 * @throws {UsageError} The name is longer than 40 characters, or the lifetime is not a duration.
 *
 * @example
 * ```ts
 * import { logIn, resolveConnection, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const context = { env: { ADC_RUN_CONFIG_DIR: "/nowhere" }, cwd: "/nowhere" };
 * const connection = await resolveConnection({ backend: "api7ee", server: "http://127.0.0.1:1" });
 * const stored = logIn(connection, {
 *   ...context,
 *   credentials: { username: "dev", password: new Secret("example") },
 *   expiresIn: "90d",
 *   storage: "file",
 * });
 * await assert.rejects(stored); // nothing listens there
 * ```
 */
export async function logIn(connection: Connection, options: LogInOptions): Promise<StoredToken> {
  const { credentials, storage = "keychain", expiresIn, replace, signal, now = Date.now } = options;
  const name = options.name === undefined ? undefined : requireTokenName(options.name);
  const lifetime = expiresIn === undefined
    ? DEFAULT_LIFETIME
    : await readLifetime(expiresIn, "expiresIn");
  requireConsent(connection, options.consent);
  const stores = openTokenStores(options);
  const account = accountOf(connection.servers[0]!.origin, connection);
  const place = { stores, storage, account };
  // A keychain that is locked or not there ends the matter before the password is sent.
  await previousToken(place);
  const warning = plainPasswordWarning(connection);
  if (warning !== undefined) options.onWarning?.(warning);
  const turn = { folder: stores.folder, signal };
  const make = () =>
    withSession(connection, options, async ({ api, user }) => {
      const expiresAt = endOf(lifetime, now() + api.clockSkewMs);
      const check = checkOf(connection, options);
      const confirm = (record: TokenRecord) =>
        replace ? Promise.resolve() : Promise.reject(occupied(record));
      const terms = {
        ...options,
        ...place,
        connection,
        user,
        name,
        expiresAt,
        check,
        confirm,
        now,
      };
      return await withAccount(account, () => replaceToken(api, terms), turn);
    });
  return describe(await withLogIn(connection, credentials, make, turn));
}

export function checkOf(
  connection: Connection,
  { check = true, dispatcher, signal, onWarning }:
    & Pick<RotateStoredTokenOptions, "check">
    & Pick<Context, "dispatcher" | "signal" | "onWarning">,
): (token: Secret) => Promise<void> {
  return async (token) => {
    if (check) await requireAccepted(token, { connection, dispatcher, signal, onWarning });
  };
}

function occupied({ storage, name, user, fingerprint }: TokenRecord): AdcRunError {
  const holds = `the ${titleOf(storage)} holds "${name ?? fingerprint}" of ${
    user ?? "another user"
  }`;
  return new AdcRunError(`Cannot log in: ${holds}, which would be revoked`, EXIT.usage, {
    suggestion: "Pass replace: true, or log in for a profile.",
  });
}

/**
 * Replaces the stored token by a new one that it creates itself, as `adc-run auth rotate` does: no password is
 * needed. The old one is revoked once the new one is stored.
 *
 * @category Stored tokens
 * @param connection The server, of API7 Enterprise.
 * @param options How long the new token lives, and what differs from this process.
 * @returns The new token, and what is known of it.
 * @throws {AdcRunError} No token is stored for the server (77).
 * @throws {CheckError} The stored token, or the new one, does not work.
 * @throws {SourceError} The new token cannot be stored; it is revoked then.
 * @throws {UsageError} The lifetime is not a duration.
 *
 * @example
 * ```ts
 * import { resolveConnection, rotateStoredToken } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const context = { env: { ADC_RUN_CONFIG_DIR: "/nowhere" }, cwd: "/nowhere" };
 * const connection = await resolveConnection({ backend: "api7ee", server: "http://127.0.0.1:1" });
 * await assert.rejects(rotateStoredToken(connection, { ...context, expiresIn: "90d" }));
 * ```
 */
export async function rotateStoredToken(
  connection: Connection,
  options: RotateStoredTokenOptions,
): Promise<StoredToken> {
  const { expiresIn, now = Date.now } = options;
  const asked = expiresIn === undefined
    ? undefined
    : { lifetime: await readLifetime(expiresIn, "expiresIn") };
  const stores = openTokenStores(options);
  const account = await storedAccount(connection, stores);
  const check = checkOf(connection, options);
  return describe(
    await rotateStored(connection, { ...options, stores, account, asked, check, now }),
  );
}

function describe({ token, record, revoked }: KeptToken): StoredToken {
  const { storage, account, expiresAt, id = "", name = "" } = record;
  return { token, id, name, expiresAt, storage, account, revoked };
}

/** The account whose token a run would take, or else the one that a log-in would store it for. */
export async function storedAccount(connection: Connection, stores: TokenStores): Promise<string> {
  const { origin } = connection.servers[0]!;
  for (const account of accountsFor(origin, connection)) {
    if (await findStoredToken(account, stores) !== undefined) return account;
  }
  return accountOf(origin, connection);
}

interface RotationTerms extends Omit<Context, "cwd" | "keychain" | "now"> {
  readonly stores: TokenStores;
  readonly account: string;
  /** What was asked for; else the new token lives as long as the old one was to live. */
  readonly asked: { readonly lifetime: number | undefined } | undefined;
  readonly check: (token: Secret) => Promise<void>;
  readonly onOpen?: ((api: AdminApi) => void) | undefined;
  readonly now: () => number;
}

export async function rotateStored(
  connection: Connection,
  { asked, env, onOpen, ...terms }: RotationTerms,
): Promise<KeptToken & { readonly user: User }> {
  const { stores, account, dispatcher, signal, now } = terms;
  const { folder } = stores;
  const rotate = async () => {
    const found = await findStoredToken(account, stores);
    if (found === undefined) {
      const { profile } = connection;
      throw new AdcRunError(
        profile?.explicit
          ? `Cannot rotate: profile "${profile.name}" has no token of its own`
          : `Cannot rotate: no token is stored for ${account}`,
        EXIT.permission,
        { suggestion: `Create one with: ${adcRunCommand("auth login", connection)}` },
      );
    }
    const { token, storage, record: before } = found;
    const detail = describeEntries([account], { storage, folder });
    const { api, user, close } = await openTokenSession(connection, {
      resolved: { token, source: STORAGES[storage].source, detail, trail: [] },
      record: before,
      now: now(),
      env,
      dispatcher,
      signal,
    });
    onOpen?.(api);
    try {
      // A rotation that was killed is ended first: what is known of the stored token may come from it.
      await sweep(api, { ...terms, user, holding: account });
      const record = (await findStoredToken(account, stores))?.record;
      const { lifetime } = asked ?? {
        lifetime: record?.neverExpires ? undefined : lifetimeOf(record ?? {}, DEFAULT_LIFETIME),
      };
      const expiresAt = endOf(lifetime, now() + api.clockSkewMs);
      const name = record?.name;
      const kept = await replaceToken(api, {
        ...terms,
        connection,
        storage,
        user,
        name,
        expiresAt,
      });
      return { ...kept, user };
    } finally {
      await close();
    }
  };
  return await withAccount(account, rotate, { folder, signal });
}
