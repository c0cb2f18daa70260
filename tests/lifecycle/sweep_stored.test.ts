import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../src/secret.ts";
import type { Journal } from "../../src/store/journal.ts";
import { failureOf, NOW, prepare, replace } from "../support/lifecycle_fixture.ts";
import { entryNames, runSweep } from "./run_sweep.ts";

test("`sweep()` keeps a token that was stored, and notes what is known of it", async () => {
  for (const storage of ["file", "keychain"] as const) {
    for (const expiresAt of [NOW / 1000 + 3600, undefined]) {
      await using it = await prepare();
      const { account, stores } = it;
      const { id, value, user } = it.sandbox.addToken({ user: "ann", name: "kept" });
      const { fingerprint } = new Secret(value);
      await stores[storage].set(account, new Secret(value));
      await it.leave({
        name: "kept",
        id,
        fingerprint,
        account,
        storage,
        ...(expiresAt !== undefined && { expiresAt }),
      });
      assert.deepEqual(await runSweep(it), []);
      assert.deepEqual([it.live(), await entryNames(it)], [["kept"], []]);
      assert.deepEqual(await stores.state.list(), [{
        account,
        origin: account,
        storage,
        fingerprint,
        id,
        name: "kept",
        userId: user!.id,
        ...(expiresAt === undefined ? { neverExpires: true } : { expiresAt }),
      }]);
    }
  }
});

test("`sweep()` adds to what is known of a stored token already, and forgets nothing", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const { id, value, user } = it.sandbox.addToken({ user: "ann", name: "kept" });
  const { fingerprint } = new Secret(value);
  await stores.file.set(account, new Secret(value));
  const record = {
    account,
    origin: account,
    storage: "file",
    fingerprint,
    id,
    user: "ann",
  } as const;
  await stores.state.put(record);
  await it.leave({ name: "kept", id, fingerprint, account, storage: "file" });
  assert.deepEqual(await runSweep(it), []);
  const lacking = { name: "kept", userId: user!.id, neverExpires: true };
  assert.deepEqual(await stores.state.list(), [{ ...record, ...lacking }]);
});

test("`sweep()` gives a stored token the name that it was to have", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const { id, value } = it.sandbox.addToken({ user: "ann", name: "for-now" });
  const { fingerprint } = new Secret(value);
  await stores.file.set(account, new Secret(value));
  const stored = { fingerprint, account, storage: "file", rename: "final" } as const;
  const record = {
    account,
    origin: account,
    storage: "file",
    fingerprint,
    id,
    user: "ann",
  } as const;
  await stores.state.put({ ...record, name: "for-now" });
  const known = async () => (await stores.state.list()).map(({ name, user }) => [name, user]);
  await it.leave({ name: "for-now", id, ...stored });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual([it.live(), await entryNames(it)], [["final"], []]);
  assert.deepEqual(await known(), [["final", "ann"]]);
  // The name may be taken meanwhile: the token is as good without it.
  it.sandbox.addToken({ user: "ann", name: "taken" });
  await it.leave({ name: "final", id, ...stored, rename: "taken" });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual([it.live(), await entryNames(it)], [["final", "taken"], []]);
  assert.deepEqual(await known(), [["final", "ann"]]);
});

test("`sweep()` revokes a token in whose place another one is stored", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const old = it.sandbox.addToken({ user: "ann", name: "old" });
  const { value } = it.sandbox.addToken({ user: "ann", name: "new" });
  await stores.file.set(account, new Secret(value));
  const { fingerprint } = new Secret(old.value);
  await it.leave({ name: "old", id: old.id, fingerprint, account, storage: "file" });
  assert.deepEqual(await runSweep(it), ["old"]);
  assert.deepEqual([it.live(), await entryNames(it)], [["new"], []]);
});

test("`sweep()` renames a token when the one that had its name is gone, whichever was noted first", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const old = it.sandbox.addToken({ user: "ann", name: "final" });
  const { id, value } = it.sandbox.addToken({ user: "ann", name: "for-now" });
  await stores.file.set(account, new Secret(value));
  const place = { account, storage: "file" } as const;
  const { fingerprint } = new Secret(value);
  await it.leave({ name: "for-now", id, fingerprint, rename: "final", ...place });
  await it.leave({
    name: "final",
    id: old.id,
    fingerprint: new Secret(old.value).fingerprint,
    ...place,
  });
  assert.deepEqual(await runSweep(it), ["final"]);
  assert.deepEqual(it.sandbox.liveTokens.map((each) => [each.id, each.name]), [[id, "final"]]);
  assert.equal((await stores.state.list())[0]?.name, "final");
  assert.deepEqual(await entryNames(it), []);
});

test("`sweep()` finishes what `replaceToken()` had begun, and the next one takes the same name", async () => {
  // Killed before the old token is revoked, and before the new one is renamed.
  for (const method of ["DELETE", "PUT"]) {
    await using it = await prepare();
    const { stores } = it;
    const first = await replace(it);
    const fail = () => Promise.reject(new Error("killed"));
    const disarm = it.sandbox.fault({ method }, { kind: "status", status: 500 });
    let removed = 0;
    const journal: Journal = {
      ...stores.journal,
      remove: (key) => method === "DELETE" || ++removed > 1 ? fail() : stores.journal.remove(key),
    };
    await failureOf(replace(it, { stores: { ...stores, journal } }));
    disarm();
    await it.die();
    it.warnings.length = 0;
    assert.deepEqual(await runSweep(it), method === "DELETE" ? [first.record.name] : []);
    assert.deepEqual(await entryNames(it), []);
    const [record, ...others] = await stores.state.list();
    assert.deepEqual([record!.name, others, it.live()], [first.record.name, [], [record!.name]]);
    assert.deepEqual([record!.user, record!.createdAt], ["ann", first.record.createdAt]);
    const next = await replace(it);
    assert.deepEqual([next.record.name, next.revoked], [record!.name, record!.name]);
    assert.deepEqual([it.live(), it.warnings], [[record!.name], []]);
  }
});
