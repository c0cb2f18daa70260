import assert from "node:assert/strict";
import { test } from "node:test";
import { withAccount } from "../../src/lifecycle/open_session.ts";
import { leftOvers } from "../../src/lifecycle/sweep.ts";
import { Secret } from "../../src/secret.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import { NOW, prepare } from "../support/lifecycle_fixture.ts";
import { entryNames, runSweep } from "./run_sweep.ts";

test("`sweep()` revokes a dead process' token by its id", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "renamed since" });
  const other = it.sandbox.addToken({ user: "ann", name: "left" });
  await it.leave({ kind: "ephemeral", name: "left", id });
  assert.deepEqual(await runSweep(it), ["left"]);
  assert.deepEqual(it.live(), [other.name]);
  assert.deepEqual(await entryNames(it), []);
});

test("`sweep()` revokes a dead process' token by its name where its id was never noted", async () => {
  await using it = await prepare();
  for (const name of ["left 2", "left", "lef"]) it.sandbox.addToken({ user: "ann", name });
  it.sandbox.addToken({ user: "bob", name: "left" });
  await it.leave({ name: "left" });
  assert.deepEqual(await runSweep(it), ["left"]);
  assert.deepEqual([it.live(), it.live("bob")], [["left 2", "lef"], ["left"]]);
  assert.deepEqual(await entryNames(it), []);
});

test("`sweep()` clears entries whose token was never made, or is gone", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "gone" });
  it.sandbox.revokeToken(id);
  await it.leave({ name: "never made" });
  await it.leave({ name: "gone", id });
  assert.deepEqual(await runSweep(it), [], "nothing was revoked");
  assert.deepEqual(await entryNames(it), []);
});

test("`sweep()` leaves what belongs to a process that runs, or that cannot be seen", async () => {
  await using it = await prepare();
  const own = await ownIdentity();
  it.sandbox.addToken({ user: "ann", name: "running" });
  const { id } = it.sandbox.addToken({ user: "ann", name: "elsewhere" });
  await it.leave({ name: "running", owner: own, expiresAt: 1 });
  // Nobody can tell until its token has ended.
  const owner = { host: `not-${own.host}`, pid: own.pid };
  await it.leave({ name: "elsewhere", id, owner, expiresAt: NOW / 1000 + 1 });
  it.changes();
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual(it.changes(), ["POST /api/login"]);
  assert.deepEqual(await entryNames(it), ["running", "elsewhere"]);
});

test("`sweep()` leaves what belongs to another user or another server", async () => {
  await using it = await prepare();
  const bobs = it.sandbox.addToken({ user: "bob", name: "bob's" });
  const { id } = it.sandbox.addToken({ user: "ann", name: "elsewhere" });
  await it.leave({ name: "bob's", id: bobs.id, userId: bobs.user!.id });
  await it.leave({ name: "elsewhere", id, origin: "http://127.0.0.1:1" });
  it.changes();
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual(it.changes(), ["POST /api/login"]);
  assert.deepEqual(await entryNames(it), ["bob's", "elsewhere"]);
  assert.deepEqual(await runSweep(it, { as: "bob" }), ["bob's"]);
  assert.deepEqual(await entryNames(it), ["elsewhere"]);
});

test("`sweep()` forgets another user's token once it has ended", async () => {
  await using it = await prepare();
  const { user } = it.sandbox.addToken({ user: "bob", name: "bob's" });
  const bobs = { userId: user!.id };
  await it.leave({ name: "over", ...bobs, expiresAt: NOW / 1000 });
  await it.leave({ name: "not yet", ...bobs, expiresAt: NOW / 1000 + 1 });
  await it.leave({ name: "never", ...bobs });
  await it.leave({ name: "running", ...bobs, expiresAt: 1, owner: await ownIdentity() });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual(await entryNames(it), ["not yet", "never", "running"]);
});

test("`sweep()` never takes a token by its name that is known under its id", async () => {
  await using it = await prepare();
  const { account, stores } = it;
  const { id, value } = it.sandbox.addToken({ user: "ann", name: "same" });
  const { fingerprint } = new Secret(value);
  await stores.state.put({ account, origin: account, storage: "keychain", fingerprint, id });
  await it.leave({ name: "same" });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual([it.live(), await entryNames(it)], [["same"], []]);

  await stores.state.remove({ account });
  await it.leave({ name: "running", id, owner: await ownIdentity() });
  await it.leave({ name: "same" });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual([it.live(), await entryNames(it)], [["same"], ["running"]]);
});

test("`sweep()` clears a token that has ended by itself without a word", async () => {
  await using it = await prepare();
  const { id } = it.sandbox.addToken({ user: "ann", name: "over" });
  await it.leave({ name: "over", id, expiresAt: NOW / 1000 });
  assert.deepEqual(await runSweep(it), []);
  assert.deepEqual(await entryNames(it), []);
});

