import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Secret } from "../../src/secret.ts";
import { replaceFile } from "../../src/store/replace_file.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { tokenFile } from "../../src/store/token_file.ts";
import { nodeRuntime, skipWithout } from "../support/runtimes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { startStoreProcess } from "./store_process.ts";

const node = nodeRuntime(24);
const isWindows = process.platform === "win32";

test("`replaceFile()` leaves the old file where it is told to stop", async () => {
  await using folder = await temporaryFolder({ "a.json": "old" });
  const path = join(folder.path, "a.json");
  const failure = new StoreError("no", { path });
  await assert.rejects(
    replaceFile(path, "new", {
      check: async () => {
        assert.equal(await readFile(path, "utf8"), "old");
        assert.equal((await readdir(folder.path)).length, 2);
        throw failure;
      },
    }),
    failure,
  );
  assert.equal(await readFile(path, "utf8"), "old");
  assert.deepEqual(await readdir(folder.path), ["a.json"]);
});

test("one that lost its lock cannot finish once another has begun", async () => {
  await using folder = await temporaryFolder({ "a.json": "old" });
  const path = join(folder.path, "a.json");
  const late = replaceFile(path, "of the first", {
    check: () => replaceFile(path, "of the second", { check: () => Promise.resolve() }),
  });
  await assert.rejects(late, { name: "StoreError", code: "ENOENT" });
  assert.equal(await readFile(path, "utf8"), "of the second");
});

test("a file that cannot be written in full is not replaced", {
  skip: isWindows || await skipWithout(node),
}, async () => {
  await using folder = await temporaryFolder();
  const tokens = tokenFile(folder.path);
  await tokens.set("https://host:7443", new Secret("a7ee-small"));
  await using writer = await startStoreProcess(["write large", folder.path], {
    runtime: [await node],
    // No file may grow beyond two blocks: the lock fits, the tokens do not.
    prefix: ["sh", "-c", 'trap "" XFSZ; ulimit -f 2; exec "$@"', "sh"],
  });
  writer.go();
  const { name, message } = JSON.parse(await writer.line() ?? "");
  assert.equal(name, "StoreError");
  assert.match(message, /^Cannot write ".*tokens\.json": the file would be too large \(EFBIG\)$/);
  await writer.done();
  assert.equal((await tokens.get("https://host:7443"))?.reveal(), "a7ee-small");
  assert.deepEqual(await readdir(folder.path), ["tokens.json"]);
});
