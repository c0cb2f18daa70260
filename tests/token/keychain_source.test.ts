import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { KeychainError, keychainSource } from "../../src/token/keychain.ts";
import { originsOf } from "../../src/token/token_value.ts";
import { absence, breakage, connect, find, visible } from "../support/asking.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

test("`keychainSource()` asks for the server's origin and nothing else", async () => {
  const keychain = fakeKeychain({ "https://h:7443": "a7ee-one", "https://h": "a7ee-two" });
  const connection = await connect("sync --server https://zoe:hunter2@H:7443/prefix");
  const { token, detail } = await find([keychainSource({ keychain })], { connection });
  assert.equal(token.reveal(), "a7ee-one");
  assert.match(detail, /service "?adc-run"?, account "?https:\/\/h:7443"?/);
  assert.deepEqual(keychain.asked, ["https://h:7443"]);
});

test("`keychainSource()` has nothing where there is no entry for the server", async () => {
  const keychain = fakeKeychain({ "http://localhost": "a7ee-one", "https://localhost:9180": "x" });
  const source = keychainSource({ keychain });
  assert.equal(await absence(source), "the keychain has no entry for http://localhost:9180");
});

test("`keychainSource()` has nothing where there is no keychain", async () => {
  const source = keychainSource({ keychain: fakeKeychain({}, { failure: "unavailable" }) });
  assert.equal(await absence(source), "no keychain: it is unavailable");
});

test("`keychainSource()` is broken where the keychain is locked, silent, or fails", async () => {
  const suggestions = { locked: /^Unlock it/, silent: /^Skip it/, failed: /^Skip it/ };
  for (const failure of ["locked", "silent", "failed"] as const) {
    const keychain = fakeKeychain({ "http://localhost:9180": "a7ee-zqzq" }, { failure });
    const error = await breakage(keychainSource({ keychain }));
    assert.ok(error.message.endsWith(`: the keychain failed: it is ${failure}`), error.message);
    assert.equal(error.exitCode, 74);
    assert.match(error.suggestion ?? "", suggestions[failure]);
    assert.equal((error.cause as { failure?: string }).failure, failure);
  }
});

test("`keychainSource()` hands on what to do about a keychain, where it says so", async () => {
  const failure = new KeychainError("failed", "it has 2 entries", { suggestion: "Remove one." });
  const keychain = { ...fakeKeychain(), get: () => Promise.reject(failure) };
  const error = await breakage(keychainSource({ keychain }));
  assert.ok(error.message.endsWith(": the keychain failed: it has 2 entries"), error.message);
  assert.equal(error.suggestion, "Remove one.");
});

test("`keychainSource()` is broken where the keychain throws something unheard of", async () => {
  const keychain = { ...fakeKeychain(), get: () => Promise.reject(new Error("disk on fire")) };
  const error = await breakage(keychainSource({ keychain }));
  assert.match(error.message, /: disk on fire$/);
  assert.equal(error.exitCode, 74);
});

test("`keychainSource()` waits no longer than it may for a keychain that never answers", async () => {
  const keychain = fakeKeychain({}, { silent: true });
  const error = await breakage(keychainSource({ keychain, timeout: 20 }));
  assert.match(error.message, /: no response within 0\.02 s$/);
  assert.equal(error.suggestion, "It may be waiting for you to unlock it.");
  assert.equal(error.exitCode, 74);
  assert.equal(keychainSource({ keychain }).timeoutMs, 5_000);
});

test("`keychainSource()` refuses a malformed entry and passes over a blank one", async () => {
  const account = "http://localhost:9180";
  const malformed = keychainSource({ keychain: fakeKeychain({ [account]: "zq\nzq" }) });
  const error = await breakage(malformed);
  assert.equal(error.exitCode, 65);
  assert.ok(!visible(error).includes("zqzq"));
  const padded = keychainSource({ keychain: fakeKeychain({ [account]: " zq zq\n" }) });
  assert.equal((await find([padded])).token.reveal(), "zq zq");
  const blank = keychainSource({ keychain: fakeKeychain({ [account]: "" }) });
  assert.match(await absence(blank), /account "?http:\/\/localhost:9180"?\)? is empty$/);
});

const SERVERS = "sync --backend apisix-standalone --server";

