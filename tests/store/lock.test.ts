import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { open, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { breakersLock, createLock, removeLock, withLock } from "../../src/store/lock.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import type { ProcessIdentity } from "../../src/store/process_identity.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { startStoreProcess } from "./store_process.ts";

const isWindows = process.platform === "win32";
const done = () => Promise.resolve("done");

/** The identity of a process that has ended. */
async function ended(): Promise<ProcessIdentity> {
  await using child = await startStoreProcess(["identify", ""]);
  child.go();
  const identity = JSON.parse(await child.line() ?? "");
  await child.done();
  return identity;
}

function lockOf(owner: object): string {
  return JSON.stringify({ ...owner, nonce: "0123456789abcdef" });
}

async function makeOld(path: string): Promise<void> {
  const time = new Date(Date.now() - 61_000);
  await utimes(path, time, time);
}

test("`withLock()` gives what runs under it back, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "below", "it", "a.lock");
  const found = await withLock(path, async () => JSON.parse(await readFile(path, "utf8")));
  const { nonce, ...owner } = found;
  assert.match(nonce, /^[0-9a-f]{32}$/);
  assert.deepEqual(owner, await ownIdentity());
  assert.deepEqual(await readdir(join(folder.path, "below", "it")), []);
  if (!isWindows) assert.equal((await stat(join(folder.path, "below"))).mode & 0o777, 0o700);
});

test("`withLock()` lets go when what runs under it fails", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "a.lock");
  const failure = new Error("it failed");
  await assert.rejects(withLock(path, () => Promise.reject(failure)), failure);
  assert.equal(await withLock(path, done), "done");
});

test("`withLock()` waits for its own process, too", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "a.lock");
  let inside = 0;
  await Promise.all(Array.from({ length: 10 }, () =>
    withLock(path, async () => {
      assert.equal(++inside, 1);
      await stat(path);
      assert.equal(--inside, 0);
    })));
});

test("`withLock()` takes the lock of a process over that was killed", async () => {
  await using folder = await temporaryFolder();
  await using owner = await startStoreProcess(["hold", folder.path, "a.lock"]);
  owner.go();
  assert.equal(await owner.line(), "held");
  await owner.kill();
  assert.equal(await withLock(join(folder.path, "a.lock"), done), "done");
  assert.deepEqual(await readdir(folder.path), []);
});

test("`withLock()` takes over from one that died while it took over", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf(await ended()));
  const breakers = breakersLock(path, "0123456789abcdef");
  await writeFile(breakers, lockOf(await ended()));
  await writeFile(breakersLock(breakers, "0123456789abcdef"), lockOf(await ended()));
  assert.equal(await withLock(path, done), "done");
  assert.deepEqual(await readdir(folder.path), []);
});

test("`withLock()` says which process keeps the lock for too long", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "a.lock");
  await using owner = await startStoreProcess(["hold", folder.path, "a.lock"]);
  owner.go();
  assert.equal(await owner.line(), "held");
  await assert.rejects(
    withLock(path, () => assert.fail(), { timeout: 30, what: "the journal" }),
    (error) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.exitCode, 74);
      assert.equal(error.path, path);
      assert.equal(
        error.message,
        `Cannot lock the journal: process ${owner.pid} on "${hostname()}" holds "${path}"`,
      );
      assert.match(error.suggestion!, /delete that file/);
      return true;
    },
  );
  owner.go();
  await owner.done();
  assert.equal(await withLock(path, done), "done");
});

test("`withLock()` gives up waiting when it is told to, with the reason given", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf(await ownIdentity()));
  const reason = new Error("enough");
  const early = AbortSignal.abort(reason);
  await assert.rejects(withLock(path, () => assert.fail(), { signal: early }), reason);
  const controller = new AbortController();
  const waiting = withLock(path, () => assert.fail(), { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(waiting, reason);
  assert.deepEqual(await readdir(folder.path), ["a.lock"]);
});

