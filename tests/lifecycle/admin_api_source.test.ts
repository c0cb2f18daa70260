import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { adminApiSource } from "../../src/lifecycle/admin_api_source.ts";
import type { AdminApiSourceOptions } from "../../src/lifecycle/admin_api_source.ts";
import { DEFAULT_LIFETIME } from "../../src/lifecycle/expiry.ts";
import { defaultTokenName } from "../../src/lifecycle/mint_token.ts";
import { Secret } from "../../src/secret.ts";
import { surveyTokens } from "../../src/token/resolve.ts";
import type { ResolvedToken } from "../../src/token/resolve.ts";
import { absence, connect as connectTo, find } from "../support/asking.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import {
  assertDiscreet,
  connect,
  NOW,
  prepare,
  replace,
  USERS,
} from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const NAME = defaultTokenName("ann");
const LOGIN = { API7_USERNAME: "ann", API7_PASSWORD: USERS.ann };

/** Asks the source alone, as ann. */
async function ask(
  it: Fixture,
  { env = {}, ...more }: Partial<AdminApiSourceOptions> = {},
): Promise<ResolvedToken> {
  const { connection, keychain, onWarning } = it;
  const source = adminApiSource({
    keychain,
    onWarning,
    now: () => NOW,
    env: { ...it.env, ...LOGIN, ...env },
    ...more,
  });
  return await find([source], { connection });
}

const HOUR = 60 * 60 * 1000;

/** The token lives for the run alone, for so many milliseconds at most. */
async function assertLent(it: Fixture, resolved: ResolvedToken, ttl: number): Promise<void> {
  const { token, lease, detail } = resolved;
  const [made, ...others] = it.sandbox.tokens;
  assert.deepEqual([made!.value, made!.expiresAt], [token.reveal(), (NOW + ttl) / 1000]);
  assert.deepEqual(others, []);
  assert.match(lease!.name, /^adc-run-ephemeral-[0-9a-f]{8}$/);
  assert.equal(detail, `logged in as ann: "${lease!.name}", for this run only`);
  assert.equal(it.keychain.entries.size, 0);
  assert.deepEqual(await it.stores.state.list(), []);
  assert.equal(it.sandbox.openSessions, 1, "the session has to revoke the token yet");
  await lease!.release();
  assert.deepEqual([it.live(), await it.stores.journal.list()], [[], []]);
  assert.equal(it.sandbox.openSessions, 0);
}

test("`adminApiSource()` says what is missing for a login", async () => {
  const connection = await connect("http://127.0.0.1:1");
  const reasons: readonly [env: Record<string, string>, reason: string][] = [
    [{}, "API7_USERNAME and API7_PASSWORD are not set"],
    [{ API7_USERNAME: "ann" }, "API7_PASSWORD is not set"],
    [{ API7_USERNAME: "ann", API7_PASSWORD: "" }, "API7_PASSWORD is not set"],
    [{ API7_PASSWORD: "x" }, "API7_USERNAME is not set"],
    [{ API7_USERNAME: " ", API7_PASSWORD: "x" }, "API7_USERNAME is not set"],
  ];
  for (const [env, reason] of reasons) {
    assert.equal(await absence(adminApiSource({ env }), connection), reason);
  }
  for (const backend of ["apisix", "apisix-standalone"]) {
    const other = await connectTo(`sync --backend ${backend}`);
    const reason = `backend "${backend}" has no login`;
    assert.equal(await absence(adminApiSource({ env: LOGIN }), other), reason);
    const asks = adminApiSource({ env: {}, ask: () => assert.fail("nobody is to be asked") });
    assert.equal(await absence(asks, other), reason);
  }
});

test("`adminApiSource()` takes a run's options, and its own questions, for nothing else", async () => {
  await using it = await prepare();
  await replace(it, { as: "bob" });
  await it.keychain.delete(it.account);
  const confirm = () => assert.fail("nobody is to be asked");
  // `runAdc()` hands all that it was told to its sources.
  const run = { check: false, name: "other", token: undefined };
  const { token } = await ask(it, { ...run, confirm });
  assert.equal((await it.keychain.get(it.account))?.reveal(), token.reveal());
  assert.deepEqual(it.live(), [NAME]);
});

test("`adminApiSource()` keeps the token in the keychain for 30 days", async () => {
  await using it = await prepare();
  const resolved = await ask(it);
  const { token, source, detail, lease } = resolved;
  assert.deepEqual([source, lease], ["admin-api", undefined]);
  assert.equal(detail, `logged in as ann: "${NAME}", now in the keychain`);
  const [made, ...others] = it.sandbox.tokens;
  assert.deepEqual(others, []);
  assert.equal(made!.expiresAt, (NOW + DEFAULT_LIFETIME) / 1000);
  assert.deepEqual([...it.keychain.entries], [[it.account, token.reveal()]]);
  const [record] = await it.stores.state.list();
  assert.deepEqual([record!.id, record!.storage, record!.name], [made!.id, "keychain", NAME]);
  assert.deepEqual([it.live(), await it.stores.journal.list(), it.warnings], [[NAME], [], []]);
  assert.equal(it.sandbox.openSessions, 0);
});

test("`adminApiSource()` makes a token for the run alone in a pipeline", async () => {
  await using it = await prepare();
  await assertLent(it, await ask(it, { env: { CI: "true" } }), HOUR);
});

