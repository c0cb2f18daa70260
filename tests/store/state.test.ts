import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openState, type TokenRecord } from "../../src/store/state.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const record: TokenRecord = {
  account: "https://host:7443",
  origin: "https://host:7443",
  storage: "file",
  fingerprint: "12345678",
  id: "7",
  name: "adc-run ann@host",
  userId: "3",
  user: "ann",
  createdAt: 1_700_000_000,
  expiresAt: 1_800_000_000,
};

test("`openState()` keeps a record for each account and storage", async () => {
  await using folder = await temporaryFolder();
  const state = openState(folder.path);
  assert.deepEqual(await state.list(), []);
  const inKeychain: TokenRecord = { ...record, storage: "keychain", fingerprint: "87654321" };
  const later: TokenRecord = { ...record, fingerprint: "abcdef01", neverExpires: true };
  await state.put(record);
  await state.put(inKeychain);
  await state.put({ ...record, account: "other" });
  await state.put(later);
  assert.deepEqual(await openState(folder.path).list(), [
    inKeychain,
    { ...record, account: "other" },
    later,
  ]);
});

test("`find()` finds by server and fingerprint", async () => {
  await using folder = await temporaryFolder();
  const state = openState(folder.path);
  const inKeychain: TokenRecord = { ...record, storage: "keychain", fingerprint: "87654321" };
  await state.put(inKeychain);
  await state.put(record);
  const { origin } = record;
  assert.deepEqual(await state.find({ origin, fingerprint: "87654321" }), inKeychain);
  assert.equal(await state.find({ origin, fingerprint: "00000000" }), undefined);
  assert.equal(await state.find({ origin: "other", fingerprint: "12345678" }), undefined);
});

test("`remove()` removes what is kept in one place, or in all", async () => {
  await using folder = await temporaryFolder();
  const state = openState(folder.path);
  const inKeychain: TokenRecord = { ...record, storage: "keychain" };
  const other: TokenRecord = { ...record, account: "other" };
  for (const each of [record, inKeychain, other]) await state.put(each);
  const { account } = record;
  await state.remove({ account, storage: "file" });
  assert.deepEqual(await state.list(), [inKeychain, other]);
  const { ino } = await stat(join(folder.path, "state.json"));
  await state.remove({ account, storage: "file" });
  assert.equal((await stat(join(folder.path, "state.json"))).ino, ino);
  await state.put(record);
  await state.remove({ account });
  assert.deepEqual(await state.list(), [other]);
});

test("`put()` writes the known fields alone", async () => {
  await using folder = await temporaryFolder();
  const more = { ...record, token: "a7ee-unwanted", value: { token: "a7ee-unwanted" } };
  await openState(folder.path).put(more);
  const text = await readFile(join(folder.path, "state.json"), "utf8");
  assert.ok(!text.includes("unwanted"));
  assert.deepEqual(JSON.parse(text), { version: 1, tokens: [record] });
});

test("`put()` keeps what a later version has added", async () => {
  const later = { ...record, account: "other", color: "red" };
  await using folder = await temporaryFolder({
    "state.json": JSON.stringify({ version: 1, tokens: [later], hint: 1 }),
  });
  await chmod(join(folder.path, "state.json"), 0o600);
  await openState(folder.path).put(record);
  const text = await readFile(join(folder.path, "state.json"), "utf8");
  assert.deepEqual(JSON.parse(text), { version: 1, tokens: [later, record], hint: 1 });
});

test("`openState()` sets records of another shape aside, warns once, and goes on empty", async () => {
  for (
    const tokens of [
      {},
      [null],
      [{ ...record, storage: "cloud" }],
      [{ ...record, expiresAt: "tomorrow" }],
      [{ ...record, account: undefined }],
    ]
  ) {
    await using folder = await temporaryFolder({
      "state.json": JSON.stringify({ version: 1, tokens }),
    });
    await chmod(join(folder.path, "state.json"), 0o600);
    const warnings: string[] = [];
    const state = openState(folder.path, { onWarning: (warning) => void warnings.push(warning) });
    assert.equal(await state.find(record), undefined);
    assert.deepEqual(await state.list(), []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /state\.json": it is damaged \(.*\); it was moved to "/);
    assert.equal((await readdir(folder.path)).length, 1);
    await state.put(record);
    assert.deepEqual(await state.list(), [record]);
  }
});