test("`keychainSource()` joins the tokens of several servers in their order", async () => {
  const keychain = fakeKeychain({ "http://a:1": "one", "http://b:2": "two" });
  const connection = await connect(`${SERVERS} http://b:2,http://a:1,http://b:2/x`);
  const { token, detail } = await find([keychainSource({ keychain })], { connection });
  assert.equal(token.reveal(), "two,one,two");
  assert.deepEqual(keychain.asked, ["http://b:2", "http://a:1"]);
  assert.match(detail, /http:\/\/b:2.*http:\/\/a:1/);
});

test("`keychainSource()` takes one token for several servers of one origin", async () => {
  const keychain = fakeKeychain({ "http://a:1": "one" });
  const connection = await connect(`${SERVERS} http://a:1/x,http://a:1/y`);
  const { token } = await find([keychainSource({ keychain })], { connection });
  assert.equal(token.reveal(), "one");
});

test("`keychainSource()` has nothing where one of several servers has no entry", async () => {
  const keychain = fakeKeychain({ "http://a:1": "zqzq" });
  const connection = await connect(`${SERVERS} http://a:1,http://b:2`);
  const reason = await absence(keychainSource({ keychain }), connection);
  assert.equal(reason, "the keychain has no entry for http://b:2");
});

test("`keychainSource()` is broken where the keychain fails at a later server", async () => {
  const entries = { "http://a:1": "zqzq", "http://b:2": "zqzq" };
  const keychain = fakeKeychain(entries, { failure: "locked", at: "http://b:2" });
  const connection = await connect(`${SERVERS} http://a:1,http://b:2`);
  const error = await breakage(keychainSource({ keychain }), connection);
  assert.ok(!visible(error).includes("zqzq"));
});

test("`originsOf()` names each origin once", () => {
  const servers = ["http://a", "http://b", "http://a"].map((origin) => ({ origin }));
  assert.deepEqual(originsOf(servers), ["http://a", "http://b"]);
  assert.deepEqual(originsOf([]), []);
});

test("`keychainSource()` takes a named profile's own entry, and no other", async () => {
  const [own, shared] = ["prod@http://localhost:9180", "http://localhost:9180"];
  const profile = { name: "prod", file: "/nowhere/config.json", project: false, explicit: true };
  const connection = await resolveConnection({ env: {}, cwd: "/nowhere", profile });
  const both = fakeKeychain({ [own]: "a7ee-own", [shared]: "a7ee-shared" });
  assert.equal(
    (await find([keychainSource({ keychain: both })], { connection })).token.reveal(),
    "a7ee-own",
  );
  const alone = fakeKeychain({ [shared]: "a7ee-shared" });
  assert.equal(
    await absence(keychainSource({ keychain: alone }), connection),
    'profile "prod" has no token of its own in the keychain',
  );
  assert.deepEqual(alone.asked, [own]);
});

test("`keychainSource()` prefers the default profile's own entry to the one that all share", async () => {
  const [own, shared] = ["prod@http://localhost:9180", "http://localhost:9180"];
  const profile = { name: "prod", file: "/nowhere/config.json", project: false, explicit: false };
  const connection = await resolveConnection({ env: {}, cwd: "/nowhere", profile });
  const both = fakeKeychain({ [own]: "a7ee-own", [shared]: "a7ee-shared" });
  const first = await find([keychainSource({ keychain: both })], { connection });
  assert.equal(first.token.reveal(), "a7ee-own");
  assert.match(first.detail, /account "prod@http:\/\/localhost:9180"$/);
  const one = await find(
    [keychainSource({ keychain: fakeKeychain({ [shared]: "a7ee-shared" }) })],
    {
      connection,
    },
  );
  assert.equal(one.token.reveal(), "a7ee-shared");
  assert.equal(
    await absence(
      keychainSource({ keychain: fakeKeychain({ "other@http://localhost:9180": "x" }) }),
      connection,
    ),
    `the keychain has no entry for ${own} or ${shared}`,
  );
});

test("`keychainSource()` keeps a stored token from a proxy that `.env` lets in", async () => {
  const lines = ["HTTPS_PROXY=http://evil.example.com", "ADC_TLS_SKIP_VERIFY=true"];
  await using folder = await temporaryFolder({ ".env": lines.join("\n") });
  const connection = await connect("sync --server https://h", { cwd: folder.path });
  const keychain = fakeKeychain({ "https://h": "a7ee-zqzq" });
  const error = await breakage(keychainSource({ keychain }), connection);
  assert.match(
    error.message,
    /is for one server only, and HTTPS_PROXY in \.env would decide who sees the token/,
  );
  assert.equal(error.exitCode, 78);
  const none = keychainSource({ keychain: fakeKeychain({}) });
  assert.match(await absence(none, connection), /has no entry/);
});
