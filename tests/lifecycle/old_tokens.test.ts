import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTokenName } from "../../src/lifecycle/mint_token.ts";
import { revokeBySelf } from "../../src/lifecycle/open_session.ts";
import { openTokenStores } from "../../src/lifecycle/token_stores.ts";
import { Secret } from "../../src/secret.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { failureOf, type Fixture, prepare, replace } from "../support/lifecycle_fixture.ts";
import { runSweep } from "./run_sweep.ts";

const NAME = defaultTokenName("ann");

/** The same folder on a machine, or in a session, that has no keychain. */
function withoutKeychain({ env, onWarning }: Fixture) {
  return openTokenStores({
    env,
    keychain: fakeKeychain({}, { failure: "unavailable" }),
    onWarning,
  });
}

test("another user's old token is revoked with itself", async () => {
  await using it = await prepare();
  const old = await replace(it, { as: "bob" });
  const revocations: (string | undefined)[] = [];
  it.sandbox.hooks.onRequest = ({ method, path, apiKey }) => {
    if (method === "DELETE" && path.endsWith(`/${old.record.id}`)) revocations.push(apiKey);
  };
  const { record, revoked } = await replace(it);
  assert.deepEqual(revocations, [old.token.reveal()]);
  assert.deepEqual([it.live("bob"), it.live()], [[], [NAME]]);
  assert.deepEqual([revoked, record.user], [old.record.name, "ann"]);
  assert.deepEqual([await it.stores.journal.list(), it.warnings], [[], []]);
});

test("another user's old token that is refused already is no failure", async () => {
  await using it = await prepare();
  const old = await replace(it, { as: "bob" });
  it.sandbox.revokeToken(old.token.reveal());
  await replace(it);
  assert.deepEqual([await it.stores.journal.list(), it.warnings], [[], []]);
});

test("another user's old token whose value is no longer stored is left to that user", async () => {
  await using it = await prepare();
  const old = await replace(it, { as: "bob" });
  await it.keychain.set(it.account, new Secret("a7ee-other"));
  const { revoked } = await replace(it);
  assert.deepEqual([revoked, it.live("bob")], [undefined, [old.record.name]]);
  assert.equal(
    it.warnings[0],
    `Old token "${old.record.name}" of bob could not be revoked (it belongs to another user and is ` +
      "no longer stored here); the next run tries again.",
  );
  assert.deepEqual((await it.stores.journal.list()).map(({ id }) => id), [old.record.id]);
  await it.die();
  assert.deepEqual(await runSweep(it), [], "ann cannot revoke it");
  assert.deepEqual(await runSweep(it, { as: "bob" }), [old.record.name]);
  assert.deepEqual([it.live("bob"), await it.stores.journal.list()], [[], []]);
});

test("the user's own old token is revoked by the session, though it has ended", async () => {
  await using it = await prepare();
  const old = await replace(it);
  it.sandbox.tokens[0]!.expiresAt = 1;
  await replace(it);
  assert.equal(it.sandbox.tokens[0]!.revoked, true);
  const revocation = it.sandbox.requests.find(({ method }) => method === "DELETE");
  assert.equal(revocation?.path, `/api/tokens/${old.record.id}`);
  assert.equal(revocation.apiKey, undefined);
});

test("a change of storage clears the other store, and what is known of its token", async () => {
  for (const [from, to] of [["keychain", "file"], ["file", "keychain"]] as const) {
    await using it = await prepare();
    const { account, stores } = it;
    const old = await replace(it, { storage: from });
    let meanwhile: string | undefined;
    it.sandbox.hooks.onRequest = async ({ method }) => {
      if (method === "DELETE") meanwhile = (await stores[from].get(account))?.reveal();
    };
    const { token, record } = await replace(it, { storage: to });
    assert.ok(meanwhile === old.token.reveal(), "it is revoked before it is forgotten");
    assert.equal(await stores[from].get(account), undefined);
    assert.equal((await stores[to].get(account))?.reveal(), token.reveal());
    assert.deepEqual(await stores.state.list(), [record]);
    assert.deepEqual([record.storage, record.name, it.live()], [to, NAME, [NAME]]);
    assert.deepEqual([await stores.journal.list(), it.warnings], [[], []]);
  }
});

