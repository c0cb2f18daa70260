import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import type { Environment } from "../../context.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { clearLeftOvers } from "../../lifecycle/clear_left_overs.ts";
import { readLifetime } from "../../lifecycle/expiry.ts";
import { revokeBySelf, withAccount, withApi } from "../../lifecycle/open_session.ts";
import { howToRevoke } from "../../lifecycle/replace_token.ts";
import { rotateStored, storedAccount } from "../../lifecycle/stored_token.ts";
import {
  describeEntries,
  findStoredToken,
  forgetToken,
  STORAGES,
  type StoredEntry,
  type TokenStores,
} from "../../lifecycle/token_stores.ts";
import { type Secret, tokenPrefix } from "../../secret.ts";
import type { Storage } from "../../store/state.ts";
import { surveyTokens } from "../../token/resolve.ts";
import type { TokenSource } from "../../token/sources.ts";
import { accountOf, originsOf } from "../../token/token_value.ts";
import { contextOf, interruptible, type Io } from "../io.ts";
import type { LogoutOptions, RotateOptions } from "../manual/auth_commands.ts";
import type { OwnCall } from "../manual/manual.ts";
import { fixed, line } from "../output/out.ts";
import type { Reporter } from "../output/report.ts";
import { openConnection } from "../settings.ts";
import {
  checkOf,
  requireUsers,
  shadowsOf,
  storesOf,
  tellStored,
  warnOfShadows,
} from "./account.ts";

export async function authRotate(call: OwnCall<RotateOptions>, io: Io): Promise<number> {
  const { options, reporter, operands } = call;
  if (operands.length > 0 || options.all || options.due !== undefined) {
    return await (await import("./workflow_tokens.ts")).rotateWorkflows(call, io);
  }
  if (options.toCommand !== undefined || options.toFile !== undefined || options.print) {
    throw new UsageError("Cannot hand over the stored token: no workflow is named");
  }
  if (options.source !== undefined && !options.fromEnvironment.has("source")) {
    throw new UsageError('--source has no effect with "adc-run auth rotate"');
  }
  const { connection, sources } = await openConnection(call, io);
  requireUsers(connection, "rotate");
  const asked = options.expiresIn === undefined
    ? undefined
    : { lifetime: await readLifetime(options.expiresIn, "--expires-in") };
  const stores = storesOf(io, reporter);
  const { folder } = stores;
  const account = await storedAccount(connection, stores);
  await refuseShadowed(connection, { sources, account, stores, env: io.env });
  if (options.dryRun) {
    const { name, storage = "keychain" } = (await findStoredToken(account, stores))?.record ?? {};
    if (options.json) return reporter.answer({ wouldRotate: name ?? null, account });
    const which = name === undefined ? "the token" : `"${name}"`;
    reporter.print(
      line`would rotate ${which} in ${describeEntries([account], { storage, folder })}`,
    );
    return 0;
  }
  const kept = await interruptible(io, (signal) =>
    rotateStored(connection, {
      stores,
      account,
      asked,
      env: io.env,
      check: checkOf(call, io, { connection, signal }),
      onOpen: (api) => io.secrets.watch(api),
      onWarning: reporter.warn,
      signal,
      now: Date.now,
    }));
  await warnOfShadows(connection, { sources, storage: kept.record.storage }, reporter);
  tellStored("stored the new token", kept, { ...call, folder });
  if (kept.revoked !== undefined) reporter.info(fixed("revoked the old token"));
  return 0;
}

/** Whoever hands the token over in another way means that one, which is not adc-run's to replace. */
async function refuseShadowed(
  connection: Connection,
  { sources, account, stores, env }: {
    readonly sources: readonly TokenSource[];
    readonly account: string;
    readonly stores: TokenStores;
    readonly env: Environment;
  },
): Promise<void> {
  const stored = await findStoredToken(account, stores);
  if (stored === undefined) return;
  const { storage } = stored;
  const at = sources.findIndex(({ name }) => name === STORAGES[storage].source);
  const helper = connection.profile?.tokenCommand === undefined
    ? env.ADC_TOKEN_COMMAND && "ADC_TOKEN_COMMAND"
    : "the profile's tokenCommand";
  const shadow = at < 0
    ? "its sources leave this one out"
    : (await shadowsOf(connection, { sources, storage }))[0]?.detail ??
      (sources.slice(0, at).some(({ name }) => name === "command") ? helper : undefined);
  if (!shadow) return;
  const place = describeEntries([account], { storage, folder: stores.folder });
  throw new AdcRunError(
    `Cannot rotate the token in ${place}: a run would use another one, ${shadow}`,
    EXIT.config,
    {
      suggestion: "To rotate the stored token, unset the other one. " +
        "To rotate a workflow's token: adc-run auth rotate NAME",
    },
  );
}

