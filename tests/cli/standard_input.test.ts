import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { it } from "node:test";
import { readStandardInput } from "../../src/cli/prompts.ts";
import { fakeIo } from "../support/fake_io.ts";

/** Reads these pieces. */
function read(...pieces: readonly Uint8Array[]): Promise<string> {
  return readStandardInput(fakeIo({ stdin: Readable.from(pieces) }));
}

it("`readStandardInput()` takes one line break off, and joins a character that was cut in two", async () => {
  const bytes = Buffer.from("pässwörd\n\n");
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.equal(await read(bytes.subarray(0, cut), bytes.subarray(cut)), "pässwörd\n");
  }
});

it("`readStandardInput()` refuses what is not valid UTF-8, and shows nothing of it", async () => {
  await assert.rejects(read(Buffer.from("zq\xffzq", "latin1")), {
    message: "Cannot use standard input: it is not valid UTF-8",
    exitCode: 65,
  });
});

it("`readStandardInput()` stops where it is longer than any secret", async () => {
  await assert.rejects(read(new Uint8Array(100_000)), /longer than \d+ bytes/);
});
