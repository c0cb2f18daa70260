import assert from "node:assert/strict";
import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "../../src/store/journal.ts";
import { ownIdentity } from "../../src/store/process_identity.ts";
import { StoreError } from "../../src/store/store_error.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const entry = {
  kind: "mint",
  origin: "https://host:7443",
  userId: "3",
  name: "adc-run ann@host 2",
  rename: "adc-run ann@host",
} as const;

test("`openJournal()` tells of what was begun, and by which process", async () => {
  await using folder = await temporaryFolder();
  const journal = openJournal(folder.path);
  assert.deepEqual(await journal.list(), []);
  const first = await journal.add(entry);
  const second = await journal.add({ ...entry, kind: "ephemeral" });
  assert.deepEqual(first, {
    ...entry,
    key: first.key,
    begunAt: first.begunAt,
    owner: await ownIdentity(),
  });
  assert.notEqual(first.key, second.key);
  assert.deepEqual(await openJournal(folder.path).list(), [first, second]);

  await journal.change(first.key, { id: "8", fingerprint: "87654321", storage: "keychain" });
  const changed = { ...first, id: "8", fingerprint: "87654321", storage: "keychain" };
  assert.deepEqual(await journal.list(), [changed, second]);

  await journal.remove(first.key);
  await journal.remove(first.key);
  assert.deepEqual(await journal.list(), [second]);
});

test("`change()` says so where the entry is gone", async () => {
  await using folder = await temporaryFolder();
  const journal = openJournal(folder.path);
  const { key } = await journal.add(entry);
  await journal.remove(key);
  await assert.rejects(journal.change(key, { id: "8" }), StoreError);
  assert.deepEqual(await journal.list(), []);
});

test("the journal holds the known fields alone", async () => {
  await using folder = await temporaryFolder();
  const journal = openJournal(folder.path);
  const secret = { token: "a7ee-unwanted" };
  const owner = { ...await ownIdentity(), ...secret };
  const added = await journal.add({ ...entry, ...secret });
  await journal.change(added.key, { id: "8", owner, ...secret });
  const text = await readFile(join(folder.path, "journal.json"), "utf8");
  assert.ok(!text.includes("unwanted"));
  assert.deepEqual(await journal.list(), [{ ...added, id: "8" }]);
});

test("`openJournal()` sets entries of another shape aside, warns once, and goes on empty", async () => {
  const good = { ...entry, key: "a", owner: await ownIdentity() };
  for (
    const bad of [
      null,
      { ...good, kind: "other" },
      { ...good, owner: { host: "a" } },
      { ...good, rename: 7 },
      { ...good, key: undefined },
    ]
  ) {
    await using folder = await temporaryFolder({
      "journal.json": JSON.stringify({ version: 1, entries: [good, bad] }),
    });
    await chmod(join(folder.path, "journal.json"), 0o600);
    const warnings: string[] = [];
    const onWarning = (warning: string) => void warnings.push(warning);
    const journal = openJournal(folder.path, { onWarning });
    assert.deepEqual(await journal.list(), []);
    assert.deepEqual(await journal.list(), []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /journal\.json": it is damaged \(.*\); it was moved to "/);
    assert.equal((await readdir(folder.path)).length, 1);
    const added = await journal.add(entry);
    assert.deepEqual(await journal.list(), [added]);
  }
});
