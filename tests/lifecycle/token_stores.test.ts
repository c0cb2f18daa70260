import assert from "node:assert/strict";
import { test } from "node:test";
import type { Keychain } from "../../src/context.ts";
import { SourceError } from "../../src/errors.ts";
import { keepToken, openTokenStores } from "../../src/lifecycle/token_stores.ts";
import type { Place } from "../../src/lifecycle/token_stores.ts";
import { Secret } from "../../src/secret.ts";
import { KeychainError } from "../../src/token/keychain.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import type { FakeKeychain } from "../support/fake_keychain.ts";
import { assertDiscreet, failureOf } from "../support/lifecycle_fixture.ts";
import { moodyKeychain } from "./moody_keychain.ts";

const ACCOUNT = "https://host:7443";
const OLD = "a7ee-canary-old";
const NEW = "a7ee-canary-new";
const FAILED = () => Promise.reject(new KeychainError("failed", "it burns"));

/** A keychain with the old token, or with none. */
function keychainOf(old: string | undefined): FakeKeychain {
  return fakeKeychain(old === undefined ? {} : { [ACCOUNT]: old });
}

/** A place in that keychain, or in the file's stead. */
function placeIn(keychain: Keychain, storage: Place["storage"] = "keychain"): Place {
  const stores = openTokenStores({ env: { ADC_RUN_CONFIG_DIR: "/nowhere" }, keychain });
  return { stores: { ...stores, file: keychain }, storage, account: ACCOUNT };
}

/** Writes down what a keychain is asked. */
function traced(keychain: Keychain, calls: string[]): Keychain {
  return {
    get: (account) => (calls.push("get"), keychain.get(account)),
    set: (account, token) => (calls.push("set"), keychain.set(account, token)),
    delete: (account) => (calls.push("delete"), keychain.delete(account)),
  };
}

test("`keepToken()` reads what is stored, stores, and reads back", async () => {
  for (const old of [undefined, OLD]) {
    const keychain = keychainOf(old);
    const calls: string[] = [];
    await keepToken(new Secret(NEW), placeIn(traced(keychain, calls)));
    assert.deepEqual([...keychain.entries], [[ACCOUNT, NEW]]);
    assert.deepEqual(calls, ["get", "set", "get"]);
  }
});

test("`keepToken()` writes nothing where what is stored cannot be read", async () => {
  const keychain = keychainOf(OLD);
  const calls: string[] = [];
  const place = placeIn(traced(moodyKeychain(keychain, { get: { 1: FAILED } }), calls));
  const error = await failureOf(keepToken(new Secret(NEW), place));
  assert.equal(error.message, "Cannot store the token in the keychain: it burns");
  assert.deepEqual(calls, ["get"]);
});

test("`keepToken()` puts back what was stored, or nothing, whatever fails", async () => {
  for (const storage of ["keychain", "file"] as const) {
    for (const old of [undefined, OLD]) {
      const keychain = keychainOf(old);
      const set = (value: string) => keychain.set(ACCOUNT, new Secret(value));
      const half = () => set("a7ee-canary-half").then(() => undefined);
      const moods = {
        "is not there afterwards": { set: { 1: half } },
        "it burns": { set: { 1: () => half().then(FAILED) } },
        "it burns ": { get: { 2: FAILED } },
        "is not there afterwards ": {
          set: { 1: () => keychain.delete(ACCOUNT).then(() => undefined) },
        },
      };
      for (const [why, mood] of Object.entries(moods)) {
        const place = placeIn(moodyKeychain(keychain, mood), storage);
        const error = await failureOf(keepToken(new Secret(NEW), place));
        assert.ok(error.message.endsWith(why.trim()), error.message);
        assert.deepEqual([...keychain.entries], old === undefined ? [] : [[ACCOUNT, old]], why);
      }
    }
  }
});

test("`keepToken()` writes no second time where nothing changed", async () => {
  const keychain = keychainOf(OLD);
  const calls: string[] = [];
  const place = placeIn(traced(moodyKeychain(keychain, { set: { 1: FAILED } }), calls));
  const error = await failureOf(keepToken(new Secret(NEW), place));
  assert.equal(error.message, "Cannot store the token in the keychain: it burns");
  assert.deepEqual(calls, ["get", "set", "get"]);
  assert.deepEqual([...keychain.entries], [[ACCOUNT, OLD]]);
});

test("`keepToken()` says when what was stored cannot be put back, and why it was to be", async () => {
  const moods = [
    ["Cannot store the token in", { set: { 2: FAILED }, get: { 2: FAILED } }],
    ["Cannot read the token from", { get: { 2: FAILED, 3: FAILED } }],
  ] as const;
  for (const [what, mood] of moods) {
    const place = placeIn(moodyKeychain(keychainOf(OLD), mood));
    const error = await failureOf(keepToken(new Secret(NEW), place));
    assert.ok(error instanceof SourceError);
    const first = "Cannot read the token back from the keychain: it burns";
    assert.equal(
      error.message,
      `${first}; the previous entry could not be restored (${what} the keychain: it burns)`,
    );
    assert.equal((error.cause as Error).message, first);
    assert.deepEqual([error.source, error.exitCode], ["keychain", 74]);
    assertDiscreet(error, [OLD, NEW]);
  }
});

test("`keepToken()` says when what it stored cannot be removed again", async () => {
  const keychain = {
    ...moodyKeychain(keychainOf(undefined), { get: { 2: FAILED } }),
    delete: FAILED,
  };
  const error = await failureOf(keepToken(new Secret(NEW), placeIn(keychain)));
  assert.match(error.message, /; the .* \(Cannot remove the token from the keychain: it burns\)$/);
});

test("`keepToken()` says to unlock the keychain only where it is locked, or silent", async () => {
  const suggestions = {
    locked: "Unlock it and try again.",
    silent: "It may be waiting for you to unlock it. Then try again.",
    failed: "The system log may say why.",
    unavailable: "Without a keychain, use --storage file: a file that only you can read.",
  } as const;
  const toldBy = async (reason: Error) => {
    const keychain = { ...keychainOf(undefined), get: () => Promise.reject(reason) };
    const error = await failureOf(keepToken(new Secret(NEW), placeIn(keychain)));
    assert.ok(error instanceof SourceError);
    return error.suggestion;
  };
  for (const [failure, suggestion] of Object.entries(suggestions)) {
    const reason = new KeychainError(failure as keyof typeof suggestions, "it burns");
    assert.equal(await toldBy(reason), suggestion);
  }
  const suggestion = "Remove one.";
  assert.equal(await toldBy(new KeychainError("failed", "two", { suggestion })), suggestion);
  assert.equal(await toldBy(new Error("unheard of")), suggestions.failed);
});
