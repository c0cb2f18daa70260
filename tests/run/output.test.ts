import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { PassThrough, Readable, Writable } from "node:stream";
import { it } from "node:test";
import { createMask } from "../../src/mask/mask.ts";
import { pipeOutput } from "../../src/run/output.ts";
import { Secret } from "../../src/secret.ts";

const mask = createMask([new Secret("a7ee-canary")]);

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

it("`pipeOutput()` masks what passes, and leaves the target open", async () => {
  const to = new PassThrough();
  const { done } = pipeOutput(Readable.from([Buffer.from("x a7ee-canary y")]), to, { mask });
  assert.deepEqual(await done, {});
  assert.equal(to.read().toString(), "x *** y");
  assert.equal(to.writableEnded, false);
});

it("`pipeOutput()` leaves no timer behind when the output ended before the child", async () => {
  const before = timers();
  const output = pipeOutput(Readable.from([]), new PassThrough().resume(), { mask });
  await output.done;
  output.childEnded();
  assert.equal(timers(), before);
});

it("`pipeOutput()` ends a silent pipe that somebody else holds open, and not before it is read", async () => {
  const from = new PassThrough();
  const output = pipeOutput(from, new PassThrough().resume(), { mask });
  output.childEnded();
  from.write("late");
  assert.deepEqual(await output.done, {});
});

it("`pipeOutput()` tells why the output could not be written, and closes the child's pipe", async () => {
  const from = new PassThrough();
  const to = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("full"), { code: "ENOSPC" })),
  });
  const { done } = pipeOutput(from, to, { mask });
  from.write("text");
  assert.deepEqual(await done, { failure: "ENOSPC" });
  assert.equal(from.destroyed, true);
});

it("`pipeOutput()` tells that the child's pipe broke, or was closed before its end", async () => {
  for (
    const [error, failure] of [
      [Object.assign(new Error("broken"), { code: "EIO" }), "EIO"],
      [undefined, "ERR_STREAM_PREMATURE_CLOSE"],
    ] as const
  ) {
    const from = new PassThrough();
    const { done } = pipeOutput(from, new PassThrough().resume(), { mask });
    from.write("text");
    from.destroy(error);
    assert.deepEqual(await done, { failure });
  }
});

it("`pipeOutput()` takes a target that is closed for a reader that went away", async () => {
  const from = new PassThrough();
  const to = new PassThrough().resume();
  const { done } = pipeOutput(from, to, { mask });
  to.destroy();
  assert.deepEqual(await done, { failure: "EPIPE" });
  assert.equal(from.destroyed, true);
});

it("`pipeOutput()` reads no faster than the output is taken", async () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  let read = 0;
  const from = new Readable({
    read() {
      this.push(++read <= 1_000 ? chunk : null);
    },
  });
  const waiting: (() => void)[] = [];
  let taken = 0;
  const to = new Writable({
    write: (bytes, _encoding, done) => {
      taken += bytes.length;
      waiting.push(done);
    },
  });
  const { done } = pipeOutput(from, to, { mask });
  let before = -1;
  while (before !== read) {
    before = read;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(read < 20, `${read} chunks were read while none was taken`);
  let ended = false;
  done.then(() => ended = true);
  while (!ended) {
    for (const next of waiting.splice(0)) next();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await done, {});
  assert.equal(taken, 1_000 * chunk.length);
});

it("`pipeOutput()` does not wait for a target that was closed or ended before", async () => {
  for (const close of ["destroy", "end"] as const) {
    const to = new PassThrough().resume();
    to[close]();
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { done } = pipeOutput(Readable.from([Buffer.from("text")]), to, { mask });
    assert.deepEqual(await done, { failure: "EPIPE" }, close);
  }
});

it("`pipeOutput()` reads what came while the process was busy, before it ends a pipe", async () => {
  // The process that stays behind holds the pipe, and writes when the first has long ended.
  const child = spawn("sh", ["-c", "(sleep 0.1; echo B; sleep 60) & echo A; echo $! >&2"]);
  const pid = new Promise<number>((resolve) =>
    child.stderr.on("data", (text) => resolve(Number(text)))
  );
  const taken: string[] = [];
  const to = new Writable({
    write: (chunk, _encoding, done) => {
      taken.push(String(chunk));
      done();
    },
  });
  const output = pipeOutput(child.stdout, to, { mask });
  await once(child, "exit");
  output.childEnded();
  const end = performance.now() + 600;
  while (performance.now() < end);
  assert.deepEqual(await output.done, {});
  assert.equal(taken.join(""), "A\nB\n");
  process.kill(await pid);
});
