/**
 * A server with a user, a configuration folder, and what is kept in it, for the tests of a token's life.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { inspect } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { openSession } from "../../src/lifecycle/open_session.ts";
import type { Session } from "../../src/lifecycle/open_session.ts";
import { replaceToken } from "../../src/lifecycle/replace_token.ts";
import type { KeptToken, ReplaceTokenOptions } from "../../src/lifecycle/replace_token.ts";
import { openTokenStores } from "../../src/lifecycle/token_stores.ts";
import type { TokenStores } from "../../src/lifecycle/token_stores.ts";
import { Secret } from "../../src/secret.ts";
import type { JournalEntry } from "../../src/store/journal.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import type { ProcessIdentity } from "../../src/store/process_identity.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { fakeKeychain } from "./fake_keychain.ts";
import type { FakeKeychain } from "./fake_keychain.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import type { TemporaryFolder } from "./temporary_folder.ts";

/** The users that the server knows, and their passwords. */
export const USERS = { ann: "canary-password-of-ann", bob: "canary-password-of-bob" } as const;

/** One of them. */
export type UserName = keyof typeof USERS;

/** What a test works with. */
export interface Fixture extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: TemporaryFolder;
  /** Says where the configuration folder is; not there at first. */
  readonly env: Environment;
  readonly keychain: FakeKeychain;
  readonly stores: TokenStores;
  readonly connection: Connection;
  /** The account of the server: its origin. */
  readonly account: string;
  /** What a person was told. */
  readonly warnings: string[];
  readonly onWarning: (warning: string) => void;
  /** Logs in; the session ends with the fixture. */
  readonly logIn: (name?: UserName) => Promise<Session>;
  /** The user's tokens that are alive, by name. */
  readonly live: (name?: UserName) => readonly string[];
  /** What the server was asked from the last call on, as far as it changes something. */
  readonly changes: () => readonly string[];
  /** Adds an entry to the journal in the name of another process, by default of one that has ended. */
  readonly leave: (
    entry: Partial<Omit<JournalEntry, "key">> & { readonly name: string },
  ) => Promise<JournalEntry>;
  /** Makes all that is in the journal look as if its process had been killed. */
  readonly die: () => Promise<void>;
}

/**
 * Starts a server that knows two users.
 *
 * @param options The keychain.
 * @returns The fixture; `await using` ends it.
 */
export async function prepare(
  { keychain = fakeKeychain() }: { readonly keychain?: FakeKeychain } = {},
): Promise<Fixture> {
  const sandbox = await startSandbox();
  const folder = await temporaryFolder();
  const users = Object.fromEntries(
    Object.entries(USERS).map(([username, password]) => [
      username,
      sandbox.addUser({ username, password }),
    ]),
  );
  const env = { ADC_RUN_CONFIG_DIR: join(folder.path, "config") };
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  const stores = openTokenStores({ env, keychain, onWarning });
  const connection = await connect(sandbox.url);
  const sessions: Session[] = [];
  let seen = 0;
  return {
    sandbox,
    folder,
    env,
    keychain,
    stores,
    connection,
    account: sandbox.url,
    warnings,
    onWarning,
    logIn: async (name = "ann") => {
      const credentials = { username: name, password: new Secret(USERS[name]) };
      const session = await openSession(connection, { credentials });
      sessions.push(session);
      return session;
    },
    live: (name = "ann") =>
      sandbox.liveTokens.filter(({ user }) => user?.username === name).map((each) => each.name),
    changes: () => {
      const fresh = sandbox.requests.slice(seen);
      seen = sandbox.requests.length;
      return fresh.filter(({ method }) => method !== "GET")
        .map(({ method, path }) => `${method} ${path}`);
    },
    leave: async (entry) => {
      const { key } = await stores.journal.add({
        kind: "mint",
        origin: sandbox.url,
        userId: users.ann!.id,
        begunAt: NOW / 1000,
        ...entry,
      });
      await stores.journal.change(key, { owner: entry.owner ?? await endedProcess() });
      return (await stores.journal.list()).find((each) => each.key === key)!;
    },
    die: async () => {
      const owner = await endedProcess();
      for (const { key } of await stores.journal.list()) {
        await stores.journal.change(key, { owner });
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) await session.close();
      await sandbox.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The clock of {@linkcode replace}, in milliseconds. */
export const NOW = Date.UTC(2100, 0, 1);

/** The end of the tokens that {@linkcode replace} makes, in Unix seconds. */
export const END = NOW / 1000 + 3600;

/** Logs in and replaces the token in the keychain, unless it is told otherwise. */
export async function replace(
  it: Fixture,
  { as, ...more }: Partial<ReplaceTokenOptions> & { readonly as?: UserName } = {},
): Promise<KeptToken> {
  const { api, user } = await it.logIn(as);
  return await replaceToken(api, {
    ...it,
    user,
    storage: "keychain",
    expiresAt: END,
    check: () => Promise.resolve(),
    now: () => NOW,
    ...more,
  });
}

/** A connection to a server, as the environment makes it. */
export function connect(url: string, ...flags: readonly string[]): Promise<Connection> {
  const env = { ADC_BACKEND: "api7ee", ADC_SERVER: url };
  return resolveConnection({ args: ["sync", ...flags], env, cwd: "/nowhere" });
}

/** A process of this machine that has come to its end; another with its number is not it. */
export async function endedProcess(): Promise<ProcessIdentity> {
  const child = spawn("true");
  await once(child, "close");
  return { ...await ownIdentity(), pid: child.pid!, started: "1" };
}

/** What a call is rejected with. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    (value) => assert.fail(`It did not fail: ${inspect(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, inspect(error));
  return error;
}

/** Holds values against everything that they can be shown as. */
export function assertDiscreet(shown: unknown, secrets: readonly string[]): void {
  const text = inspect(shown, { depth: 20, showHidden: true }) + JSON.stringify(shown);
  for (const secret of secrets) assert.ok(!text.includes(secret), "A secret can be seen");
}
