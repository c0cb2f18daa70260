import { resolve } from "node:path";
import { ADC_SETTINGS, type SettingKey } from "../../adc/settings.ts";
import { AdminApiError } from "../../admin_api/admin_api_error.ts";
import type { Credentials } from "../../admin_api/session.ts";
import { requireAccepted, tokensByServer } from "../../check/check_token.ts";
import { BACKENDS } from "../../connection/backends.ts";
import type { Connection } from "../../connection/connection.ts";
import { adcRunCommand, type Profile } from "../../connection/origin.ts";
import { AdcRunError, ConnectionError, EXIT, UsageError } from "../../errors.ts";
import { plainPasswordWarning } from "../../lifecycle/credentials.ts";
import { DEFAULT_LIFETIME, endOf, readLifetime } from "../../lifecycle/expiry.ts";
import { requireTokenName } from "../../lifecycle/mint_token.ts";
import {
  openSession,
  requireLoginServer,
  withAccount,
  withLogIn,
  withTries,
} from "../../lifecycle/open_session.ts";
import { adoptToken, replaceToken } from "../../lifecycle/replace_token.ts";
import { describeEntries, previousToken, titleOf } from "../../lifecycle/token_stores.ts";
import { setProfile, useProfile } from "../../profiles/edit_profiles.ts";
import { readUserProfiles } from "../../profiles/profile_file.ts";
import { isProfileName } from "../../profiles/profile_settings.ts";
import { Secret } from "../../secret.ts";
import type { Storage, TokenRecord } from "../../store/state.ts";
import { accountOf, isBlank, trimToken, validateToken } from "../../token/token_value.ts";
import { namesOf } from "../global_options.ts";
import { canAsk, interruptible, type Io } from "../io.ts";
import type { LoginOptions } from "../manual/auth_commands.ts";
import type { OwnCall } from "../manual/manual.ts";
import { cell, fixed, line } from "../output/out.ts";
import type { Reporter } from "../output/report.ts";
import {
  askSecret,
  askText,
  readCredentials,
  readStandardInput,
  requireConfirmation,
  requireConsent,
} from "../prompts.ts";
import { openConnection, type OwnConnection } from "../settings.ts";
import {
  checkOf,
  describeOwner,
  findOwner,
  requireUsers,
  storesOf,
  tellStored,
  warnOfFile,
  warnOfShadows,
  warnOfSuperAdmin,
} from "./account.ts";

const PASSWORD_OPTIONS = [
  "--username",
  "--password-stdin",
  "--login-option",
  "--name",
  "--expires-in",
] as const;

/** What the Admin API of API7 Enterprise listens at out of the box. */
const USUAL_SERVER = "https://localhost:7443";

export async function authLogin(call: OwnCall<LoginOptions>, io: Io): Promise<number> {
  const { options } = call;
  const { storage = "keychain", withToken } = options;
  const connected = await openConnection(call, io, {
    backend: withToken ? undefined : "api7ee",
    askServer: withToken ? undefined : () => askServer(io),
  });
  const { connection } = connected;
  if (connection.args.tokens.length > 0) {
    throw new UsageError(
      "Cannot store the token of --token: other users of this machine can see it",
      { suggestion: "Use --with-token to read it from standard input." },
    );
  }
  for (const flag of PASSWORD_OPTIONS) {
    const value = options[namesOf({ flags: flag }).key as keyof LoginOptions];
    // A variable that is not set, most likely: the default would not be what was meant.
    if (value === "") throw new UsageError(`Option "${flag}" is empty`);
    if (withToken && value !== undefined) {
      throw new UsageError(`Cannot use ${flag} with --with-token: there is no login`);
    }
  }
  const login = withToken ? loginWithToken : loginWithPassword;
  return await login({ ...call, ...connected, storage }, io);
}

type LoginCommand = OwnCall<LoginOptions> & OwnConnection & { readonly storage: Storage };

async function askServer(io: Io): Promise<string | undefined> {
  if (!canAsk(io)) return undefined;
  let server = await askText("Server", io, { placeholder: USUAL_SERVER }) || USUAL_SERVER;
  while (!/^https?:\/\//i.test(server) || !URL.canParse(server)) {
    server = await askText("Server, with https:// or http://", io, {
      initialValue: server.includes("://") ? server : `https://${server}`,
    });
  }
  return server;
}