test("a lock whose owner cannot be judged is taken over only when it is old", async () => {
  const self = await ownIdentity();
  const locks: readonly (readonly [string, string])[] = [
    ["of another host", lockOf({ ...self, host: "elsewhere", boot: "another" })],
    ["of another pid namespace", lockOf({ ...self, pidNamespace: "pid:[1]" })],
    ["empty", ""],
    ["cut off", lockOf(self).slice(0, 30)],
    ["garbage", "\0\xff garbage"],
    ["without a process id", JSON.stringify({ host: self.host, nonce: "0123456789abcdef" })],
    ["with a group's process id", lockOf({ ...self, pid: -1 })],
    ["without a nonce", JSON.stringify(self)],
    ["null", "null"],
  ];
  for (const [what, content] of locks) {
    // Without /proc there are no namespaces to tell apart.
    if (what.includes("namespace") && self.pidNamespace === undefined) continue;
    await using folder = await temporaryFolder({ "a.lock": content });
    const path = join(folder.path, "a.lock");
    await assert.rejects(withLock(path, () => assert.fail(), { timeout: 20 }), StoreError, what);
    assert.equal(await readFile(path, "utf8"), content, what);
    await makeOld(path);
    assert.equal(await withLock(path, done), "done", what);
    assert.deepEqual(await readdir(folder.path), [], what);
  }
});

test("an old lock of a process that runs is not taken over", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf(await ownIdentity()));
  await makeOld(path);
  await assert.rejects(withLock(path, () => assert.fail(), { timeout: 20 }), StoreError);
});

test("another machine's lock is not taken over by one whose clock is hours ahead", async (t) => {
  const self = await ownIdentity();
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf({ ...self, boot: "another", machine: "other" }));
  const clock = Date.now;
  Date.now = () => clock() + 3 * 60 * 60 * 1000;
  t.after(() => {
    Date.now = clock;
  });
  await assert.rejects(withLock(path, () => assert.fail(), { timeout: 20 }), StoreError);
  assert.deepEqual(await readdir(folder.path), ["a.lock"]);
});

test("a lock whose owner's id is in use again keeps nobody for longer than its age allows", async () => {
  // On a system that does not tell when a process was started.
  const { host } = await ownIdentity();
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf({ host, pid: process.pid }));
  await assert.rejects(withLock(path, () => assert.fail(), { timeout: 20 }), StoreError);
  assert.equal(await withLock(path, done, { stale: 50, timeout: 10_000 }), "done");
  // One that was told of by its start is taken over at once.
  if (process.platform !== "linux") return;
  await folder.write("a.lock", lockOf({ ...await ownIdentity(), started: "1" }));
  assert.equal(await withLock(path, done, { timeout: 5_000 }), "done");
});

test("a lock that nobody can judge is taken over before the wait for it ends", async () => {
  const { host, pid } = await ownIdentity();
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf({ host: `not-${host}`, pid }));
  const time = new Date(Date.now() - 31_000);
  await utimes(path, time, time);
  assert.equal(await withLock(path, done, { timeout: 2_000 }), "done");
});

test("`withLock()` looks again before it removes the lock of a dead process", {
  skip: isWindows,
}, async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("a.lock", lockOf(await ended()));
  // The pipe is opened by the one that waits, when it has found the lock of the dead process.
  const breakers = breakersLock(path, "0123456789abcdef");
  execFileSync("mkfifo", [breakers]);
  const late = withLock(path, () => Promise.resolve("inside"), { timeout: 300 })
    .catch((error: unknown) => error);
  const pipe = await open(breakers, "w");
  await rm(path);
  const id = await createLock(path);
  assert.ok(id);
  await rm(breakers);
  await pipe.close();
  const outcome = await late;
  assert.ok(outcome instanceof StoreError, String(outcome));
  await removeLock(path, id);
});

test("one that lost its lock can find out", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "a.lock");
  await withLock(path, async (lock) => {
    await lock.check();
    await rm(path);
    await assert.rejects(lock.check(), StoreError);
    const id = await createLock(path);
    assert.ok(id);
    await assert.rejects(lock.check(), /another process took/);
  });
  assert.deepEqual(await readdir(folder.path), ["a.lock"], "It removed the lock of another");
});

test("`withLock()` removes what is no lock's of its own from nowhere", async () => {
  const names = ["a", "a.json", "a.lock.txt", "a.lock.0123", "b.lock.0123456789ab", "a.lock2"];
  await using folder = await temporaryFolder(Object.fromEntries(names.map((name) => [name, ""])));
  await folder.write("a.lock.0123456789ab", "");
  await folder.write(`a.lock.0123456789ab.${"0".repeat(32)}.tmp`, "");
  await folder.write(`a.lock.${"0".repeat(32)}.tmp`, "");
  await withLock(join(folder.path, "a.lock"), done);
  assert.deepEqual((await readdir(folder.path)).sort(), names.sort());
});
