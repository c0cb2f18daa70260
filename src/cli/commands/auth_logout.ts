import { AdminApi } from "../../admin_api/admin_api.ts";
import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { AdcRunError, EXIT } from "../../errors.ts";
import { clearLeftOvers } from "../../lifecycle/clear_left_overs.ts";
import { revokeBySelf } from "../../lifecycle/old_tokens.ts";
import { withAccount } from "../../lifecycle/open_session.ts";
import { findStoredToken } from "../../lifecycle/store_source.ts";
import type { StoredEntry } from "../../lifecycle/store_source.ts";
import { forgetToken, openTokenStores } from "../../lifecycle/token_stores.ts";
import { tokenPrefix } from "../../secret.ts";
import type { Storage } from "../../store/state.ts";
import { accountOf, originsOf } from "../../token/token_value.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { describeEntries } from "./account.ts";

/** A token that was removed. */
interface Removed {
  readonly account: string;
  readonly storage: Storage;
  /** Whether the server refuses it from now on. */
  readonly revoked: boolean;
}

/**
 * Revokes the stored token, then removes it from where it is stored. With `--keep` it is only removed.
 */
export async function authLogout(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, reporter } = await readOwnCommand<{ keep?: boolean }>(call, io, {
    name: "auth logout",
    uses: [],
    options: ["--keep"],
  });
  const stores = openTokenStores({ env: io.env, keychain: io.keychain, onWarning: reporter.warn });
  const { folder } = stores;
  const removed: Removed[] = [];
  const accounts = originsOf(connection.servers).map((origin) => accountOf(origin, connection));
  for (const account of accounts) {
    const token = options.keep ? undefined : (await findStoredToken(account, stores))?.token;
    if (token !== undefined) {
      const { env, keychain } = io;
      await clearLeftOvers(token, connection, { env, keychain, onWarning: reporter.warn });
    }
    const remove = async () => {
      // The file and the keychain may both have one.
      for (let rest = 2; rest > 0; rest--) {
        const stored = await findStoredToken(account, stores);
        if (stored === undefined) break;
        const revoked = !options.keep && await revoke(stored, connection);
        const { storage } = stored;
        await forgetToken({ stores, storage, account });
        removed.push({ account, storage, revoked });
        // Said at once: what comes next may fail.
        const entry = describeEntries([account], { storage, folder });
        reporter.info(
          revoked
            ? `revoked the token, and removed it from ${entry}`
            : `removed the token from ${entry}; it stays valid on the server`,
        );
      }
      await stores.state.remove({ account });
    };
    await withAccount(account, remove, { folder });
  }
  if (options.json) {
    const { warnings } = reporter;
    const names = removed.map(({ account }) => account);
    reporter.print(JSON.stringify({ removed: names, entries: removed, warnings }));
    return 0;
  }
  if (removed.length === 0) {
    reporter.info(
      `there was no token in ${describeEntries(accounts, { storage: "keychain", folder })}`,
    );
  }
  return 0;
}

/** Revokes a token with itself; tells whether the server refuses it from now on. */
async function revoke(
  { token, record }: StoredEntry,
  connection: Connection,
): Promise<boolean> {
  // A token that was made here is API7 Enterprise's, whatever the backend is set to now.
  const { backend } = connection;
  const here = record?.id === undefined
    ? connection
    : { ...connection, backend: { ...backend, value: "api7ee" as const } };
  if (!BACKENDS[here.backend.value].hasUsers) return false;
  try {
    const id = record?.id ?? await idOf(token, here);
    await revokeBySelf(token, { id, connection: here });
    return true;
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error;
    // A token that is refused already needs no revoking.
    if (error.failure === "rejected") return true;
    throw new AdcRunError(`Cannot revoke the token: ${error.message}`, error.exitCode, {
      suggestion:
        "Nothing was removed. Try again, or use --keep, which removes it here and leaves " +
        "it valid on the server.",
      cause: error,
    });
  }
}

/**
 * The server tells no token's id to its bearer: a token that was brought along is one of the user's.
 */
async function idOf(
  token: StoredEntry["token"],
  connection: Connection,
): Promise<string> {
  // An admin key is nobody's, and may see tokens that are not its own.
  const isUserToken = tokenPrefix(token.reveal()) === "a7ee-";
  const api = await AdminApi.open(connection, { token });
  try {
    const [only, ...others] = isUserToken ? await api.tokens() : [];
    if (only !== undefined && others.length === 0) return only.id;
    throw new AdcRunError(
      "Cannot revoke the token: adc-run did not make it and cannot tell which of the user's tokens it is",
      EXIT.data,
      {
        suggestion:
          'Use --keep, which removes it here, and revoke it with "adc-run auth revoke" or in ' +
          "the Dashboard under Organization → Tokens.",
      },
    );
  } finally {
    await api.close();
  }
}
