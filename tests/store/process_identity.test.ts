import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { isAlive, ownIdentity, readIdentity } from "../../src/store/process_identity.ts";
import type { ProcessIdentity } from "../../src/store/process_identity.ts";
import { startStoreProcess } from "./store_process.ts";

const isLinux = process.platform === "linux";

test("`ownIdentity()` is this process, and lives", async () => {
  const self = await ownIdentity();
  assert.equal(self.pid, process.pid);
  assert.equal(await isAlive(self), true);
  if (!isLinux) return;
  assert.match(self.started!, /^\d+$/);
  assert.match(self.boot!, /^[0-9a-f-]{36}$/);
  assert.match(self.pidNamespace!, /^pid:\[\d+\]$/);
});

test("`isAlive()` follows another process to its end", async () => {
  await using child = await startStoreProcess(["identify", ""]);
  child.go();
  const identity = readIdentity(JSON.parse(await child.line() ?? ""));
  assert.ok(identity);
  assert.equal(identity.pid, child.pid);
  await child.done();
  assert.equal(await isAlive(identity), false);
});

test("`isAlive()` tells a process from a later one with the same id", async () => {
  const self = await ownIdentity();
  assert.equal(await isAlive({ host: self.host, pid: self.pid }), true);
  if (!isLinux) return;
  assert.equal(await isAlive({ ...self, started: "1" }), false);
  assert.equal(await isAlive({ ...self, boot: "another" }), false);
});

test("`isAlive()` does not judge processes of other hosts and pid namespaces", async () => {
  const self = await ownIdentity();
  assert.equal(await isAlive({ ...self, host: "elsewhere", boot: "another" }), undefined);
  assert.equal(await isAlive({ host: "elsewhere", pid: self.pid }), undefined);
  if (!isLinux) return;
  assert.equal(await isAlive({ ...self, pidNamespace: "pid:[1]" }), undefined);
});

test("`isAlive()` knows the machine by its boot, under another host name too", {
  skip: !isLinux,
}, async () => {
  const self = await ownIdentity();
  const renamed = { ...self, host: "elsewhere" };
  assert.equal(await isAlive(renamed), true);
  assert.equal(await isAlive({ ...renamed, started: "1" }), false);
  // A container may have the machine's boot id, and process ids of its own.
  assert.equal(await isAlive({ ...renamed, pidNamespace: "pid:[1]" }), undefined);
});

test("`isAlive()` takes a process of another user for alive", { skip: !isLinux }, async () => {
  const { host } = await ownIdentity();
  assert.equal(await isAlive({ host, pid: 1 }), true);
});

test("`isAlive()` takes a process for dead that has ended and was not looked after", {
  skip: !isLinux,
}, async () => {
  const { host } = await ownIdentity();
  // The shell's child ends when it is told so, and the program that took the shell's place never looks.
  const script = 'sh -c "read line" <&3 & echo $!; exec 3<&-; exec sleep 600';
  const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "inherit", "pipe"] });
  try {
    const [chunk] = await once(parent.stdout!, "data");
    const identity: ProcessIdentity = { host, pid: Number(String(chunk)) };
    assert.equal(await isAlive(identity), true);
    (parent.stdio[3] as unknown as { end(text: string): void }).end("\n");
    while (await isAlive(identity)) await new Promise((resolve) => setImmediate(resolve));
    assert.doesNotThrow(() => process.kill(identity.pid, 0), "It was looked after");
  } finally {
    parent.kill("SIGKILL");
    await once(parent, "close");
  }
});

test("`readIdentity()` takes only identities", async () => {
  const self = await ownIdentity();
  assert.deepEqual(readIdentity({ ...self, other: 1 }), self);
  const { host } = self;
  for (const pid of [0, -1, 1.5, 2 ** 31, "1", null]) {
    assert.equal(readIdentity({ host, pid }), undefined);
  }
  for (const value of [null, undefined, 1, "a", [], { pid: 1 }]) {
    assert.equal(readIdentity(value), undefined);
  }
});
