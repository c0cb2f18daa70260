import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import type { Connection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { SourceError } from "../../src/errors.ts";
import { adminApiSource } from "../../src/lifecycle/admin_api_source.ts";
import type { AdminApiSourceOptions } from "../../src/lifecycle/admin_api_source.ts";
import { resolveToken } from "../../src/token/resolve.ts";
import { breakage } from "../support/asking.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { assertDiscreet, failureOf, NOW, prepare, USERS } from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const LOGIN = { API7_USERNAME: "ann", API7_PASSWORD: USERS.ann };

function sourceOf(
  it: Fixture,
  { env = {}, ...more }: Partial<AdminApiSourceOptions> = {},
): ReturnType<typeof adminApiSource> {
  const { keychain, onWarning } = it;
  const options = { keychain, onWarning, now: () => NOW, ...more };
  return adminApiSource({ ...options, env: { ...it.env, ...LOGIN, ...env } });
}

/** A connection that a `.env` file, or another one, has a part in. */
async function connectBy(
  file: string,
  { content, env = {}, args = [] }: {
    readonly content: string;
    readonly env?: Environment;
    readonly args?: readonly string[];
  },
): Promise<Connection> {
  await using folder = await temporaryFolder({ [file]: content });
  return await resolveConnection({
    args: ["sync", ...args],
    env: { ADC_BACKEND: "api7ee", ...env },
    cwd: folder.path,
    ...(file !== ".env" && { envFile: file }),
  });
}

test("`adminApiSource()` sends nothing to a server that .env alone names", async () => {
  await using it = await prepare();
  const connection = await connectBy(".env", { content: `ADC_SERVER=${it.account}` });
  const error = await breakage(sourceOf(it), connection);
  assert.equal(error.exitCode, 78);
  const reason = `the server ${it.account} is set only by ADC_SERVER in .env`;
  assert.ok(error.message.includes(`: ${reason}, so `), error.message);
  assert.match(error.suggestion!, /^To allow it, set it in the environment/);
  const asked: string[] = [];
  const refuses = (why: string) => Promise.resolve(asked.push(why) === 0);
  const refused = await breakage(sourceOf(it, { confirm: refuses }), connection);
  assert.deepEqual([asked, refused.exitCode], [[reason], 78]);
  assert.deepEqual([it.sandbox.requests, it.keychain.asked], [[], []]);
  assertDiscreet([error, refused], [USERS.ann]);
  // A survey does not log in either.
  assert.ok(await sourceOf(it).preview!({ connection, signal: new AbortController().signal }));
  assert.deepEqual(it.sandbox.requests, []);
});

test("`adminApiSource()` logs in there once a person agrees", async () => {
  await using it = await prepare();
  const connection = await connectBy(".env", { content: `ADC_SERVER=${it.account}` });
  const sources = [sourceOf(it, { confirm: () => Promise.resolve(true) })];
  assert.equal((await resolveToken({ connection, sources })).source, "admin-api");
});

test("`adminApiSource()` asks nobody about a server that was named by the user", async () => {
  await using it = await prepare();
  const content = `ADC_SERVER=${it.account}`;
  const connections = [
    await connectBy("mine.env", { content }),
    await connectBy(".env", { content, args: ["--server", it.account] }),
    await connectBy(".env", { content, env: { ADC_SERVER: it.account } }),
  ];
  const confirm = () => assert.fail("nobody is to be asked");
  for (const connection of connections) {
    const sources = [sourceOf(it, { confirm })];
    assert.equal((await resolveToken({ connection, sources })).source, "admin-api");
  }
});

test("`adminApiSource()` sends nothing through a proxy that .env alone names", async () => {
  await using it = await prepare();
  const server = "http://gateway.example";
  const connection = await connectBy(".env", {
    content: `HTTP_PROXY=${it.account}`,
    env: { ADC_SERVER: server },
  });
  assert.equal(connection.proxies[0]?.host.origin.kind, "env-file");
  const error = await breakage(sourceOf(it), connection);
  assert.equal(error.exitCode, 78);
  assert.match(error.message, /: the proxy .* is set only by HTTP_PROXY in \.env, so /);
  assert.deepEqual(it.sandbox.requests, []);
});

test("`adminApiSource()` sends nothing where the keychain is locked", async () => {
  await using it = await prepare();
  const keychain = fakeKeychain({}, { failure: "locked" });
  const error = await breakage(sourceOf(it, { keychain }), it.connection);
  assert.match(error.message, /: it is locked$/);
  assert.equal(error.exitCode, 74);
  assert.deepEqual(it.sandbox.requests, []);
});

test("`resolveToken()` ends with 77 where the password is wrong", async () => {
  await using it = await prepare();
  const wrong = "canary-wrong-password";
  const error = await breakage(sourceOf(it, { env: { API7_PASSWORD: wrong } }), it.connection);
  assert.equal(error.exitCode, 77);
  assert.match(error.message, /incorrect/);
  assert.notEqual(error.suggestion, undefined);
  assertDiscreet(error, [wrong]);
  assert.deepEqual([it.sandbox.tokens, it.sandbox.openSessions], [[], 0]);
});

test("`resolveToken()` ends with 69 where the server is down", async () => {
  await using it = await prepare();
  await it.sandbox.stop();
  const error = await breakage(sourceOf(it), it.connection);
  assert.equal(error.exitCode, 69);
  assertDiscreet(error, [USERS.ann]);
});

test("`adminApiSource()` closes the session whatever fails after the login", async () => {
  const create = { method: "POST", path: "/api/tokens" };
  for (const ephemeral of [undefined, "1s"]) {
    for (const match of ["/api/me", create]) {
      await using it = await prepare();
      it.sandbox.fault(match, { kind: "status", status: 403, body: { error_msg: "no" } });
      const error = await breakage(sourceOf(it, { ephemeral }), it.connection);
      assert.equal(error.exitCode, 77);
      assert.equal(it.sandbox.requests.filter(({ path }) => path === "/api/login").length, 1);
      assert.deepEqual([it.sandbox.openSessions, it.live()], [0, []]);
      assert.deepEqual(await it.stores.journal.list(), []);
      assertDiscreet(error, [USERS.ann, ...it.sandbox.secrets]);
    }
  }
});

test("`adminApiSource()` revokes a token that the keychain does not take", async () => {
  await using it = await prepare();
  const keychain = { ...it.keychain, set: () => Promise.resolve() };
  const error = await breakage(sourceOf(it, { keychain }), it.connection);
  assert.match(error.message, /it is not there afterwards$/);
  assert.equal(error.exitCode, 74);
  assert.deepEqual([it.sandbox.tokens.length, it.live(), it.sandbox.openSessions], [1, [], 0]);
  assert.deepEqual(await it.stores.journal.list(), []);
});

test("`resolveToken()` that is given up waits for the token to be revoked", async () => {
  for (const ephemeral of [undefined, "1s"]) {
    await using it = await prepare();
    const controller = new AbortController();
    const reason = new Error("enough");
    const hold = it.sandbox.hold({ method: "POST", path: "/api/tokens" }, "after");
    const { connection } = it;
    const sources = [sourceOf(it, { ephemeral })];
    const resolving = failureOf(resolveToken({ connection, sources, signal: controller.signal }));
    await hold.arrived;
    controller.abort(reason);
    hold.release();
    assert.equal(await resolving, reason);
    assert.equal(it.sandbox.tokens.length, 1);
    assert.deepEqual([it.live(), it.sandbox.openSessions], [[], 0]);
  }
});

test("a failure of the source is a `SourceError` with what led to it", async () => {
  await using it = await prepare();
  it.sandbox.fault("/api/login", { kind: "status", status: 500 });
  const error = await breakage(sourceOf(it), it.connection);
  assert.ok(error instanceof SourceError);
  assert.deepEqual([error.source, error.exitCode], ["admin-api", 69]);
  assert.equal((error.cause as Error).name, "AdminApiError");
});
