import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import { DamagedFileError } from "../../src/store/store_error.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";
import { add, numbersFile, suggests } from "./numbers_file.ts";

// Short, as the parser quotes only the first characters.
const SHOWN = "a7ee-x";

/** A folder with the file in it, for its owner alone. */
async function folderWith(content: string | Uint8Array): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await chmod(await folder.write("numbers.json", content), 0o600);
  return folder;
}

test("`JsonFile` tells a damaged file, sets it aside with the next change, and quotes it nowhere", async () => {
  const contents: readonly (readonly [string, string | Uint8Array])[] = [
    ["empty", ""],
    ["cut off", `{"version":1,"list":["${SHOWN}`],
    ["no JSON", `${SHOWN}`],
    ["not UTF-8", Buffer.from('{"version":1,"list":["\xff"]}', "latin1")],
    ["not an object", `["${SHOWN}"]`],
    ["null", "null"],
    ["without a version", `{"list":["${SHOWN}"]}`],
    ["with a version that is none", `{"version":"2","list":["${SHOWN}"]}`],
    ["of another shape", `{"version":1,"list":"${SHOWN}"}`],
  ];
  for (const [what, content] of contents) {
    await using folder = await folderWith(content);
    const warnings: string[] = [];
    const file = numbersFile(folder.path, { warnings });
    await assert.rejects(file.read(), (error) => {
      assert.ok(error instanceof DamagedFileError, what);
      assert.equal(error.path, file.path);
      assert.ok(!inspect(error, { depth: 9 }).includes(SHOWN), what);
      return true;
    });
    assert.equal(warnings.length, 0, what);
    assert.deepEqual(await file.update(add), { list: [0] }, what);
    const [kept, aside, ...others] = (await readdir(folder.path)).sort();
    assert.deepEqual([kept, others], ["numbers.json", []]);
    assert.match(aside!, /^numbers\.json\.damaged-\d{8}T\d{6}\.\d{3}Z$/);
    assert.deepEqual(await readFile(join(folder.path, aside!)), Buffer.from(content), what);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]!.includes(`"${file.path}"`) && warnings[0]!.includes(aside!), what);
    assert.ok(!warnings[0]!.includes(SHOWN), what);
  }
});

test("`JsonFile.readOrSetAside()` sets a damaged file aside at once, and goes on empty", async () => {
  for (const secret of [false, true]) {
    const content = `{"version":1,"list":"${SHOWN}"}`;
    await using folder = await folderWith(content);
    const warnings: string[] = [];
    const file = numbersFile(folder.path, { secret, warnings });
    assert.deepEqual(await file.readOrSetAside(), { list: [] });
    const [aside, ...others] = await readdir(folder.path);
    assert.match(aside!, /^numbers\.json\.damaged-\d{8}T\d{6}\.\d{3}Z$/);
    assert.deepEqual(others, []);
    assert.equal(await readFile(join(folder.path, aside!), "utf8"), content);
    assert.equal(
      warnings[0],
      `Cannot read "${file.path}": it is damaged (its JSON is not what adc-run writes); it was moved to ` +
        `"${join(folder.path, aside!)}"`,
    );
    assert.deepEqual(await file.readOrSetAside(), { list: [] });
    assert.deepEqual(await file.update(add), { list: [0] });
    assert.deepEqual(await file.readOrSetAside(), { list: [0] });
    assert.equal(warnings.length, 1);
  }
});

test("`JsonFile.readOrSetAside()` moves a damaged file once, however many read it", async () => {
  await using folder = await folderWith("{");
  const warnings: string[] = [];
  const read = () => numbersFile(folder.path, { warnings }).readOrSetAside();
  const all = await Promise.all(Array.from({ length: 8 }, read));
  assert.deepEqual(all, all.map(() => ({ list: [] })));
  assert.equal(warnings.length, 1);
  assert.equal((await readdir(folder.path)).length, 1);
});

test("`JsonFile.readOrSetAside()` gives what another has written over the damage meanwhile", async () => {
  await using folder = await folderWith("{");
  const file = numbersFile(folder.path);
  const [read, updated] = await Promise.all([file.readOrSetAside(), file.update(add)]);
  assert.deepEqual(updated, { list: [0] });
  assert.ok(read.list.length <= 1);
  assert.deepEqual(await file.read(), { list: [0] }, "nothing good was set aside");
});

test("`JsonFile.readOrSetAside()` reads a sound file and leaves no trace, nor makes one", async () => {
  await using folder = await folderWith('{"version":1,"list":[7]}');
  assert.deepEqual(await numbersFile(folder.path).readOrSetAside(), { list: [7] });
  const below = join(folder.path, "not", "there");
  assert.deepEqual(await numbersFile(below).readOrSetAside(), { list: [] });
  assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
});

test("`JsonFile.readOrSetAside()` leaves alone what a newer version wrote", async () => {
  const content = '{"version":2,"list":{}}';
  await using folder = await folderWith(content);
  const file = numbersFile(folder.path);
  await assert.rejects(file.readOrSetAside(), suggests(/Use that version/));
  assert.equal(await readFile(file.path, "utf8"), content);
});

test("`JsonFile.readOrSetAside()` moves nothing in a folder that others can change", {
  skip: process.platform === "win32",
}, async () => {
  await using folder = await folderWith("{");
  await chmod(folder.path, 0o770);
  await assert.rejects(numbersFile(folder.path).readOrSetAside(), suggests(/chmod 700/));
  assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
});