async function loginWithPassword(command: LoginCommand, io: Io): Promise<number> {
  const { options, connection, sources, reporter, storage } = command;
  const name = options.name === undefined ? undefined : requireTokenName(options.name);
  const lifetime = options.expiresIn === undefined
    ? DEFAULT_LIFETIME
    : await readLifetime(options.expiresIn, "--expires-in");
  requireUsers(connection, "log in", {
    suggestion: `Store its admin key instead: ${
      adcRunCommand("auth login --with-token < key.txt", connection)
    }`,
  });
  const { backend, server, profile } = connection;
  if (server.origin.kind === "default") {
    const set = `adc-run profile set ${profile?.name ?? "NAME"} --backend ${backend.value}`;
    throw new ConnectionError("Cannot log in: no server is set", EXIT.config, {
      suggestion: `Add --server URL, or set ADC_SERVER, or create a profile: ${set} --server URL`,
    });
  }
  await requireConsent(connection, { yes: options.yes, io });
  const stores = storesOf(io, reporter);
  const { folder } = stores;
  const [{ origin }] = connection.servers as [Connection["servers"][0]];
  const requirePlaces = async (signal: AbortSignal) => {
    io.sign?.show(line`waiting for ${connection.server.value}`);
    await previousToken({ stores, storage, account: accountOf(origin, connection) });
    // A password is not tried on whatever answers at ADC's default.
    if (command.backendIsAssumed || canAsk(io)) await requireApi7(command, signal);
    io.sign?.hide();
  };
  // Whatever stands in the way is found out before anybody types a password.
  if (canAsk(io)) await interruptible(io, requirePlaces);
  const warning = plainPasswordWarning(connection);
  if (warning !== undefined) reporter.warn(warning);
  const logIn = async (credentials: Credentials, signal: AbortSignal) => {
    if (!canAsk(io)) await requirePlaces(signal);
    io.sign?.show(line`logging in at ${connection.server.value}`);
    const session = await openSession(connection, { credentials, signal });
    const { api, user } = session;
    io.secrets.watch(api);
    try {
      warnOfSuperAdmin(user, reporter);
      const profile = command.serverIsTyped ? await askProfile(user.username, io) : undefined;
      const target = profile === undefined ? connection : { ...connection, profile };
      const account = accountOf(origin, target);
      io.sign?.show(fixed("creating the token"));
      const replace = () =>
        replaceToken(api, {
          connection: target,
          stores,
          storage,
          account,
          user,
          name,
          expiresAt: endOf(lifetime, Date.now() + api.clockSkewMs),
          confirm: confirmReplacement(options, io),
          check: checkOf(command, io, { connection, signal }),
          onWarning: reporter.warn,
          signal,
          now: Date.now,
        });
      const kept = await withAccount(account, replace, { folder, signal });
      io.sign?.hide();
      await warnOfShadows(connection, { sources, storage }, reporter);
      if (storage === "file") warnOfFile(reporter);
      const exitCode = tellStored("stored token", { ...kept, user }, { ...command, folder });
      const { revoked } = kept;
      if (revoked !== undefined) reporter.info(line`revoked the old token "${revoked}"`);
      if (profile === undefined) tellSettings(connection, reporter);
      else {
        const { username } = user;
        await saveProfile(profile.name, { connection, username, reporter, io });
      }
      return exitCode;
    } finally {
      await session.close();
    }
  };
  const exitCode = await withTries(
    (before) => readCredentials(connection, { options, io, before }),
    (credentials) =>
      interruptible(io, (signal) => {
        const work = () => logIn(credentials, signal);
        return withLogIn(connection, credentials, work, { folder, signal });
      }),
  );
  return exitCode!;
}

/** A name for a server that was typed, which would have to be typed again otherwise. */
async function askProfile(username: string, io: Io): Promise<Profile | undefined> {
  const { path, profiles } = await readUserProfiles(io.env);
  const suggested = [username, `${username}-2`].find((each) =>
    isProfileName(each) && !profiles.has(each)
  );
  for (;;) {
    const question = "Save as a profile? Enter a name, or leave it empty to skip";
    const name = await askText(question, io, suggested ? { initialValue: suggested } : {});
    if (name === "") return undefined;
    if (isProfileName(name) && !profiles.has(name)) {
      return { name, file: path, project: false, explicit: false };
    }
  }
}

async function saveProfile(
  name: string,
  { connection, username, reporter, io }: {
    readonly connection: Connection;
    readonly username: string;
    readonly reporter: OwnCall["reporter"];
    readonly io: Io;
  },
): Promise<void> {
  const { backend, server, gatewayGroup, tls } = connection;
  const set = {
    backend: backend.value,
    server: server.value,
    // A name that the server made of a secret is not to be remembered.
    ...cell(username, io) === username && { username },
    ...gatewayGroup.origin.kind !== "default" && { gatewayGroup: gatewayGroup.value },
    ...tls.caCertFile && { caCertFile: resolve(io.cwd, tls.caCertFile.value.path) },
    ...tls.skipVerify.value && { tlsSkipVerify: true },
  };
  const { before } = await setProfile(name, { env: io.env, set });
  if (before.use === undefined) await useProfile(name, { env: io.env });
  const use = before.use === undefined ? ", used by default" : `; use it with -p ${name}`;
  reporter.info(line`saved profile ${name}${fixed(use)}`);
}

