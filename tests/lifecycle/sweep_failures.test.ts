import assert from "node:assert/strict";
import { test } from "node:test";
import { sweep } from "../../src/lifecycle/sweep.ts";
import { lendToken } from "../../src/lifecycle/token_for_run.ts";
import type { TokenStores } from "../../src/lifecycle/token_stores.ts";
import { Secret } from "../../src/secret.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { KeychainError } from "../../src/token/keychain.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { failureOf, type Fixture, NOW, prepare } from "../support/lifecycle_fixture.ts";
import { moodyKeychain } from "./moody_keychain.ts";
import { entryNames, runSweep } from "./run_sweep.ts";

/** The same stores; the journal cannot be read. */
function withoutJournal({ stores }: Fixture, reason: Error): TokenStores {
  return { ...stores, journal: { ...stores.journal, list: () => Promise.reject(reason) } };
}

test("`sweep()` says what cannot be cleared, and leaves it to the next run", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ name: "left", id });
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
  const [warning, ...others] = await runSweep(it);
  assert.match(warning!, /^Cannot clean up after an interrupted run: DELETE .* answered 500$/);
  assert.deepEqual([others, it.live()], [[], ["left"]]);
  assert.deepEqual(await entryNames(it), ["left"]);
  it.sandbox.clearFaults();
  assert.deepEqual(await runSweep(it), ["left"]);
});

test("`sweep()` says that the journal cannot be read, and keeps nobody from what they came for", async () => {
  await using it = await prepare();
  const stores = withoutJournal(it, new StoreError("Cannot read it", { path: "journal.json" }));
  assert.deepEqual(await runSweep(it, { stores }), [
    "Cannot clean up after an interrupted run: Cannot read it",
  ]);
  // Nobody has to listen.
  const { api, user } = await it.logIn();
  await sweep(api, { stores, user, now: () => NOW });
});

test("`sweep()` lets through that Deno withholds a permission", async () => {
  await using it = await prepare();
  const reason = Object.assign(new Error("Requires read access"), { name: "NotCapable" });
  assert.equal(await failureOf(runSweep(it, { stores: withoutJournal(it, reason) })), reason);
});

test("`sweep()` ends when it is given up, and says nothing", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ name: "left", id });
  const controller = new AbortController();
  const reason = new Error("enough");
  const hold = it.sandbox.hold({ method: "DELETE" }, "before");
  const { api, user } = await it.logIn();
  const { stores, onWarning } = it;
  const { signal } = controller;
  const sweeping = failureOf(sweep(api, { stores, user, onWarning, signal, now: () => NOW }));
  await hold.arrived;
  controller.abort(reason);
  assert.equal(await sweeping, reason);
  hold.release();
  assert.deepEqual([it.warnings, await entryNames(it)], [[], ["left"]]);
});

test("`sweep()` leaves a token alone that a keychain may have which cannot be asked", async () => {
  for (const failure of ["unavailable", "locked", "failed"] as const) {
    await using it = await prepare();
    const { account } = it;
    const maybe = it.sandbox.addToken({ user: "ann", name: "may be stored" });
    const other = it.sandbox.addToken({ user: "ann", name: "left" });
    const place = { account, storage: "keychain" } as const;
    const { fingerprint } = new Secret(maybe.value);
    await it.leave({ name: "may be stored", id: maybe.id, fingerprint, ...place });
    await it.leave({ name: "left", id: other.id });
    const stores = { ...it.stores, keychain: fakeKeychain({}, { failure }) };
    for (const holding of [undefined, account]) {
      assert.deepEqual(await runSweep(it, { stores, holding }), holding ? [] : ["left"]);
      assert.deepEqual([it.live(), await entryNames(it)], [["may be stored"], ["may be stored"]]);
    }
    assert.deepEqual(await runSweep(it), ["may be stored"]);
  }
});

test("`sweep()` leaves a token alone whose keychain fails in the middle", async () => {
  await using it = await prepare();
  const { account } = it;
  const { id, value } = it.sandbox.addToken({ user: "ann", name: "may be stored" });
  const { fingerprint } = new Secret(value);
  await it.leave({ name: "may be stored", id, fingerprint, account, storage: "keychain" });
  const failed = new KeychainError("failed", "it burns");
  const keychain = moodyKeychain(it.keychain, { get: { 2: () => Promise.reject(failed) } });
  const stores = { ...it.stores, keychain };
  assert.deepEqual(await runSweep(it, { stores }), []);
  assert.deepEqual([it.live(), await entryNames(it)], [["may be stored"], ["may be stored"]]);
});

test("a token can be lent where a keychain is missing that has something to clear up", async () => {
  await using it = await prepare();
  const { account } = it;
  await it.leave({ name: "x", id: "1", fingerprint: "12345678", account, storage: "keychain" });
  const stores = { ...it.stores, keychain: fakeKeychain({}, { failure: "unavailable" }) };
  assert.deepEqual(await runSweep(it, { stores }), []);
  const { connection } = it;
  const terms = { connection, stores, ttl: 1000, now: () => NOW };
  const { lease } = await lendToken(await it.logIn(), terms);
  assert.deepEqual(it.live(), [lease.name]);
  await lease.release();
  assert.deepEqual([it.live(), await entryNames(it)], [[], ["x"]]);
});
