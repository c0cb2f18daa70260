import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { DEFAULT_LIFETIME, describeEnd, endOf, readLifetime } from "../../lifecycle/expiry.ts";
import { openTokenSession, withAccount } from "../../lifecycle/open_session.ts";
import { replaceToken } from "../../lifecycle/replace_token.ts";
import { findStoredToken } from "../../lifecycle/store_source.ts";
import { sweep } from "../../lifecycle/sweep.ts";
import { openTokenStores } from "../../lifecycle/token_stores.ts";
import type { TokenStores } from "../../lifecycle/token_stores.ts";
import type { TokenRecord } from "../../store/state.ts";
import { accountOf, accountsFor } from "../../token/token_value.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import {
  describeEntries,
  describeKept,
  describeOwner,
  tryToken,
  warnOfShadows,
} from "./account.ts";

/** Replaces the stored token: a new one is made with it, tried and stored before it is revoked. */
export async function authRotate(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, sources, reporter } = await readOwnCommand<{ expiresIn?: string }>(
    call,
    io,
    {
      name: "auth rotate",
      uses: ["--no-check"],
      options: ["--expires-in <duration>"],
      backend: "api7ee",
    },
  );
  const { backend } = connection;
  if (!BACKENDS[backend.value].hasUsers) {
    throw new UsageError(`Cannot rotate: the backend ${backend.value} makes no tokens on request`);
  }
  const asked = options.expiresIn === undefined
    ? undefined
    : { lifetime: await readLifetime(options.expiresIn, "--expires-in") };
  const stores = openTokenStores({ env: io.env, keychain: io.keychain, onWarning: reporter.warn });
  const account = await storedAccount(connection, stores);
  const interrupt = abortOnInterrupt(io.signals);
  const { signal } = interrupt;
  const rotate = async () => {
    const found = await findStoredToken(account, stores);
    if (found === undefined) {
      throw new AdcRunError(
        `Cannot rotate: no token is stored for ${account}`,
        EXIT.permission,
        { suggestion: 'Make one with "adc-run auth login".' },
      );
    }
    const { token, storage } = found;
    const { api, user, close } = await openTokenSession(connection, {
      resolved: {
        token,
        source: storage === "file" ? "store" : storage,
        detail: describeEntries([account], { storage, folder: stores.folder }),
        trail: [],
      },
      record: found.record,
      now: Date.now(),
      signal,
    });
    try {
      // A rotation that was killed is ended first: what is known of the stored token may come from it.
      const { warn: onWarning } = reporter;
      await sweep(api, { stores, user, holding: account, onWarning, signal, now: Date.now });
      const record = (await findStoredToken(account, stores))?.record;
      const { lifetime } = asked ?? { lifetime: lifetimeOf(record) };
      const kept = await replaceToken(api, {
        connection,
        stores,
        storage,
        account,
        user,
        name: record?.name,
        expiresAt: endOf(lifetime, Date.now()),
        check: async (fresh) => {
          if (options.check) await tryToken(fresh, { connection, reporter, signal });
        },
        onWarning: reporter.warn,
        signal,
        now: Date.now,
      });
      return { kept, storage, user };
    } finally {
      await close();
    }
  };
  try {
    const { folder } = stores;
    const { kept, storage, user } = await withAccount(account, rotate, {
      folder,
      signal,
    });
    await warnOfShadows(connection, { sources, storage, reporter });
    if (options.json) {
      const { warnings } = reporter;
      reporter.print(JSON.stringify(describeKept(kept, { owner: user, warnings })));
      return 0;
    }
    const { token, record, revoked } = kept;
    const { name, expiresAt } = record;
    reporter.info(
      `stored the new token ${token} "${name}" of ${describeOwner(user)} in ` +
        `${describeEntries([account], { storage, folder })}, ${describeEnd(expiresAt, Date.now())}`,
    );
    if (revoked !== undefined) reporter.info("revoked the one that it replaces");
    return 0;
  } finally {
    interrupt.release();
  }
}

/** The account whose token a run would take. */
async function storedAccount(connection: Connection, stores: TokenStores): Promise<string> {
  const [{ origin }] = connection.servers as [Connection["servers"][0]];
  for (const account of accountsFor(origin, connection)) {
    if (await findStoredToken(account, stores) !== undefined) return account;
  }
  return accountOf(origin, connection);
}

/** The new token lives as long as the old one was to live. */
function lifetimeOf(record: TokenRecord | undefined): number | undefined {
  if (record?.neverExpires) return undefined;
  const { createdAt, expiresAt } = record ?? {};
  return createdAt === undefined || expiresAt === undefined
    ? DEFAULT_LIFETIME
    : (expiresAt - createdAt) * 1000;
}