export async function authLogout(call: OwnCall<LogoutOptions>, io: Io): Promise<number> {
  const { options, reporter } = call;
  const { connection, sources } = await openConnection(call, io);
  const stores = storesOf(io, reporter);
  const { folder } = stores;
  const removed: { account: string; storage: Storage; revoked: boolean }[] = [];
  const accounts = originsOf(connection.servers).map((origin) => accountOf(origin, connection));
  for (const account of accounts) {
    const token = options.keep ? undefined : (await findStoredToken(account, stores))?.token;
    if (token !== undefined) await clearLeftOvers(token, connection, contextOf(io, reporter));
    const remove = async () => {
      // The file and the keychain may both have one.
      for (let rest = 2; rest > 0; rest--) {
        const stored = await findStoredToken(account, stores);
        if (stored === undefined) break;
        const revoked = !options.keep && await revoke(stored, connection, reporter);
        const { storage } = stored;
        await forgetToken({ stores, storage, account });
        removed.push({ account, storage, revoked });
        // Said at once: what comes next may fail.
        const entry = describeEntries([account], { storage, folder });
        reporter.info(
          revoked
            ? line`revoked the token and removed it from ${entry}`
            : line`removed the token from ${entry}; it stays valid on the server`,
        );
      }
      await stores.state.remove({ account });
    };
    await withAccount(account, remove, { folder });
  }
  // A profile that nobody named goes on with the token of its server.
  const stored = Object.values(STORAGES).map(({ source }) => source);
  const { trail } = await surveyTokens({
    connection,
    sources: sources.filter(({ name }) => stored.includes(name)),
  });
  const next = trail.find(({ status }) => status === "found");
  if (next !== undefined) {
    reporter.warn(`Another stored token is still used here: ${next.detail}`);
  }
  if (options.json) {
    return reporter.answer({ removed: removed.map(({ account }) => account), entries: removed });
  }
  if (removed.length === 0) {
    reporter.info(line`no token is stored for ${accounts.join(", ")}`);
  }
  return 0;
}

/** Revokes a token with itself; tells whether the server refuses it from now on. */
async function revoke(
  { token, record }: StoredEntry,
  connection: Connection,
  reporter: Reporter,
): Promise<boolean> {
  // A token that was made here is API7 Enterprise's, whatever the backend is set to now.
  const { backend } = connection;
  const here = record?.id === undefined
    ? connection
    : { ...connection, backend: { ...backend, value: "api7ee" as const } };
  if (!BACKENDS[here.backend.value].hasUsers) return false;
  let id = record?.id;
  try {
    id ??= await idOf(token, here);
    if (id === undefined) {
      reporter.warn(
        `The token ${token} is still valid on the server: adc-run did not create it, and cannot tell ` +
          `which of the user's tokens it is. ${howToRevoke(connection)}`,
      );
      return false;
    }
    await revokeBySelf(token, { id, connection: here });
    return true;
  } catch (error) {
    if (!(error instanceof AdminApiError)) throw error;
    // A token that is refused already needs no revoking.
    if (id === undefined && error.failure === "rejected" && error.refused) return true;
    throw new AdcRunError(`Cannot revoke the token: ${error.message}`, error.exitCode, {
      suggestion: "Nothing was removed. Try again, or use --keep to remove it here and leave " +
        "it valid on the server.",
      cause: error,
    });
  }
}

/** The server tells no token's id to its bearer: a token that was brought along is one of the user's. */
async function idOf(token: Secret, connection: Connection): Promise<string | undefined> {
  // An admin key is nobody's, and may see tokens that are not its own.
  if (tokenPrefix(token.reveal()) !== "a7ee-") return undefined;
  try {
    const [only, ...others] = await withApi(connection, { token }, (api) => api.tokens());
    return others.length === 0 ? only?.id : undefined;
  } catch (error) {
    // Nor can one tell whose role does not allow it to look.
    if (error instanceof AdminApiError && error.failure === "forbidden") return undefined;
    throw error;
  }
}