test("`sweep()` leaves the entries of an account that somebody else holds", async () => {
  await using it = await prepare();
  const { account, stores: { folder } } = it;
  const free = it.sandbox.addToken({ user: "ann", name: "free" });
  const held = it.sandbox.addToken({ user: "ann", name: "held" });
  await it.leave({ name: "held", id: held.id, account, storage: "file" });
  await it.leave({ name: "free", id: free.id });
  await withAccount(account, async () => {
    assert.deepEqual(await runSweep(it), ["free"]);
    assert.deepEqual([it.live(), await entryNames(it)], [["held"], ["held"]]);
    assert.deepEqual(await runSweep(it, { holding: account }), ["held"]);
  }, { folder });
  assert.deepEqual([it.live(), await entryNames(it)], [[], []]);
});

test("`leftOvers()` finds the entries of one server whose process has ended", async () => {
  await using it = await prepare();
  const { key } = await it.leave({ name: "left" });
  await it.leave({ name: "running", owner: await ownIdentity() });
  await it.leave({ name: "elsewhere", origin: "http://127.0.0.1:1" });
  const found = await leftOvers(it.account, it.stores, NOW);
  assert.deepEqual(found.map((entry) => entry.key), [key]);
});

test("`leftOvers()` waits for the end of a token whose process nobody can tell about", async () => {
  await using it = await prepare();
  const own = await ownIdentity();
  const end = NOW / 1000;
  const owners = [
    { host: `not-${own.host}`, pid: own.pid },
    // Without /proc there are no namespaces to tell apart.
    ...(own.pidNamespace === undefined ? [] : [{ ...own, pidNamespace: "pid:[1]" }]),
  ];
  for (const owner of owners) {
    await it.leave({ name: "over", owner, expiresAt: end });
    await it.leave({ name: "never", owner });
  }
  await it.leave({ name: "running", owner: own, expiresAt: end });
  const namesAt = async (now: number) =>
    (await leftOvers(it.account, it.stores, now)).map(({ name }) => name);
  assert.deepEqual(await namesAt(end * 1000 - 1), []);
  assert.deepEqual(await namesAt(end * 1000), owners.map(() => "over"));
});

test("`sweep()` clears the entry of another machine's token once that has ended", async () => {
  await using it = await prepare();
  const { host, pid } = await ownIdentity();
  const { id } = it.sandbox.addToken({ user: "ann", name: "over" });
  const owner = { host: `not-${host}`, pid };
  await it.leave({ kind: "ephemeral", name: "over", id, owner, expiresAt: NOW / 1000 });
  assert.deepEqual(await runSweep(it), [], "nothing is said of it");
  assert.deepEqual(await entryNames(it), []);
});

test("`leftOvers()` finds what another machine's process has not stored within a day", async () => {
  await using it = await prepare();
  const { host, pid } = await ownIdentity();
  const owner = { host: `not-${host}`, pid };
  const begunAt = NOW / 1000 - 24 * 60 * 60;
  await it.leave({ name: "long ago", owner, begunAt });
  await it.leave({ name: "today", owner, begunAt: begunAt + 1 });
  await it.leave({ name: "one run's", owner, begunAt, kind: "ephemeral", expiresAt: NOW });
  // Of an earlier version.
  await it.leave({ name: "some day", owner, begunAt: undefined });
  const found = await leftOvers(it.account, it.stores, NOW);
  assert.deepEqual(found.map(({ name }) => name), ["long ago"]);
});

test("`sweep()` goes by the server's clock, not by one that is hours ahead", async (t) => {
  await using it = await prepare();
  const { host, pid, machine } = await ownIdentity();
  // Another machine of the same name, on the same home, has this one's token in use.
  const owner = { host, pid, machine, boot: "another" };
  const hour = 60 * 60;
  const now = Math.floor(Date.now() / 1000);
  const { id } = it.sandbox.addToken({ user: "ann", name: "in use" });
  const over = it.sandbox.addToken({ user: "ann", name: "over" });
  const entry = { kind: "ephemeral", owner } as const;
  await it.leave({ ...entry, name: "in use", id, expiresAt: now + hour });
  await it.leave({ ...entry, name: "over", id: over.id, expiresAt: now - 1 });
  const clock = Date.now;
  Date.now = () => clock() + 3 * hour * 1000;
  t.after(() => {
    Date.now = clock;
  });
  assert.deepEqual(await runSweep(it, { now: () => Date.now() }), []);
  assert.deepEqual([it.live(), await entryNames(it)], [["in use"], ["in use"]]);
});
