import assert from "node:assert/strict";
import { test } from "node:test";
import { adoptToken } from "../../src/lifecycle/replace_token.ts";
import { Secret } from "../../src/secret.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { resolveToken } from "../../src/token/resolve.ts";
import type { TokenSource } from "../../src/token/sources.ts";
import { failureOf, prepare, replace } from "../support/lifecycle_fixture.ts";
import { entryNames, runSweep } from "./run_sweep.ts";

test("`replaceToken()` and `adoptToken()` set a damaged file store aside, and go on", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  await replace(it, { storage: "file" });
  await it.folder.write("config/tokens.json", "{");
  const { token } = await replace(it, { storage: "file" });
  assert.equal((await stores.file.get(account))?.fingerprint, token.fingerprint);
  await it.folder.write("config/tokens.json", "{");
  const brought = new Secret("a7ee-brought");
  await adoptToken(brought, { ...it, origin: it.account, storage: "file" });
  assert.equal((await stores.file.get(account))?.fingerprint, brought.fingerprint);
});

test("`resolveToken()` says that a token is malformed though its lease cannot be released", async () => {
  await using it = await prepare();
  const release = () => Promise.reject(new Error("it is gone"));
  const source: TokenSource = {
    name: "lender",
    timeoutMs: 1_000,
    find: () =>
      Promise.resolve({
        status: "found",
        token: new Secret("a b"),
        detail: "here",
        lease: { name: "lent", expiresAt: 0, release },
      }),
  };
  const { connection } = it;
  const { message } = await failureOf(resolveToken({ connection, sources: [source] }));
  assert.match(message, /malformed/);
});

test("`sweep()` tells of a journal that cannot be written, also where it holds an account", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ name: "left", id, account: it.account, storage: "file" });
  const remove = () => Promise.reject(new StoreError("Cannot write it", { path: "journal.json" }));
  const journal = { ...it.stores.journal, remove };
  const [told] = await runSweep(it, { stores: { ...it.stores, journal } });
  assert.match(told ?? "", /Cannot write it/);
});

test("`sweep()` goes on behind an entry that cannot be cleared", async () => {
  await using it = await prepare();
  const first = it.sandbox.addToken({ user: "ann", name: "first" });
  const second = it.sandbox.addToken({ user: "ann", name: "second" });
  await it.leave({ name: "first", id: first.id });
  await it.leave({ name: "second", id: second.id });
  const path = `/api/tokens/${first.id}`;
  it.sandbox.fault({ method: "DELETE", path }, { kind: "status", status: 403 });
  await runSweep(it);
  assert.deepEqual(await entryNames(it), ["first"]);
  assert.deepEqual(it.live(), ["first"]);
});
