import type { Connection } from "../../connection/connection.ts";
import { UsageError } from "../../errors.ts";
import { withAccount } from "../../lifecycle/account_lock.ts";
import { plainPasswordWarning } from "../../lifecycle/credentials.ts";
import { DEFAULT_LIFETIME, describeEnd, endOf, readLifetime } from "../../lifecycle/expiry.ts";
import { openSession } from "../../lifecycle/open_session.ts";
import { replaceToken } from "../../lifecycle/replace_token.ts";
import type { KeptToken } from "../../lifecycle/replace_token.ts";
import { requireTokenName } from "../../lifecycle/token_name.ts";
import { openTokenStores } from "../../lifecycle/token_stores.ts";
import { accountOf } from "../../token/accounts.ts";
import { describeEntries, warnOfFile } from "../entries.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import type { Io } from "../io.ts";
import { describeKept, tryToken } from "../kept_token.ts";
import { readCredentials, requireConsent } from "../login_questions.ts";
import { describeOwner, warnOfSuperAdmin } from "../owner.ts";
import { warnOfShadows } from "../shadows.ts";
import type { LoginCommand } from "./auth_login.ts";

/** Logs in, has a token made, tries it, and stores it. */
export async function loginWithPassword(command: LoginCommand, io: Io): Promise<number> {
  const { options, connection, sources, reporter, storage } = command;
  requireLogIn(connection);
  const name = options.name === undefined ? undefined : requireTokenName(options.name);
  const lifetime = options.expiresIn === undefined
    ? DEFAULT_LIFETIME
    : await readLifetime(options.expiresIn, "--expires-in");
  await requireConsent(connection, { yes: options.yes, io });
  const credentials = await readCredentials(connection, { options, io });
  const warning = plainPasswordWarning(connection);
  if (warning !== undefined) reporter.warn(warning);
  const stores = openTokenStores({
    env: io.env,
    keychain: io.keychain,
    onWarning: reporter.warn,
  });
  const [{ origin }] = connection.servers as [Connection["servers"][0]];
  const account = accountOf(origin, connection);
  const interrupt = abortOnInterrupt(io.signals);
  const { signal } = interrupt;
  try {
    const session = await openSession(connection, { credentials, signal });
    const { api, user } = session;
    try {
      warnOfSuperAdmin(user, reporter);
      const kept = await withAccount(
        account,
        () =>
          replaceToken(api, {
            connection,
            stores,
            storage,
            account,
            user,
            name,
            expiresAt: endOf(lifetime, Date.now()),
            check: async (token) => {
              if (options.check) await tryToken(token, { connection, reporter, signal });
            },
            onWarning: reporter.warn,
            signal,
            now: Date.now,
          }),
        { folder: stores.folder, signal },
      );
      await warnOfShadows(connection, { sources, storage, reporter });
      if (storage === "file") warnOfFile(reporter);
      announce(kept, { command, owner: user, folder: stores.folder });
      return 0;
    } finally {
      await session.close();
    }
  } finally {
    interrupt.release();
  }
}

function announce(
  kept: KeptToken,
  { command: { options, connection, reporter, storage }, owner, folder }: {
    readonly command: LoginCommand;
    readonly owner: Parameters<typeof describeOwner>[0];
    readonly folder: string;
  },
): void {
  if (options.json) {
    const { warnings } = reporter;
    reporter.print(JSON.stringify(describeKept(kept, { owner, warnings })));
    return;
  }
  const { token, record, revoked } = kept;
  const { account, name, expiresAt } = record;
  reporter.info(
    `stored token ${token} "${name}" of ${describeOwner(owner)} in ` +
      `${describeEntries([account], { storage, folder })}, ${describeEnd(expiresAt, Date.now())}`,
  );
  if (revoked !== undefined) reporter.info(`revoked the token "${revoked}" that it replaces`);
  const { backend, server } = connection;
  const missing = [
    backend.origin.kind === "flag" && `ADC_BACKEND=${backend.value}`,
    server.origin.kind === "flag" && `ADC_SERVER=${server.value}`,
  ].filter((text) => typeof text === "string");
  if (missing.length > 0) reporter.info(`for ADC to find it, set ${missing.join(" and ")}`);
}

function requireLogIn({ backend }: Connection): void {
  if (backend.value === "api7ee") return;
  throw new UsageError(`Cannot log in: the backend ${backend.value} knows no users`, {
    suggestion: "Store its admin key instead: adc-run auth login --with-token < key.txt",
  });
}
