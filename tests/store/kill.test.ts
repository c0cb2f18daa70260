import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { JsonFile } from "../../src/store/json_file.ts";
import { openState } from "../../src/store/state.ts";
import { nodeRuntime, skipWithout } from "../support/runtimes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { runtimes, startStoreProcess } from "./store_process.ts";

const KILLS = 30;

function record(name: string) {
  return {
    account: name,
    origin: `https://${name}:7443`,
    storage: "file",
    fingerprint: "12345678",
  } as const;
}

/** The same numbers in every run: a linear congruential generator. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed;; state = (state * 1_103_515_245 + 12_345) % 2 ** 31) yield state >>> 8;
}

test("a file is whole whenever the process that writes it is killed, and the next one goes on", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "numbers.json");
  const file = new JsonFile<{ readonly count: number }>({
    path,
    read: ({ count }) => typeof count === "number" ? { count } : undefined,
    empty: { count: 0 },
    what: "the numbers",
    onWarning: assert.fail,
  });
  const commands = await runtimes();
  const random = numbers(1);
  for (let kill = 0; kill < KILLS; kill++) {
    const runtime = commands[kill % commands.length]!;
    await using writer = await startStoreProcess(["write on", folder.path], { runtime });
    writer.go();
    let said = 0;
    for (let line = 1 + random.next().value % 8; line > 0; line--) {
      said = Number(await writer.line());
    }
    await writer.kill();
    const { version, count } = JSON.parse(await readFile(path, "utf8"));
    assert.equal(version, 1);
    assert.ok(count >= said, "A write that was over is lost");
    const { count: next } = await file.update(({ count }) => ({ count: count + 1 }));
    assert.equal(next, count + 1);
    assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
  }
});

const node = nodeRuntime(24);

test("a file is whole after a kill at each single step of a change, and the next change goes on", {
  skip: process.platform === "win32" || await skipWithout(node),
}, async () => {
  const options = { runtime: [await node], program: "crash_program.ts" };
  let outcomes = "";
  for (let step = 1;; step++) {
    await using folder = await temporaryFolder();
    const state = openState(folder.path, { onWarning: assert.fail });
    await state.put(record("old"));
    await using crashed = await startStoreProcess([folder.path, String(step)], options);
    const calls = await crashed.line();
    await crashed.kill();
    const names = (await state.list()).map(({ account }) => account);
    if (calls !== undefined) {
      assert.equal(Number(calls), step - 1);
      break;
    }
    // The change was made or not, as a whole.
    assert.ok(["old", "old,new"].includes(names.join()), names.join());
    outcomes += names.length === 1 ? "-" : "+";
    await state.put(record("next"));
    assert.deepEqual(
      (await state.list()).map(({ account }) => account),
      [...names, "next"],
    );
    assert.deepEqual(await readdir(folder.path), ["state.json"]);
  }
  assert.match(outcomes, /^-{8,}\+{4,}$/);
});