/** A pipeline may live by the token that is stored: only the very same one is replaced unasked. */
function confirmReplacement({ replace }: LoginOptions, io: Io) {
  return async ({ storage, name, user, fingerprint }: TokenRecord): Promise<void> => {
    if (replace) return;
    const holds = `The ${titleOf(storage)} holds "${name ?? fingerprint}" of ${
      user ?? "another user"
    }`;
    if (!canAsk(io)) {
      throw new UsageError(`Cannot log in: the ${holds.slice(4)}, which would be revoked`, {
        suggestion: "Use --replace, or store this one for a profile: adc-run -p NAME auth login",
      });
    }
    await requireConfirmation(`${holds}. Replace it?`, io);
  };
}

/** What a server that nobody called API7 Enterprise has to know before it gets a password. */
async function requireApi7(
  { connection, backendIsAssumed }: OwnConnection,
  signal: AbortSignal,
): Promise<void> {
  try {
    await requireLoginServer(connection, { signal });
  } catch (error) {
    const isOther = error instanceof AdminApiError && error.exitCode !== EXIT.unavailable;
    if (!isOther || !backendIsAssumed) throw error;
    const { request, reason, httpStatus } = error;
    throw new AdminApiError({
      failure: "wrong-server",
      request,
      reason,
      httpStatus,
      suggestion:
        "No password was sent: no backend is set, and the server is not API7 Enterprise. " +
        "Check --server or ADC_SERVER. For Apache APISIX, store the admin key with " +
        '"auth login --with-token". To log in anyway, add --backend api7ee.',
    });
  }
}

/** What a run has to be told again, unless a profile keeps it. */
function tellSettings({ backend, server, profile, args }: Connection, reporter: Reporter): void {
  const values = { ...args.flags, backend: backend.value, server: server.value };
  const missing = (Object.keys(args.flags) as SettingKey[]).flatMap((key) => {
    const { variable } = ADC_SETTINGS[key];
    return variable === undefined ? [] : [`${variable}=${values[key]}`];
  });
  if (missing.length > 0 && profile === undefined) {
    reporter.info(line`to use it, set ${missing.join(", ")}`);
  }
}

async function loginWithToken(command: LoginCommand, io: Io): Promise<number> {
  const { options, connection, sources, reporter, storage } = command;
  const stores = storesOf(io, reporter);
  for (const { origin } of connection.servers) {
    await previousToken({ stores, storage, account: accountOf(origin, connection) });
  }
  const token = await readToken(connection, io);
  if (options.check) await requireConsent(connection, { yes: options.yes, io, what: "a token" });
  const ifRejected = BACKENDS[connection.backend.value].hasUsers
    ? "Copy the whole token again, or create one in the Dashboard (Organization > Tokens)."
    : "Copy the whole key again.";
  if (options.check) {
    await requireAccepted(token, { connection, onWarning: reporter.warn, ifRejected });
  }
  const owner = options.check ? await findOwner(connection, token, reporter) : undefined;
  const tokens = new Map<string, Secret>();
  for (const [index, each] of tokensByServer(connection, token).entries()) {
    tokens.set(connection.servers[index]!.origin, each);
  }
  const { folder } = stores;
  const { warn: onWarning } = reporter;
  const revoked: string[] = [];
  for (const [origin, each] of tokens) {
    const account = accountOf(origin, connection);
    const confirm = confirmReplacement(options, io);
    const place = { connection, stores, storage, account, origin, confirm, onWarning };
    // A name that the server made of a secret is not to be remembered.
    const user = owner && { ...owner, username: cell(owner.username, io) };
    const adopt = () => adoptToken(each, { ...place, user });
    revoked.push(...await withAccount(account, adopt, { folder }));
  }
  await warnOfShadows(connection, { sources, storage }, reporter);
  if (storage === "file") warnOfFile(reporter);
  const accounts = [...tokens.keys()].map((origin) => accountOf(origin, connection));
  if (options.json) {
    const { redacted, fingerprint } = token;
    return reporter.answer({
      stored: storage,
      accounts,
      redacted,
      fingerprint,
      owner,
      revoked: revoked.length > 0 ? revoked : undefined,
    });
  }
  const whose = owner === undefined ? fixed("") : line` of ${describeOwner(owner)}`;
  reporter.info(
    line`stored token ${token}${whose} in ${describeEntries(accounts, { storage, folder })}`,
  );
  for (const name of revoked) reporter.info(line`revoked the old token "${name}"`);
  return 0;
}

async function readToken(connection: Connection, io: Io): Promise<Secret> {
  const { backend, server } = connection;
  const given = canAsk(io)
    ? await askSecret(`Token for ${backend.value} at ${server.value}`, io)
    : new Secret(await readStandardInput(io));
  const token = trimToken(given, backend.value);
  if (isBlank(token.reveal())) {
    throw new AdcRunError("Cannot log in: no token on standard input", EXIT.data, {
      suggestion: `Pipe it in: ${adcRunCommand("auth login --with-token < token.txt", connection)}`,
    });
  }
  const defect = validateToken(token, backend.value);
  if (defect !== undefined) {
    throw new AdcRunError(`Cannot use the token on standard input: ${defect}`, EXIT.data, {
      suggestion: "Copy it again, without quotes, spaces or line breaks.",
    });
  }
  return token;
}
