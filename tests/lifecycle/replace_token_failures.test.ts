import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceError } from "../../src/errors.ts";
import { defaultTokenName } from "../../src/lifecycle/mint_token.ts";
import type { ReplaceTokenOptions } from "../../src/lifecycle/replace_token.ts";
import { Secret } from "../../src/secret.ts";
import type { Journal } from "../../src/store/journal.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { KeychainError } from "../../src/token/keychain.ts";
import { failureOf, prepare, replace } from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";
import { moodyKeychain } from "./moody_keychain.ts";
import { runSweep } from "./run_sweep.ts";

const NAME = defaultTokenName("ann");
const FAILED = new KeychainError("failed", "it burns");

/** An old token is stored; replacing it fails; it is still stored and the only one alive. */
async function assertUndone(
  prepareFailure: (it: Fixture) => Partial<ReplaceTokenOptions>,
): Promise<{ readonly error: Error; readonly warnings: readonly string[] }> {
  await using it = await prepare();
  const old = await replace(it);
  const error = await failureOf(replace(it, prepareFailure(it)));
  const [oldOne, newOne, ...others] = it.sandbox.tokens;
  assert.deepEqual([oldOne!.revoked, newOne!.revoked, others], [false, true, []]);
  assert.deepEqual([...it.keychain.entries], [[it.account, old.token.reveal()]]);
  assert.deepEqual(await it.stores.state.list(), [old.record]);
  assert.deepEqual(await it.stores.journal.list(), [], "neither token is to be revoked later");
  return { error, warnings: it.warnings };
}

test("`replaceToken()` revokes a token that the check refuses", async () => {
  const reason = new Error("refused");
  const { error, warnings } = await assertUndone(() => ({ check: () => Promise.reject(reason) }));
  assert.deepEqual([error, warnings], [reason, []]);
});

test("`replaceToken()` that is given up during or after the check leaves the old token", async () => {
  for (const rejects of [true, false]) {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { error } = await assertUndone(() => ({
      signal: controller.signal,
      check: () => {
        controller.abort(reason);
        return rejects ? Promise.reject(reason) : Promise.resolve();
      },
    }));
    assert.equal(error, reason);
  }
});

test("`replaceToken()` that is given up while the token is made leaves the old one", async () => {
  await using it = await prepare();
  const old = await replace(it);
  const controller = new AbortController();
  const reason = new Error("enough");
  const hold = it.sandbox.hold({ method: "POST", path: "/api/tokens" }, "after");
  const replacing = failureOf(replace(it, { signal: controller.signal }));
  await hold.arrived;
  controller.abort(reason);
  hold.release();
  assert.equal(await replacing, reason);
  assert.deepEqual([it.sandbox.tokens.length, it.live()], [2, [NAME]]);
  assert.deepEqual([...it.keychain.entries.values()], [old.token.reveal()]);
  assert.deepEqual(await it.stores.state.list(), [old.record]);
});

test("`replaceToken()` revokes the new token where the old one cannot be noted", async () => {
  const { error } = await assertUndone(({ stores }) => {
    let added = 0;
    const journal: Journal = {
      ...stores.journal,
      add: (entry) =>
        ++added === 2
          ? Promise.reject(new StoreError("Cannot write", { path: "journal.json" }))
          : stores.journal.add(entry),
    };
    return { stores: { ...stores, journal } };
  });
  assert.ok(error instanceof StoreError);
});

test("`replaceToken()` revokes a token that the keychain does not take", async () => {
  const { error, warnings } = await assertUndone(({ stores, keychain }) => ({
    stores: {
      ...stores,
      keychain: moodyKeychain(keychain, { set: { 1: () => Promise.reject(FAILED) } }),
    },
  }));
  assert.ok(error instanceof SourceError);
  assert.equal(error.exitCode, 74);
  assert.equal(error.message, "Cannot store the token in the keychain: it burns");
  assert.deepEqual(warnings, []);
});

test("`replaceToken()` gives a keychain that forgets the old token back", async () => {
  const { error } = await assertUndone(({ stores, keychain, account }) => ({
    stores: {
      ...stores,
      keychain: moodyKeychain(keychain, {
        set: { 1: () => keychain.delete(account).then(() => undefined) },
      }),
    },
  }));
  assert.ok(error instanceof SourceError);
  assert.match(error.message, /^Cannot store the token for http:.* it is not there afterwards$/);
});

test("`replaceToken()` gives a keychain that keeps something else the old token back", async () => {
  const { error } = await assertUndone(({ stores, keychain, account }) => ({
    stores: {
      ...stores,
      keychain: moodyKeychain(keychain, {
        set: { 1: () => keychain.set(account, new Secret("a7ee-half")).then(() => undefined) },
      }),
    },
  }));
  assert.match(error.message, /it is not there afterwards$/);
});

