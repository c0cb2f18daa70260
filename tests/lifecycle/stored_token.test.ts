import assert from "node:assert/strict";
import { test } from "node:test";
import { CheckError } from "../../src/check/verdict.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { AdcRunError } from "../../src/errors.ts";
import { logIn, type LogInOptions, rotateStoredToken } from "../../src/lifecycle/stored_token.ts";
import { createWorkflowToken, rotateWorkflowTokens } from "../../src/lifecycle/workflow_token.ts";
import { Secret } from "../../src/secret.ts";
import {
  assertDiscreet,
  failureOf,
  type Fixture,
  prepare,
  type UserName,
  USERS,
} from "../support/lifecycle_fixture.ts";

const DAY = 24 * 60 * 60;

/** The server's clock and this one are the same, and stand still. */
const NOW = Math.floor(Date.now() / 1000) * 1000;

function optionsFor(it: Fixture) {
  const { env, keychain, onWarning } = it;
  return { env, cwd: it.folder.path, keychain, onWarning, now: () => NOW };
}

function logInAs(it: Fixture, name: UserName, more: Partial<LogInOptions> = {}) {
  const credentials = { username: name, password: new Secret(USERS[name]) };
  return logIn(it.connection, { ...optionsFor(it), credentials, ...more });
}

function daysLeft({ expiresAt }: { readonly expiresAt: number | undefined }): number {
  return Math.round((expiresAt! - NOW / 1000) / DAY);
}

test("`logIn()` stores a token and logs out; `rotateStoredToken()` replaces it", async () => {
  await using it = await prepare();
  for (const storage of ["keychain", "file"] as const) {
    const stored = await logInAs(it, "ann", { name: "laptop", expiresIn: "90d", storage });
    const { token, id, account } = stored;
    assert.deepEqual([stored.name, stored.storage, account], ["laptop", storage, it.account]);
    assert.equal(daysLeft(stored), 90);
    assert.equal((await it.stores[storage].get(account))!.reveal(), token.reveal());
    assert.deepEqual([it.live(), it.sandbox.openSessions], [["laptop"], 0]);

    const same = await rotateStoredToken(it.connection, optionsFor(it));
    assert.deepEqual([same.name, same.revoked, daysLeft(same)], ["laptop", "laptop", 90]);
    const shorter = await rotateStoredToken(it.connection, { ...optionsFor(it), expiresIn: "7d" });
    assert.equal(daysLeft(shorter), 7);
    assert.equal(new Set([id, same.id, shorter.id]).size, 3);
    assert.equal((await it.stores[storage].get(account))!.reveal(), shorter.token.reveal());
    assert.deepEqual(it.live(), ["laptop"]);
    assertDiscreet([stored, same, shorter, it.warnings], [USERS.ann, ...it.sandbox.secrets]);
  }
});

test("`logIn()` replaces another user's token only where it may, and makes none before", async () => {
  await using it = await prepare();
  await logInAs(it, "bob", { name: "bob's" });
  const error = await failureOf(logInAs(it, "ann"));
  assert.equal(
    error.message,
    'Cannot log in: the keychain holds "bob\'s" of bob, which would be revoked',
  );
  assert.deepEqual([it.live("bob"), it.live(), it.sandbox.openSessions], [["bob's"], [], 0]);
  const { revoked } = await logInAs(it, "ann", { name: "ann's", replace: true });
  assert.deepEqual([revoked, it.live("bob"), it.live()], ["bob's", [], ["ann's"]]);
});

test("`logIn()` sends no password for a lifetime that is none, nor to no keychain", async () => {
  await using it = await prepare();
  const { keychain } = it;
  const broken = { ...keychain, get: () => Promise.reject(new Error("locked")) };
  for (const more of [{ expiresIn: "soon" }, { name: "x".repeat(41) }, { keychain: broken }]) {
    await failureOf(logInAs(it, "ann", more));
  }
  assert.deepEqual(it.sandbox.requests, []);
});

test("`logIn()` and `createWorkflowToken()` send no password where `.env` alone says, until told to", async () => {
  await using it = await prepare();
  await it.folder.write(".env", `ADC_SERVER=${it.sandbox.url}\n`);
  const env = { ...it.env, ADC_BACKEND: "api7ee" };
  const connection = await resolveConnection({ args: ["sync"], env, cwd: it.folder.path });
  const options = {
    ...optionsFor(it),
    credentials: { username: "ann", password: new Secret(USERS.ann) },
  };
  const workflow = { name: "ci", handOver: () => Promise.resolve() };
  for (
    const call of [
      () => logIn(connection, options),
      () => createWorkflowToken(connection, workflow, options),
      () => rotateWorkflowTokens(connection, [workflow], options),
    ]
  ) {
    const error = await failureOf(call());
    assert.ok(error instanceof AdcRunError && error.exitCode === 78);
    assert.match(error.message, /^Cannot send a password: the server .* is set only by ADC_SERVER/);
  }
  assert.deepEqual(it.sandbox.requests, []);
  await logIn(connection, { ...options, name: "laptop", consent: true });
  await createWorkflowToken(connection, workflow, { ...options, consent: true });
  assert.deepEqual(it.live(), ["laptop", "ci"]);
});

test("`logIn()` and `rotateStoredToken()` take back a token that does not work", async () => {
  await using it = await prepare();
  const { token } = await logInAs(it, "ann", { name: "laptop" });
  const group = { method: "GET", path: "/api/gateway_groups" };
  it.sandbox.fault(group, { kind: "status", status: 403, body: { error_msg: "no" } });
  for (
    const trial of [
      () => logInAs(it, "ann", { name: "laptop" }),
      () => rotateStoredToken(it.connection, optionsFor(it)),
    ]
  ) {
    const error = await failureOf(trial());
    assert.ok(error instanceof CheckError);
    assert.deepEqual([it.live(), it.sandbox.openSessions], [["laptop"], 0]);
    assert.equal((await it.keychain.get(it.account))!.reveal(), token.reveal());
  }
  await rotateStoredToken(it.connection, { ...optionsFor(it), check: false });
  assert.notEqual((await it.keychain.get(it.account))!.reveal(), token.reveal());
});

test("`rotateStoredToken()` says that nothing is stored", async () => {
  await using it = await prepare();
  const error = await failureOf(rotateStoredToken(it.connection, optionsFor(it)));
  assert.equal(error.message, `Cannot rotate: no token is stored for ${it.account}`);
  assert.deepEqual(it.sandbox.requests, []);
});
