import assert from "node:assert/strict";
import { chmod, chown, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Secret } from "../../src/secret.ts";
import { openJournal } from "../../src/store/journal.ts";
import { makeFolder } from "../../src/store/private_path.ts";
import { openState } from "../../src/store/state.ts";
import { DamagedFileError, StoreError } from "../../src/store/store_error.ts";
import { tokenFile } from "../../src/store/token_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { add, numbersFile, suggests } from "./numbers_file.ts";

const isWindows = process.platform === "win32";
const isRoot = process.geteuid?.() === 0;

test("`JsonFile` refuses what others can change, and where it is secret what they can use at all", {
  skip: isWindows,
}, async () => {
  for (
    const [name, mode, fix, plain] of [
      ["numbers.json", 0o644, "600", "fine"],
      ["numbers.json", 0o604, "600", "fine"],
      ["numbers.json", 0o610, "600", "fine"],
      ["numbers.json", 0o660, "600", "refused"],
      ["numbers.json", 0o620, "600", "refused"],
      ["numbers.json", 0o602, "600", "refused"],
      ["", 0o755, "700", "fine"],
      ["", 0o750, "700", "fine"],
      ["", 0o701, "700", "fine"],
      ["", 0o770, "700", "refused"],
      ["", 0o720, "700", "refused"],
      ["", 0o702, "700", "refused"],
    ] as const
  ) {
    await using folder = await temporaryFolder();
    const content = '{"version":1,"list":[7]}';
    await folder.write("numbers.json", content);
    await chmod(join(folder.path, "numbers.json"), 0o600);
    const path = name === "" ? folder.path : join(folder.path, name);
    await chmod(path, mode);
    const refused = (verb: string) => (error: unknown) => {
      const says = `Cannot trust "${path}": others can ${verb} it, its mode is 0${
        mode.toString(8)
      }`;
      assert.equal((error as Error).message, says);
      return suggests(new RegExp(`chmod ${fix} ${path}$`))(error);
    };
    const secret = numbersFile(folder.path, { secret: true });
    await assert.rejects(secret.read(), refused("use"));
    await assert.rejects(secret.update(add), refused("use"));
    const open = numbersFile(folder.path);
    assert.deepEqual(await open.read(), { list: [7] });
    const list = plain === "fine" ? [7, 1] : [7];
    if (plain === "fine") assert.deepEqual(await open.update(add), { list });
    else await assert.rejects(open.update(add), refused("change"));
    assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
    await chmod(path, name === "" ? 0o700 : 0o600);
    assert.deepEqual(await secret.update(add), { list: [...list, list.length] });
  }
});

test("a folder that others can look into holds the state and the journal, and no tokens", {
  skip: isWindows,
}, async () => {
  await using folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
  const account = "https://host:7443";
  const record = { account, origin: account, storage: "file", fingerprint: "12345678" } as const;
  const state = openState(folder.path);
  await state.put(record);
  const journal = openJournal(folder.path);
  const added = await journal.add({ kind: "mint", origin: account, userId: "3", name: "new" });
  assert.deepEqual([await state.list(), await journal.list()], [[record], [added]]);
  const tokens = tokenFile(folder.path);
  const refused = suggests(new RegExp(`chmod 700 ${folder.path}$`));
  assert.equal(await tokens.get(account), undefined, "nobody has looked into what is not there");
  await assert.rejects(tokens.set(account, new Secret("a7ee-one")), refused);
  await assert.rejects(tokens.delete(account), refused);
  assert.deepEqual((await readdir(folder.path)).sort(), ["journal.json", "state.json"]);
});

test("`JsonFile` refuses what belongs to another user", { skip: !isRoot }, async () => {
  for (const name of ["numbers.json", ""]) {
    await using folder = await temporaryFolder({ "numbers.json": '{"version":1,"list":[7]}' });
    await chmod(join(folder.path, "numbers.json"), 0o600);
    await chown(join(folder.path, name), 1, 1);
    const refused = suggests(/ADC_RUN_CONFIG_DIR/);
    await assert.rejects(numbersFile(folder.path, { secret: true }).read(), refused);
    await assert.rejects(numbersFile(folder.path).update(add), refused);
    assert.equal((await stat(join(folder.path, name))).uid, 1);
  }
});

test("`JsonFile` names the folder that it cannot use, and why", { skip: isWindows }, async () => {
  await using folder = await temporaryFolder({ "a-file": "" });
  const below = join(folder.path, "a-file", "adc-run");
  // A home that is no folder, /dev/null say, holds nothing; that is found out by writing alone.
  assert.deepEqual(await numbersFile(below, { secret: true }).read(), { list: [] });
  await assert.rejects(numbersFile(below).update(add), (error) => {
    assert.ok(error instanceof StoreError && !(error instanceof DamagedFileError));
    assert.equal(error.code, "ENOTDIR");
    assert.ok(error.message.includes(`"${below}`), error.message);
    assert.match(error.suggestion ?? "", /ADC_RUN_CONFIG_DIR/);
    return true;
  });
});

test("`makeFolder()` makes what is missing above, and gives up where no folder can be", {
  skip: process.platform !== "linux",
}, async () => {
  await using folder = await temporaryFolder({ "a-file": "" });
  const deep = join(folder.path, "a", "b", "c");
  await Promise.all([makeFolder(deep), makeFolder(deep)]);
  assert.equal((await stat(deep)).mode & 0o777, 0o700);
  // Node's own way to make folders with their parents does not come back from here.
  for (const path of ["/proc/adc-run/below", join(folder.path, "a-file", "below")]) {
    await assert.rejects(makeFolder(path), StoreError);
  }
});
