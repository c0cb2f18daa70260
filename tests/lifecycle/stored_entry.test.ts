import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceError } from "../../src/errors.ts";
import { storeSource } from "../../src/lifecycle/default_sources.ts";
import { findStoredToken } from "../../src/lifecycle/token_stores.ts";
import { Secret } from "../../src/secret.ts";
import { absence, breakage, find } from "../support/asking.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { failureOf, prepare, replace } from "../support/lifecycle_fixture.ts";

test("`findStoredToken()` finds the token that a run would take, and what is known of it", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  assert.equal(await findStoredToken(account, stores), undefined);
  const made = await replace(it);
  const inKeychain = await findStoredToken(account, stores);
  assert.deepEqual([inKeychain?.storage, inKeychain?.record], ["keychain", made.record]);
  assert.equal(inKeychain?.token.reveal(), made.token.reveal());
  await stores.file.set(account, new Secret("a7ee-in-file"));
  const inFile = await findStoredToken(account, stores);
  assert.deepEqual([inFile?.storage, inFile?.record], ["file", undefined]);
  assert.equal(inFile?.token.reveal(), "a7ee-in-file");
});

test("`findStoredToken()` knows nothing of a token that was put in the other's place", async () => {
  await using it = await prepare();
  await replace(it);
  await it.keychain.set(it.account, new Secret("a7ee-by-hand"));
  const entry = await findStoredToken(it.account, it.stores);
  assert.deepEqual([entry?.token.reveal(), entry?.record], ["a7ee-by-hand", undefined]);
});

test("`findStoredToken()` tells the two stores apart where both have the same token", async () => {
  await using it = await prepare();
  const { record, token } = await replace(it);
  await it.stores.file.set(it.account, token);
  assert.equal((await findStoredToken(it.account, it.stores))?.record, undefined);
  await it.stores.state.put({ ...record, storage: "file", name: "in the file" });
  assert.equal((await findStoredToken(it.account, it.stores))?.record?.name, "in the file");
});

test("`findStoredToken()` asks no keychain for a token that is in the file", async () => {
  await using it = await prepare();
  const stores = { ...it.stores, keychain: fakeKeychain({}, { failure: "locked" }) };
  const error = await failureOf(findStoredToken(it.account, stores));
  assert.ok(error instanceof SourceError);
  assert.equal(error.suggestion, "Unlock it and try again.");
  await stores.file.set(it.account, new Secret("a7ee-in-file"));
  assert.equal((await findStoredToken(it.account, stores))?.storage, "file");
});

test("`findStoredToken()` takes a keychain that is not there for an empty one", async () => {
  await using it = await prepare();
  const { account, stores: { state } } = it;
  const without = { ...it.stores, keychain: fakeKeychain({}, { failure: "unavailable" }) };
  assert.equal(await findStoredToken(account, without), undefined);
  const { record } = await replace(it);
  // The file's record and another account's say nothing of this account's entry in the keychain.
  await state.remove({ account });
  await state.put({ ...record, storage: "file" });
  await state.put({ ...record, account: "http://127.0.0.1:1" });
  assert.equal(await findStoredToken(account, without), undefined);
  const locked = { ...it.stores, keychain: fakeKeychain({}, { failure: "locked" }) };
  const error = await failureOf(findStoredToken(account, locked));
  assert.equal(error.message, "Cannot read the token from the keychain: it is locked");
});

test("`findStoredToken()` misses a keychain that is known to have the token", async () => {
  await using it = await prepare();
  await replace(it);
  const stores = { ...it.stores, keychain: fakeKeychain({}, { failure: "unavailable" }) };
  const error = await failureOf(findStoredToken(it.account, stores));
  assert.ok(error instanceof SourceError);
  assert.equal(error.message, "Cannot read the token from the keychain: it is unavailable");
  assert.equal(error.suggestion, undefined, "nothing is to be stored");
});

test("`storeSource()` finds the server's token in the file, and says where it looked", async () => {
  await using it = await prepare();
  const { account, connection, env, stores } = it;
  const source = storeSource({ env });
  const file = `${stores.folder}/tokens.json`;
  assert.equal(await absence(source, connection), `${file} has no entry for ${account}`);
  await stores.file.set("http://127.0.0.1:1", new Secret("a7ee-elsewhere"));
  assert.equal(await absence(source, connection), `${file} has no entry for ${account}`);
  await stores.file.set(account, new Secret("a7ee-here"));
  const { token, detail } = await find([source], { connection });
  assert.deepEqual([token.reveal(), detail], ["a7ee-here", `${file}, account "${account}"`]);
});

test("`storeSource()` is broken where the file is damaged", async () => {
  await using it = await prepare();
  await it.stores.file.set(it.account, new Secret("a7ee-here"));
  await it.folder.write("config/tokens.json", "{");
  const error = await breakage(storeSource(it), it.connection);
  assert.equal(error.exitCode, 74);
  assert.match(error.message, /tokens\.json/);
});
