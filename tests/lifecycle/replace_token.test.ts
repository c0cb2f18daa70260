import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import { defaultTokenName, numberedTokenName } from "../../src/lifecycle/mint_token.ts";
import type { TokenStores } from "../../src/lifecycle/token_stores.ts";
import { Secret } from "../../src/secret.ts";
import {
  assertDiscreet,
  END,
  failureOf,
  NOW,
  prepare,
  replace,
} from "../support/lifecycle_fixture.ts";

const NAME = defaultTokenName("ann");

/** The same stores; every call is written down. */
function traced(stores: TokenStores, log: string[]): TokenStores {
  const trace = <T extends object>(name: string, target: T): T =>
    new Proxy(target, {
      get: (from, key) => {
        const value: unknown = Reflect.get(from, key);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          log.push(`${name}.${String(key)}`);
          return Reflect.apply(value, from, args);
        };
      },
    });
  const { keychain, file, state, journal } = stores;
  return {
    ...stores,
    keychain: trace("keychain", keychain),
    file: trace("file", file),
    state: trace("state", state),
    journal: trace("journal", journal),
  };
}

test("`replaceToken()` makes, checks and stores a token, and notes what is known of it", async () => {
  await using it = await prepare();
  const checked: string[] = [];
  const { token, record, revoked } = await replace(it, {
    check: async (token) => {
      checked.push(token.reveal());
      assert.equal(it.keychain.entries.size, 0, "it is checked before it is stored");
      await Promise.resolve();
    },
  });
  const [made, ...others] = it.sandbox.tokens;
  assert.deepEqual(others, []);
  assert.deepEqual([made!.name, made!.expiresAt, made!.value], [NAME, END, token.reveal()]);
  assert.deepEqual(checked, [token.reveal()]);
  assert.deepEqual([...it.keychain.entries], [[it.account, token.reveal()]]);
  assert.deepEqual(record, {
    account: it.account,
    origin: it.account,
    storage: "keychain",
    fingerprint: token.fingerprint,
    id: made!.id,
    name: NAME,
    userId: made!.user!.id,
    user: "ann",
    createdAt: NOW / 1000,
    expiresAt: END,
  });
  assert.deepEqual(await it.stores.state.list(), [record]);
  assert.deepEqual([revoked, await it.stores.journal.list(), it.warnings], [undefined, [], []]);
  assertDiscreet([record, await it.stores.state.list()], [token.reveal()]);
});

test("`replaceToken()` notes that a token never ends", async () => {
  await using it = await prepare();
  const { record } = await replace(it, { expiresAt: undefined, storage: "file" });
  assert.deepEqual([record.expiresAt, record.neverExpires], [undefined, true]);
  assert.equal(it.sandbox.tokens[0]!.expiresAt, 0);
});

test("`replaceToken()` lets the old token live until the new one is stored", async () => {
  await using it = await prepare();
  const old = await replace(it);
  const log: string[] = [];
  it.sandbox.hooks.onReply = ({ method, path, apiKey }) => {
    const which = path.endsWith(old.record.id!) ? "old" : path.includes("/tokens/") ? "new" : path;
    if (method !== "GET") log.push(`${method} ${which}${apiKey === undefined ? "" : " by itself"}`);
  };
  const { token, record, revoked } = await replace(it, {
    stores: traced(it.stores, log),
    check: () => Promise.resolve(void log.push("check")),
  });
  const order = log.slice(log.indexOf("journal.add"));
  assert.deepEqual(order.filter((each) => !each.endsWith(".list")), [
    "journal.add",
    "POST /api/tokens",
    "journal.change",
    "check",
    "keychain.get",
    "journal.add",
    // What to put back.
    "keychain.get",
    "keychain.set",
    "keychain.get",
    "state.put",
    "DELETE old",
    "journal.remove",
    "PUT new by itself",
    "state.put",
    "journal.remove",
  ]);
  assert.equal(revoked, NAME);
  assert.deepEqual([record.name, it.live()], [NAME, [NAME]]);
  assert.deepEqual([...it.keychain.entries.values()], [token.reveal()]);
  assert.deepEqual([await it.stores.state.list(), await it.stores.journal.list()], [[record], []]);
  assert.deepEqual(it.warnings, []);
});

test("`replaceToken()` keeps a unique name where the old token cannot be revoked", async () => {
  await using it = await prepare();
  const old = await replace(it);
  it.sandbox.fault({ method: "DELETE" }, { kind: "status", status: 500 });
  const { record, revoked } = await replace(it);
  assert.equal(revoked, undefined);
  assert.match(record.name!, /^adc-run ann@.*-[0-9a-f]{8}$/);
  assert.deepEqual(it.live(), [NAME, record.name]);
  const [told, ...more] = it.warnings;
  assert.match(told!, /^Old token ".+" of ann could not be revoked \(DELETE .*\); /);
  assert.deepEqual(more, [
    `The server did not use the name "${NAME}": the token is called "${record.name}".`,
  ]);
  const [entry, ...others] = await it.stores.journal.list();
  assert.deepEqual([entry!.id, entry!.name, others], [old.record.id, NAME, []]);
});

