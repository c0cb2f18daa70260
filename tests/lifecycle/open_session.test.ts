import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { CheckError } from "../../src/check/verdict.ts";
import { openSession, openTokenSession } from "../../src/lifecycle/open_session.ts";
import { Secret } from "../../src/secret.ts";
import type { TokenRecord } from "../../src/store/state.ts";
import { assertDiscreet, failureOf, NOW, prepare, USERS } from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";

const ANN = { username: "ann", password: new Secret(USERS.ann) };

/** Opens a session with a token that was found in the environment. */
function openWith({ connection }: Fixture, value: string, record?: TokenRecord) {
  const token = new Secret(value);
  const resolved = { token, source: "env", detail: "ADC_TOKEN", trail: [] };
  return openTokenSession(connection, { resolved, record, now: NOW, env: {} });
}

test("`openSession()` logs in and says who it is; closing it logs out", async () => {
  await using it = await prepare();
  const { user, close } = await openSession(it.connection, { credentials: ANN });
  assert.deepEqual([user.username, user.superAdmin], ["ann", false]);
  assert.equal(it.sandbox.openSessions, 1);
  await close();
  await close();
  assert.equal(it.sandbox.openSessions, 0);
});

test("`openSession()` takes the login option that is named", async () => {
  await using it = await prepare();
  it.sandbox.addUser({ username: "eve", password: "canary-eve", ldap: "corp-ldap" });
  const credentials = { username: "eve", password: new Secret("canary-eve") };
  assert.ok(await failureOf(openSession(it.connection, { credentials })) instanceof AdminApiError);
  const loginOption = "Corporate LDAP";
  const { user, close } = await openSession(it.connection, {
    credentials: { ...credentials, loginOption },
  });
  assert.equal(user.username, "eve");
  await close();
});

test("`openSession()` logs out where it cannot find out who it is", async () => {
  await using it = await prepare();
  it.sandbox.fault("/api/me", { kind: "status", status: 500 });
  const error = await failureOf(openSession(it.connection, { credentials: ANN }));
  assert.ok(error instanceof AdminApiError);
  assert.equal(it.sandbox.openSessions, 0);
  assertDiscreet(error, [USERS.ann, ...it.sandbox.secrets]);
});

test("`openTokenSession()` asks with the token, and opens no session on the server", async () => {
  await using it = await prepare();
  const { value } = it.sandbox.addToken({ user: "bob" });
  const { user, close } = await openWith(it, value);
  assert.equal(user.username, "bob");
  await close();
  assert.deepEqual(it.changes(), []);
});

test("`openTokenSession()` says which token was refused, and whether its time is over", async () => {
  await using it = await prepare();
  const value = "a7ee-canary-refused";
  const token = new Secret(value);
  const { account } = it;
  const record = { account, origin: account, storage: "file", fingerprint: "0" } as const;
  const plain = await failureOf(openWith(it, value, record));
  assert.ok(plain instanceof CheckError);
  assert.deepEqual([plain.exitCode, plain.result.verdict], [77, "rejected"]);
  assert.ok(plain.message.includes(`with token ${token} from env (ADC_TOKEN)`), plain.message);
  const ended = await failureOf(openWith(it, value, { ...record, expiresAt: NOW / 1000 }));
  assert.equal(ended.message, `${plain.message}; the token expired on 2100-01-01`);
  assertDiscreet([plain, ended], [value]);
});