test("a change of storage revokes another user's token with itself as well", async () => {
  await using it = await prepare();
  await replace(it, { as: "bob", storage: "keychain" });
  await replace(it, { storage: "file" });
  assert.deepEqual([it.live("bob"), it.live(), it.keychain.entries.size], [[], [NAME], 0]);
});

test("an old token in a keychain that is not there keeps nobody from storing one in a file", async () => {
  await using it = await prepare();
  const old = await replace(it);
  const stores = withoutKeychain(it);
  const { record, token } = await replace(it, { stores, storage: "file" });
  assert.equal((await stores.file.get(it.account))?.reveal(), token.reveal());
  assert.equal(record.storage, "file");
  assert.deepEqual(it.warnings, [
    "The old token is still in the keychain: Cannot remove the token from the keychain: it is unavailable",
  ]);
  assert.deepEqual([it.live(), await stores.journal.list()], [[NAME], []], "it is revoked");
  // The entry comes out as soon as the keychain can be asked.
  assert.equal(it.keychain.entries.get(it.account), old.token.reveal());
  assert.deepEqual((await stores.state.list()).map(({ storage }) => storage).sort(), [
    "file",
    "keychain",
  ]);
  // What it leaves to be cleared up keeps nobody from anything either.
  await it.die();
  const next = await replace(it, { stores, storage: "file" });
  assert.equal((await stores.file.get(it.account))?.reveal(), next.token.reveal());
  assert.equal(next.revoked, record.name);
});

test("an old token stays in the other store as long as it cannot be revoked", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const old = await replace(it);
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 403 });
  const { record } = await replace(it, { storage: "file" });
  assert.match(it.warnings[0]!, /^Old token ".+" of ann could not be revoked \(DELETE /);
  assert.ok(it.keychain.entries.get(account) === old.token.reveal());
  const known = (await stores.state.list()).map(({ id }) => id);
  assert.deepEqual(new Set(known), new Set([old.record.id, record.id]));
  assert.deepEqual((await stores.journal.list()).map(({ id }) => id), [old.record.id]);
});

test("an old token that adc-run did not make comes out of the other store", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  await it.keychain.set(account, new Secret("a7ee-brought"));
  const { fingerprint } = new Secret("a7ee-brought");
  await stores.state.put({ account, origin: account, storage: "keychain", fingerprint });
  const { record } = await replace(it, { storage: "file" });
  assert.deepEqual([it.keychain.entries.size, await stores.state.list()], [0, [record]]);
});

test("a new token for a keychain that is not there is not made", async () => {
  await using it = await prepare();
  const stores = withoutKeychain(it);
  const error = await failureOf(replace(it, { stores }));
  assert.match(error.message, /^Cannot store the token in the keychain: /);
  assert.match((error as { suggestion?: string }).suggestion ?? "", /--storage file/);
  assert.deepEqual(it.sandbox.tokens, []);
});

test("`revokeBySelf()` tells whether the token was alive", async () => {
  await using it = await prepare();
  const { id, value } = it.sandbox.addToken({ user: "ann" });
  const token = new Secret(value);
  const { connection } = it;
  assert.equal(await revokeBySelf(token, { id, connection }), true);
  assert.equal(await revokeBySelf(token, { id, connection }), false);
  // Nobody but the API itself tells that it is gone.
  for (const body of ["", "<html>log in</html>", { hello: "world" }]) {
    it.sandbox.fault("/api/", { kind: "status", status: 401, body });
    assert.equal((await failureOf(revokeBySelf(token, { id, connection }))).name, "AdminApiError");
    it.sandbox.clearFaults();
  }
  it.sandbox.fault("/api/tokens", { kind: "status", status: 403 });
  assert.equal((await failureOf(revokeBySelf(token, { id, connection }))).name, "AdminApiError");
});
