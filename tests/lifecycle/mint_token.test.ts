import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { mintToken } from "../../src/lifecycle/mint_token.ts";
import type { MintOptions } from "../../src/lifecycle/mint_token.ts";
import { sweep } from "../../src/lifecycle/sweep.ts";
import type { JournalEntry } from "../../src/store/journal.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import { StoreError } from "../../src/store/store_error.ts";
import type { Fault } from "../sandbox/sandbox.ts";
import { assertDiscreet, failureOf, prepare, USERS } from "../support/lifecycle_fixture.ts";
import type { Fixture } from "../support/lifecycle_fixture.ts";

const END = 4_000_000_000;
const CREATE = { method: "POST", path: "/api/tokens" };

async function ready(
  { logIn, stores, account }: Fixture,
): Promise<MintOptions & { readonly api: Awaited<ReturnType<Fixture["logIn"]>>["api"] }> {
  const { api, user } = await logIn();
  return {
    api,
    journal: stores.journal,
    user,
    name: "fresh",
    expiresAt: END,
    note: { kind: "mint", account, storage: "keychain", rename: "final" },
  };
}

test("`mintToken()` has the token in the journal before it asks for it", async () => {
  await using it = await prepare();
  const { sandbox, stores } = it;
  const { api, ...options } = await ready(it);
  let before: readonly JournalEntry[] | undefined;
  sandbox.hooks.onRequest = async ({ method, path }) => {
    if (method === "POST" && path === "/api/tokens") before = await stores.journal.list();
  };
  const { fresh } = await mintToken(api, options);
  const [entry, ...others] = before!;
  assert.deepEqual(others, []);
  assert.deepEqual(entry, {
    key: entry!.key,
    begunAt: entry!.begunAt,
    owner: await ownIdentity(),
    kind: "mint",
    origin: sandbox.url,
    userId: options.user.id,
    name: "fresh",
    expiresAt: END,
    account: sandbox.url,
    storage: "keychain",
    rename: "final",
  });
  assert.ok(Math.abs(entry!.begunAt! - Date.now() / 1000) < 60);
  const after = await stores.journal.list();
  assert.deepEqual(after, [{ ...entry, id: fresh.id, fingerprint: fresh.token.fingerprint }]);
  assert.equal(sandbox.tokens[0]!.value, fresh.token.reveal());
  assert.equal(sandbox.tokens[0]!.expiresAt, END);
  assertDiscreet(after, [fresh.token.reveal()]);
});

test("`mintToken()` makes tokens without an end", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  const { fresh } = await mintToken(api, { ...options, expiresAt: undefined });
  assert.equal(it.sandbox.tokens[0]!.expiresAt, 0);
  assert.equal(fresh.expiresAt, undefined);
  assert.equal((await it.stores.journal.list())[0]!.expiresAt, undefined);
});

test("a minted token is kept or undone, and its entry goes with either", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  const kept = await mintToken(api, options);
  await kept.settle();
  assert.deepEqual([await it.stores.journal.list(), it.live()], [[], ["fresh"]]);
  const undone = await mintToken(api, { ...options, name: "other" });
  await undone.undo();
  assert.deepEqual([await it.stores.journal.list(), it.live()], [[], ["fresh"]]);
});

test("undoing a minted token leaves the entry where the server does not revoke it", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  const { fresh, undo } = await mintToken(api, options);
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
  assert.ok(await failureOf(undo()) instanceof AdminApiError);
  assert.deepEqual((await it.stores.journal.list()).map(({ id }) => id), [fresh.id]);
});

test("`mintToken()` takes the entry back after a refusal that is clear", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  for (const [status, failure] of [[403, "forbidden"], [400, "bad-request"]] as const) {
    it.sandbox.fault(CREATE, { kind: "status", status, body: { error_msg: "no" } });
    const error = await failureOf(mintToken(api, options));
    assert.ok(error instanceof AdminApiError);
    assert.equal(error.failure, failure);
    assert.deepEqual(await it.stores.journal.list(), []);
    it.sandbox.clearFaults();
  }
  it.sandbox.addToken({ user: "ann", name: "fresh" });
  it.changes();
  const error = await failureOf(mintToken(api, options));
  assert.ok(error instanceof AdminApiError);
  assert.deepEqual([error.failure, error.exitCode], ["name-taken", 65]);
  assert.deepEqual(await it.stores.journal.list(), []);
  assert.deepEqual([it.changes(), it.live()], [["POST /api/tokens"], ["fresh"]]);
});

