import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { test } from "node:test";
import { readBody } from "../../../src/cli/commands/api_request.ts";
import { fakeIo } from "../../support/fake_io.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const { signal } = new AbortController();
const BYTES = Uint8Array.of(0, 255, 13, 10, 128);

test("`readBody()` takes a text, a file, or standard input, byte by byte", async () => {
  await using folder = await temporaryFolder();
  await folder.write("body.bin", BYTES);
  const io = (...chunks: readonly Uint8Array[]) =>
    fakeIo({ cwd: folder.path, stdin: Readable.from(chunks) });
  assert.deepEqual(await readBody('{"a":"ü"}', io(), { signal }), Buffer.from('{"a":"ü"}'));
  assert.deepEqual(await readBody("", io(), { signal }), Buffer.from(""));
  assert.deepEqual(await readBody("@body.bin", io(), { signal }), Buffer.from(BYTES));
  for (const word of ["-", "@-"]) {
    const twice = await readBody(word, io(BYTES, BYTES), { signal });
    assert.deepEqual(twice, Buffer.concat([BYTES, BYTES]));
  }
});

test("`readBody()` says what is wrong with a file", async () => {
  await using folder = await temporaryFolder();
  const io = fakeIo({ cwd: folder.path });
  for (
    const [word, message] of [
      ["@gone", `Cannot read the body from "gone": there is no file "${folder.path}/gone"`],
      ["@.", 'Cannot read the body from ".": it is a directory (EISDIR)'],
      ["@", /no file name/],
    ]
  ) {
    await assert.rejects(readBody(word as string, io, { signal }), { exitCode: 64, message });
  }
});

test("`readBody()` reads no more than 64 MiB", async () => {
  const chunk = Buffer.alloc(1024 * 1024);
  let read = 0;
  async function* endless() {
    while (true) {
      read += 1;
      yield await Promise.resolve(chunk);
    }
  }
  const io = fakeIo({ stdin: Readable.from(endless()) });
  await assert.rejects(readBody("-", io, { signal }), {
    exitCode: 65,
    message: "Cannot send standard input: it is longer than 64 MiB",
  });
  assert.ok(read < 100);
});

test("`readBody()` does not wait for input once it is interrupted", async () => {
  const controller = new AbortController();
  const io = fakeIo({
    stdin: new Readable({ read: () => controller.abort(new Error("given up")) }),
  });
  await assert.rejects(readBody("-", io, { signal: controller.signal }), { message: "given up" });
});
