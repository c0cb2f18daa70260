import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "../../src/store/journal.ts";
import { openState } from "../../src/store/state.ts";
import { tokenFile } from "../../src/store/token_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { runtimes, startStoreProcess } from "./store_process.ts";
import type { StoreProcess } from "./store_process.ts";

/** Starts many processes, and lets them go at once when all are ready. */
async function startTogether(
  count: number,
  args: (number: number) => readonly string[],
): Promise<void> {
  const commands = await runtimes();
  const processes: StoreProcess[] = [];
  try {
    for (let number = 0; number < count; number++) {
      const runtime = commands[number % commands.length]!;
      processes.push(await startStoreProcess(args(number), { runtime }));
    }
    for (const each of processes) each.go();
    await Promise.all(processes.map((each) => each.done()));
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
  }
}

test("50 processes at once add to the journal, the state and the token file, and nothing is lost", async () => {
  await using folder = await temporaryFolder();
  await startTogether(50, (number) => ["add", folder.path, String(number)]);

  const origins = Array.from({ length: 50 }, (_, number) => `https://host-${number}:7443`).sort();
  const entries = await openJournal(folder.path).list();
  assert.deepEqual(entries.map(({ origin }) => origin).sort(), origins);
  assert.equal(new Set(entries.map(({ key }) => key)).size, 50);
  assert.equal(new Set(entries.map(({ owner }) => owner.pid)).size, 50);
  const records = await openState(folder.path).list();
  assert.deepEqual(records.map(({ origin }) => origin).sort(), origins);
  for (let number = 0; number < 50; number++) {
    const token = await tokenFile(folder.path).get(`https://host-${number}:7443`);
    assert.equal(token?.reveal(), `a7ee-${number}`);
  }
  const names = (await readdir(folder.path)).sort();
  assert.deepEqual(names, ["journal.json", "state.json", "tokens.json"]);
});

test("`withLock()` lets one of 12 processes in at a time", async () => {
  await using folder = await temporaryFolder({ counter: "0" });
  await startTogether(12, () => ["add up", folder.path, "20"]);
  assert.equal(await readFile(join(folder.path, "counter"), "utf8"), "240");
  assert.deepEqual(await readdir(folder.path), ["counter"]);
});

test("`withLock()` lets one in at a time of those that find the lock of a dead process at once", async () => {
  await using folder = await temporaryFolder({ counter: "0" });
  await using owner = await startStoreProcess(["hold", folder.path, "a.lock"]);
  owner.go();
  assert.equal(await owner.line(), "held");
  const abandoned = await readFile(join(folder.path, "a.lock"));
  await owner.kill();
  for (let round = 1; round <= 4; round++) {
    await writeFile(join(folder.path, "a.lock"), abandoned);
    await startTogether(10, () => ["add up", folder.path, "1"]);
    assert.equal(await readFile(join(folder.path, "counter"), "utf8"), String(10 * round));
    assert.deepEqual(await readdir(folder.path), ["counter"]);
  }
});

test("two calls in one process wait for each other", async () => {
  await using folder = await temporaryFolder();
  const tokens = tokenFile(folder.path);
  const state = openState(folder.path);
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  await Promise.all(numbers.map((number) =>
    state.put({
      account: `account ${number}`,
      origin: "https://host:7443",
      storage: "file",
      fingerprint: "12345678",
    })
  ));
  assert.equal((await state.list()).length, 20);
  assert.equal(await tokens.get("account 1"), undefined);
});