test("`mintToken()` keeps the entry where the server may have made the token", async () => {
  const answers: readonly [Fault, failure: string][] = [
    [{ kind: "status", status: 500, done: true }, "server-error"],
    [{ kind: "malformed-json", done: true }, "wrong-server"],
    [{ kind: "reset", when: "done" }, "unreachable"],
    [{ kind: "status", status: 403, body: "<html>blocked</html>", done: true }, "forbidden"],
  ];
  for (const [fault, failure] of answers) {
    await using it = await prepare();
    const { api, ...options } = await ready(it);
    it.sandbox.fault(CREATE, fault);
    // Nobody can find out: the look for the token fails as well.
    it.sandbox.hooks.onReply = ({ method }) => {
      if (method === "POST") it.sandbox.fault({ method: "GET" }, { kind: "status", status: 500 });
    };
    const error = await failureOf(mintToken(api, options));
    assert.ok(error instanceof AdminApiError);
    assert.equal(error.failure, failure);
    assert.deepEqual(it.live(), ["fresh"]);
    const entries = await it.stores.journal.list();
    assert.deepEqual(entries.map(({ name, id }) => [name, id]), [["fresh", undefined]]);
  }
});

test("`mintToken()` keeps the entry where a token could be neither taken over nor revoked", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  it.sandbox.fault(CREATE, { kind: "reset", when: "done" });
  const refusal = { kind: "status", status: 403, body: { error_msg: "no" } } as const;
  it.sandbox.fault({ method: "PUT" }, refusal);
  it.sandbox.fault({ method: "DELETE" }, refusal);
  const error = await failureOf(mintToken(api, options));
  assert.match((error as AdminApiError).suggestion ?? "", /may have created token "fresh"/);
  assert.deepEqual((await it.stores.journal.list()).map(({ name }) => name), it.live());
  assert.deepEqual(it.live(), ["fresh"]);
});

test("`mintToken()` keeps the entry when it is given up, and revokes what was made", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  const controller = new AbortController();
  const reason = new Error("enough");
  const hold = it.sandbox.hold(CREATE, "after");
  const minting = failureOf(mintToken(api, { ...options, signal: controller.signal }));
  await hold.arrived;
  controller.abort(reason);
  hold.release();
  assert.equal(await minting, reason);
  assert.equal(it.sandbox.tokens.length, 1);
  assert.deepEqual(it.live(), []);
  assert.deepEqual((await it.stores.journal.list()).map(({ name }) => name), ["fresh"]);
});

test("`mintToken()` makes no token where the journal cannot be written", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  it.changes();
  await writeFile(it.env.ADC_RUN_CONFIG_DIR!, "a file where the folder should be");
  const error = await failureOf(mintToken(api, options));
  assert.ok(error instanceof StoreError);
  assert.equal(error.exitCode, 74);
  assert.deepEqual([it.changes(), it.sandbox.tokens], [[], []]);
});

test("`mintToken()` revokes a token that the journal cannot take in", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  it.sandbox.hooks.onReply = async ({ method, path }) => {
    if (method !== "POST" || path !== "/api/tokens") return;
    for (const { key } of await it.stores.journal.list()) await it.stores.journal.remove(key);
  };
  const error = await failureOf(mintToken(api, options));
  assert.ok(error instanceof StoreError);
  assert.equal(it.sandbox.tokens.length, 1);
  assert.deepEqual(it.live(), []);
});

test("`mintToken()` takes no token that is none, nor one that is the password, and revokes it", async () => {
  for (
    const value of [
      USERS.ann,
      "a7ee-zq zq",
      " a7ee-zqzq",
      "a7ee-zqzq\n",
      '"a7ee-zqzq"',
      "zqzq\u00e4",
    ]
  ) {
    await using it = await prepare();
    const { sandbox, stores } = it;
    const { api, ...options } = await ready(it);
    sandbox.hooks.tokenValue = () => value;
    const error = await failureOf(mintToken(api, options));
    assert.ok(error instanceof AdminApiError);
    assert.match(error.message, /the server created an unusable token: it /);
    assertDiscreet(error, [value, value.trim()]);
    assert.deepEqual(it.live(), [], "it is still alive");
    const { user } = options;
    await it.die();
    await sweep(api, { stores, user, onWarning: it.onWarning, now: Date.now });
    assert.deepEqual([await stores.journal.list(), it.warnings], [[], []]);
  }
});

test("`mintToken()` takes an end from the server that no calendar has for none", async () => {
  await using it = await prepare();
  const { api, ...options } = await ready(it);
  it.sandbox.addToken({ user: "ann", name: "odd", expiresAt: 1e308 });
  it.sandbox.addToken({ user: "ann", name: "far", expiresAt: 99999999999999 });
  it.sandbox.addToken({ user: "ann", name: "past", expiresAt: -1e308 });
  assert.deepEqual((await api.tokens()).map(({ expiresAt }) => expiresAt), [
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal((await mintToken(api, options)).fresh.expiresAt, END);
});