test("`replaceToken()` asks for a token under a name of its own, and renames it", async () => {
  await using it = await prepare();
  const asked: string[] = [];
  it.sandbox.hooks.onReply = ({ method, path }) => {
    if (method === "POST" && path === "/api/tokens") asked.push(...it.live());
  };
  const wanted = "w".repeat(40);
  const { record } = await replace(it, {
    name: wanted,
    check: async () => {
      const [{ name, rename } = {}] = await it.stores.journal.list();
      assert.deepEqual([name, rename], [asked[0], wanted]);
    },
  });
  assert.match(asked[0]!, /^w{31}-[0-9a-f]{8}$/);
  assert.deepEqual([record.name, it.live(), it.warnings], [wanted, [wanted], []]);
});

test("`replaceToken()` keeps the unique name where the server renames nothing, and names do not grow", async () => {
  await using it = await prepare();
  it.sandbox.fault({ method: "PUT" }, { kind: "status", status: 403 });
  let name: string | undefined;
  for (const round of [1, 2, 3]) {
    const wanted: string = name ?? NAME;
    const { record } = await replace(it, name === undefined ? {} : { name });
    assert.equal(
      it.warnings.at(-1),
      `The server did not use the name "${wanted}": the token is called "${record.name}".`,
    );
    assert.equal(it.warnings.length, round);
    assert.deepEqual([it.live(), await it.stores.state.list()], [[record.name], [record]]);
    assert.deepEqual(await it.stores.journal.list(), []);
    assert.match(record.name!, /^adc-run ann@.*-[0-9a-f]{8}$/);
    assert.doesNotMatch(record.name!, /-[0-9a-f]{8}-[0-9a-f]{8}$/);
    if (name !== undefined) assert.equal(record.name!.length, name.length);
    name = record.name;
  }
});

test("`replaceToken()` refuses a name that is taken, and makes nothing", async () => {
  await using it = await prepare();
  it.sandbox.addToken({ user: "ann", name: "mine" });
  it.changes();
  const error = await failureOf(replace(it, { name: "mine" }));
  assert.ok(error instanceof AdminApiError);
  assert.deepEqual([error.failure, error.exitCode], ["name-taken", 65]);
  assert.match(
    error.message,
    /^Cannot name a token "mine" at http:.*: ann already has one with that name/,
  );
  assert.deepEqual(it.changes(), ["POST /api/login"], "no token was asked for");
  assert.deepEqual([it.live(), await it.stores.journal.list()], [["mine"], []]);
  assert.equal(it.keychain.entries.size, 0);
  const { record } = await replace(it, { name: "mine too" });
  assert.equal(record.name, "mine too");
});

test("`replaceToken()` gives a name that was asked for to the next token as well", async () => {
  await using it = await prepare();
  await replace(it, { name: "mine" });
  const { record, revoked } = await replace(it, { name: "mine" });
  assert.deepEqual([record.name, revoked, it.live()], ["mine", "mine", ["mine"]]);
});

test("`replaceToken()` takes over the name of an old token that is another user's", async () => {
  await using it = await prepare();
  await replace(it, { as: "bob", name: "shared" });
  const { record } = await replace(it, { name: "shared" });
  assert.deepEqual([record.name, it.live(), it.live("bob")], ["shared", ["shared"], []]);
  assert.deepEqual(it.warnings, []);
});

test("`replaceToken()` puts a number behind a default name that is taken, and warns", async () => {
  await using it = await prepare();
  it.sandbox.addToken({ user: "ann", name: NAME });
  it.sandbox.addToken({ user: "ann", name: numberedTokenName(NAME, 2) });
  const { record } = await replace(it);
  assert.equal(record.name, numberedTokenName(NAME, 3));
  assert.equal(it.live().length, 3);
  assert.equal(it.warnings.length, 1);
  assert.ok(it.warnings[0]!.includes(`already has a token "${NAME}"`), it.warnings[0]);
  assert.ok(it.warnings[0]!.includes(`"${record.name}"`), it.warnings[0]);
});

test("`replaceToken()` clears up after runs that were interrupted, and says so", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ name: "left", id, account: it.account, storage: "keychain" });
  await replace(it);
  assert.deepEqual(it.live(), [NAME]);
  assert.deepEqual(it.warnings, ['Revoked "left", left behind by an interrupted run.']);
});

test("`replaceToken()` warns of an old token that adc-run did not make, and leaves it alone", async () => {
  await using it = await prepare();
  const { value } = it.sandbox.addToken({ user: "ann", name: "brought along" });
  await it.keychain.set(it.account, new Secret(value));
  const { revoked } = await replace(it);
  assert.deepEqual([revoked, it.live()], [undefined, ["brought along", NAME]]);
  assert.equal(it.warnings.length, 1);
  assert.ok(it.warnings[0]!.includes(String(new Secret(value))), it.warnings[0]);
  assert.match(it.warnings[0]!, /was not created by adc-run and may still be valid/);
  assertDiscreet(it.warnings, [value]);
});
