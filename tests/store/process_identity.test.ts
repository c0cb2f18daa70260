import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
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
  // A file of a system that does not tell the start: the id may be in use again.
  assert.equal(await isAlive({ host: self.host, pid: self.pid }), undefined);
  if (!isLinux) return;
  assert.equal(await isAlive({ ...self, started: "1" }), false);
});

test("`isAlive()` does not judge what another machine of the same name may run", {
  skip: !isLinux,
}, async () => {
  const { machine = "here", ...self } = await ownIdentity();
  // Of machines that were made from one image, or have no id, nothing but their boot differs.
  assert.equal(await isAlive({ ...self, machine, boot: "another" }), undefined);
  assert.equal(await isAlive({ ...self, boot: "another" }), undefined);
  assert.equal(await isAlive({ ...self, boot: "another", pid: 2 ** 30 }), undefined);
});

test("`isAlive()` tells machines of one name by their ids where no boot is known", {
  skip: !isLinux || !existsSync("/etc/machine-id") && "there is no machine id",
}, async () => {
  const { host, pid, started, machine } = await ownIdentity();
  assert.match(machine!, /^[0-9a-f]{16}$/);
  assert.ok(!readFileSync("/etc/machine-id", "utf8").includes(machine!), "its own id is shown");
  assert.equal(await isAlive({ host, pid, started, machine }), true);
  assert.equal(await isAlive({ host, pid, started, machine: "another" }), undefined);
  assert.equal(await isAlive({ host, pid: 2 ** 30, machine: "another" }), undefined);
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
  const fields = readFileSync("/proc/1/stat", "utf8").split(") ").at(-1)!.split(" ");
  assert.equal(await isAlive({ host, pid: 1, started: fields[19]! }), true);
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
    assert.equal(await isAlive(identity), undefined);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    // The shell itself would look.
    while (readFileSync(`/proc/${parent.pid}/comm`, "utf8") !== "sleep\n") await turn();
    (parent.stdio[3] as unknown as { end(text: string): void }).end("\n");
    while (await isAlive(identity) !== false) await turn();
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
