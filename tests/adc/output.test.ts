import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { PassThrough, Readable, Writable } from "node:stream";
import { it } from "node:test";
import { pipeOutput } from "../../src/adc/output.ts";
import { createMask } from "../../src/mask/mask.ts";
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