test("`adminApiSource()` makes a token for the run alone without a keychain", async () => {
  await using it = await prepare();
  const keychain = fakeKeychain({}, { failure: "unavailable" });
  await assertLent(it, await ask(it, { keychain }), HOUR);
});

test("`adminApiSource()` makes a token for the run alone where that was asked for", async () => {
  await using it = await prepare();
  await assertLent(it, await ask(it, { ephemeral: "90s" }), 90_000);
});

test("`adminApiSource()` leaves a token in the keychain alone", async () => {
  await using it = await prepare();
  const { value } = it.sandbox.addToken({ user: "ann", name: "in use" });
  await it.keychain.set(it.account, new Secret(value));
  const { token, lease } = await ask(it);
  assert.deepEqual(it.live(), ["in use", lease!.name]);
  assert.notEqual(token.reveal(), value);
  await lease!.release();
  assert.deepEqual([it.live(), [...it.keychain.entries.values()]], [["in use"], [value]]);
});

test("`adminApiSource()` keeps one token where two runs log in at once", async () => {
  await using it = await prepare();
  const [one, other] = await Promise.all([ask(it), ask(it)]);
  assert.equal(one.token.reveal(), other.token.reveal());
  assert.deepEqual([it.live(), it.sandbox.tokens.length], [[NAME], 1]);
  assert.deepEqual(
    [one.detail, other.detail].sort(),
    [
      `logged in as ann: "${NAME}", now in the keychain`,
      "stored in the keychain by another run just now",
    ],
  );
  assert.equal(it.sandbox.openSessions, 0);
});

test("`adminApiSource()` tells what must stay secret: the password and the session", async () => {
  for (const ephemeral of [undefined, "1s"]) {
    await using it = await prepare();
    const resolved = await ask(it, { ephemeral });
    const secrets = resolved.secrets!.map((secret) => secret.reveal());
    const cookies = it.sandbox.secrets.filter((each) => each !== resolved.token.reveal());
    assert.equal(cookies.length, 1);
    for (const value of [USERS.ann, ...cookies]) assert.ok(secrets.includes(value));
    assertDiscreet(resolved, [USERS.ann, ...it.sandbox.secrets]);
    await resolved.lease?.release();
  }
});

test("`adminApiSource()` clears up before it makes a token for the run", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ kind: "ephemeral", name: "left", id });
  const { lease } = await ask(it, { ephemeral: "1s" });
  assert.deepEqual(it.live(), [lease!.name]);
  await lease!.release();
});

test("`adminApiSource()` asks for what the environment does not say", async () => {
  await using it = await prepare();
  const asked: unknown[] = [];
  const { detail } = await ask(it, {
    env: { API7_USERNAME: "bob", API7_PASSWORD: undefined },
    ask: ({ server }, known) => {
      asked.push([server.value, known]);
      return Promise.resolve({ username: "bob", password: new Secret(USERS.bob) });
    },
  });
  assert.deepEqual(asked, [[it.account, { username: "bob" }]]);
  assert.match(detail, /^logged in as bob: /);
  const { lease } = await ask(it, { ask: () => assert.fail("nobody is to be asked") });
  await lease!.release();
});

test("`adminApiSource()` warns of a Super Admin", async () => {
  await using it = await prepare();
  it.sandbox.addUser({ username: "root", password: "canary-root", superAdmin: true });
  await ask(it, { env: { API7_USERNAME: "root", API7_PASSWORD: "canary-root" } });
  assert.equal(it.warnings.length, 1);
  assert.match(it.warnings[0]!, /^"root" is a Super Admin\. /);
});

test("`surveyTokens()` has no token made: it is told what a run would do", async () => {
  await using it = await prepare();
  const connection = it.connection;
  const say = async (options: AdminApiSourceOptions, to = connection) => {
    const sources = [adminApiSource(options)];
    const { trail, winner } = await surveyTokens({ connection: to, sources });
    assert.equal(winner, undefined);
    assert.deepEqual([trail[0]!.source, trail[0]!.status], ["admin-api", "not-asked"]);
    return trail[0]!.detail;
  };
  const never = () => assert.fail("nobody is to be asked");
  assert.equal(await say({ env: LOGIN }), "a run would log in as ann");
  assert.equal(await say({ env: {} }), "API7_USERNAME and API7_PASSWORD are not set");
  assert.equal(
    await say({ env: {}, ask: never }),
    "a run would ask for a user name and password, and log in",
  );
  const content = `ADC_BACKEND=api7ee\nADC_SERVER=${it.account}`;
  await using folder = await temporaryFolder({ ".env": content });
  const byFile = await resolveConnection({ args: ["sync"], env: {}, cwd: folder.path });
  assert.match(
    await say({ env: LOGIN }, byFile),
    /^the server .* is set only by .* \.env, so no /,
  );
  assert.equal(
    await say({ env: LOGIN, confirm: () => assert.fail("nobody is to be asked") }, byFile),
    "a run would log in as ann",
  );
  const apisix = await resolveConnection({ args: ["sync"], env: {}, cwd: "/nowhere" });
  assert.equal(await say({ env: LOGIN }, apisix), `backend "apisix" has no login`);
  assert.deepEqual([it.sandbox.requests, it.keychain.asked], [[], []]);
});
