import assert from "node:assert/strict";
import { test } from "node:test";
import { adoptToken } from "../../src/lifecycle/replace_token.ts";
import type { AdoptTokenOptions } from "../../src/lifecycle/replace_token.ts";
import { Secret } from "../../src/secret.ts";
import type { SandboxToken } from "../sandbox/sandbox.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { assertDiscreet, failureOf, prepare, replace } from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";
import { moodyKeychain } from "./moody_keychain.ts";

async function adopt(
  it: Fixture,
  { value }: Pick<SandboxToken, "value">,
  more: Partial<AdoptTokenOptions> = {},
): Promise<void> {
  await adoptToken(new Secret(value), { ...it, origin: it.account, storage: "keychain", ...more });
}

test("`adoptToken()` stores a token, and notes whose it is", async () => {
  for (const storage of ["keychain", "file"] as const) {
    await using it = await prepare();
    const { account, stores } = it;
    const brought = it.sandbox.addToken({ user: "ann", name: "brought along" });
    const user = { id: brought.user!.id, username: "ann" };
    await adopt(it, brought, { storage, user });
    assert.equal((await stores[storage].get(account))?.reveal(), brought.value);
    const { fingerprint } = new Secret(brought.value);
    const records = await stores.state.list();
    assert.deepEqual(records, [
      { account, origin: account, storage, fingerprint, userId: user.id, user: "ann" },
    ]);
    assert.deepEqual([it.live(), it.changes(), it.warnings], [["brought along"], [], []]);
    assert.deepEqual(await stores.journal.list(), []);
    assertDiscreet(records, [brought.value]);
  }
});

test("`adoptToken()` stores a token of somebody who is not known", async () => {
  await using it = await prepare();
  await adopt(it, { value: "edd1c9f034335f136f87ad84b625c8f1" });
  const [record, ...others] = await it.stores.state.list();
  assert.deepEqual([record!.user, record!.userId, others], [undefined, undefined, []]);
  assert.equal(it.sandbox.requests.length, 0);
});

test("`adoptToken()` revokes the token that adc-run had made, with itself", async () => {
  await using it = await prepare();
  const old = await replace(it);
  const revocations: (string | undefined)[] = [];
  it.sandbox.hooks.onRequest = ({ method, apiKey }) => {
    if (method === "DELETE") revocations.push(apiKey);
  };
  const brought = it.sandbox.addToken({ user: "ann", name: "brought along" });
  await adopt(it, brought);
  assert.deepEqual(revocations, [old.token.reveal()]);
  assert.deepEqual([it.live(), it.warnings], [["brought along"], []]);
  assert.deepEqual([...it.keychain.entries.values()], [brought.value]);
  const [record, ...others] = await it.stores.state.list();
  assert.deepEqual([record!.fingerprint, others], [new Secret(brought.value).fingerprint, []]);
  assert.equal(record!.id, undefined);
  assert.deepEqual(await it.stores.journal.list(), []);
});

test("`adoptToken()` leaves a token alone that was brought along before", async () => {
  await using it = await prepare();
  await adopt(it, it.sandbox.addToken({ user: "ann", name: "first" }));
  await adopt(it, it.sandbox.addToken({ user: "ann", name: "second" }));
  assert.deepEqual([it.live(), it.changes()], [["first", "second"], []]);
  assert.equal((await it.stores.state.list()).length, 1);
});

test("`adoptToken()` remembers a token that adc-run had made when it comes back", async () => {
  await using it = await prepare();
  const { record, token } = await replace(it);
  await adopt(it, { value: token.reveal() });
  assert.deepEqual(await it.stores.state.list(), [record]);
  assert.deepEqual([it.live(), await it.stores.journal.list()], [[record.name], []]);
});

test("`adoptToken()` clears the other store of the token that it replaces", async () => {
  await using it = await prepare();
  await replace(it, { storage: "file" });
  const brought = it.sandbox.addToken({ user: "ann", name: "brought along" });
  await adopt(it, brought);
  assert.equal(await it.stores.file.get(it.account), undefined);
  assert.deepEqual((await it.stores.state.list()).map(({ storage }) => storage), ["keychain"]);
  assert.deepEqual(it.live(), ["brought along"]);
});

test("`adoptToken()` says when the old token cannot be revoked, and the journal remembers it", async () => {
  await using it = await prepare();
  const old = await replace(it);
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
  await adopt(it, it.sandbox.addToken({ user: "ann", name: "brought along" }));
  assert.equal(it.warnings.length, 1);
  assert.match(it.warnings[0]!, /^Old token ".+" of ann could not be revoked \(DELETE /);
  assert.deepEqual((await it.stores.journal.list()).map(({ id }) => id), [old.record.id]);
});

test("`adoptToken()` leaves the old token where the new one cannot be stored", async () => {
  await using it = await prepare();
  const old = await replace(it, { storage: "file" });
  const keychain = fakeKeychain({}, { failure: "locked" });
  const brought = it.sandbox.addToken({ user: "ann", name: "brought along" });
  const error = await failureOf(adopt(it, brought, { stores: { ...it.stores, keychain } }));
  assert.equal(error.message, "Cannot store the token in the keychain: it is locked");
  assert.deepEqual(it.live(), [old.record.name, "brought along"]);
  assert.equal((await it.stores.file.get(it.account))?.reveal(), old.token.reveal());
  assert.deepEqual(await it.stores.state.list(), [old.record]);
  assert.deepEqual(await it.stores.journal.list(), []);
});

test("`adoptToken()` gives a keychain that forgets the old token back", async () => {
  await using it = await prepare();
  const { account, keychain, stores } = it;
  const old = await replace(it);
  const forgetful = moodyKeychain(keychain, {
    set: { 1: () => keychain.delete(account).then(() => undefined) },
  });
  const brought = it.sandbox.addToken({ user: "ann", name: "brought along" });
  const error = await failureOf(adopt(it, brought, { stores: { ...stores, keychain: forgetful } }));
  assert.match(error.message, /^Cannot store the token for http:.* it is not there afterwards$/);
  assert.deepEqual([...keychain.entries], [[account, old.token.reveal()]]);
  assert.deepEqual(it.live(), [old.record.name, "brought along"]);
  assert.deepEqual([await stores.state.list(), await stores.journal.list()], [[old.record], []]);
});