test("`replaceToken()` gives a keychain that fails at reading back the old token back", async () => {
  // Before anything is made, for the old token, for what to put back, and to read back.
  const { error } = await assertUndone(({ stores, keychain }) => ({
    stores: {
      ...stores,
      keychain: moodyKeychain(keychain, { get: { 4: () => Promise.reject(FAILED) } }),
    },
  }));
  assert.equal(error.message, "Cannot read the token back from the keychain: it burns");
});

test("`replaceToken()` empties a store again that was empty before", async () => {
  await using it = await prepare();
  const { stores, keychain } = it;
  const failing = moodyKeychain(keychain, { get: { 3: () => Promise.reject(FAILED) } });
  const error = await failureOf(replace(it, { stores: { ...stores, keychain: failing } }));
  assert.equal(error.message, "Cannot read the token back from the keychain: it burns");
  assert.deepEqual([it.live(), it.sandbox.tokens.length, keychain.entries.size], [[], 1, 0]);
  assert.deepEqual(await stores.journal.list(), []);
  assert.deepEqual(await stores.state.list(), []);
});

test("`replaceToken()` says when the old token cannot be put back", async () => {
  await using it = await prepare();
  await replace(it);
  const { stores, keychain } = it;
  const set = { 2: () => Promise.reject(FAILED) };
  const failing = moodyKeychain(keychain, { set, get: { 4: () => Promise.reject(FAILED) } });
  const error = await failureOf(replace(it, { stores: { ...stores, keychain: failing } }));
  assert.ok(error instanceof SourceError);
  assert.equal(
    error.message,
    "Cannot read the token back from the keychain: it burns; the previous entry could not be " +
      "restored (Cannot store the token in the keychain: it burns)",
  );
  assert.deepEqual([it.warnings, await stores.journal.list()], [[], []]);
  assert.deepEqual(it.live(), [NAME]);
});

test("`replaceToken()` writes nothing where it cannot tell what to put back", async () => {
  let written = 0;
  const { error } = await assertUndone(({ stores, keychain }) => ({
    stores: {
      ...stores,
      keychain: {
        ...moodyKeychain(keychain, { get: { 3: () => Promise.reject(FAILED) } }),
        set: () => Promise.resolve(void written++),
      },
    },
  }));
  assert.equal(error.message, "Cannot store the token in the keychain: it burns");
  assert.equal(written, 0);
});

test("`replaceToken()` that failed leaves no trace that costs the old token later", async () => {
  await using it = await prepare();
  const { account, stores, keychain } = it;
  const old = await replace(it);
  const failing = moodyKeychain(keychain, { set: { 1: () => Promise.reject(FAILED) } });
  await failureOf(replace(it, { stores: { ...stores, keychain: failing } }));
  await it.die();
  // As `auth logout --keep` does: the token is used elsewhere from now on.
  await keychain.delete(account);
  await stores.state.remove({ account });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual(it.live(), [old.record.name]);
});

test("`replaceToken()` goes on without a state or a journal that is damaged", async () => {
  for (const name of ["state.json", "journal.json"]) {
    await using it = await prepare();
    await replace(it);
    await it.folder.write(`config/${name}`, "{garbage");
    const { token, record } = await replace(it);
    assert.equal(it.keychain.entries.get(it.account), token.reveal());
    assert.deepEqual([await it.stores.state.list(), await it.stores.journal.list()], [
      [record],
      [],
    ]);
    assert.match(
      it.warnings[0]!,
      new RegExp(`${name}": it is damaged \\(.*\\); it was moved to "`),
    );
    assert.equal(it.warnings.filter((each) => each.includes("damaged")).length, 1);
  }
});

test("`replaceToken()` asks a keychain that fails before it makes a token", async () => {
  await using it = await prepare();
  const { stores, keychain } = it;
  const failing = moodyKeychain(keychain, { get: { 1: () => Promise.reject(FAILED) } });
  const error = await failureOf(replace(it, { stores: { ...stores, keychain: failing } }));
  assert.ok(error instanceof SourceError);
  assert.equal(error.message, "Cannot store the token in the keychain: it burns");
  assert.deepEqual([it.sandbox.tokens, await stores.journal.list()], [[], []]);
});

test("`replaceToken()` says what it cannot revoke again, and the journal remembers it", async () => {
  await using it = await prepare();
  const reason = new Error("refused");
  const error = await failureOf(replace(it, {
    check: () => {
      it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
      return Promise.reject(reason);
    },
  }));
  assert.equal(error, reason);
  assert.equal(it.warnings.length, 1);
  assert.match(it.warnings[0]!, /^New token ".+" could not be revoked \(DELETE .*\); /);
  const [entry, ...others] = await it.stores.journal.list();
  assert.deepEqual([entry!.id, others], [it.sandbox.tokens[0]!.id, []]);
});
