import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { add, numbersFile, suggests } from "./numbers_file.ts";

const isWindows = process.platform === "win32";

test("`JsonFile` stands for the empty value where there is no file, nor a folder", async () => {
  await using folder = await temporaryFolder();
  const file = numbersFile(join(folder.path, "not", "there"), { secret: true });
  assert.deepEqual(await file.read(), { list: [] });
  assert.deepEqual(await readdir(folder.path), []);
});

test("`JsonFile.update()` writes for the owner alone, and says which version it is", async () => {
  await using folder = await temporaryFolder();
  const below = join(folder.path, "config", "adc-run");
  const file = numbersFile(below);
  assert.deepEqual(await file.update(add), { list: [0] });
  assert.deepEqual(await file.update(add), { list: [0, 1] });
  assert.deepEqual(await file.read(), { list: [0, 1] });
  assert.deepEqual(JSON.parse(await readFile(file.path, "utf8")), { version: 1, list: [0, 1] });
  assert.deepEqual(await readdir(below), ["numbers.json"]);
  if (isWindows) return;
  assert.equal((await stat(file.path)).mode & 0o777, 0o600);
  assert.equal((await stat(below)).mode & 0o777, 0o700);
});

test("`JsonFile.update()` writes nothing where nothing changes", async () => {
  await using folder = await temporaryFolder();
  const file = numbersFile(folder.path);
  await file.update((numbers) => numbers);
  assert.deepEqual(await readdir(folder.path), []);
  await file.update(add);
  const { ino } = await stat(file.path);
  await file.update((numbers) => numbers);
  assert.equal((await stat(file.path)).ino, ino);
});

test("`JsonFile.update()` leaves the file as it was where the change fails", async () => {
  await using folder = await temporaryFolder();
  const file = numbersFile(folder.path);
  await file.update(add);
  const failure = new Error("no");
  await assert.rejects(
    file.update(() => {
      throw failure;
    }),
    failure,
  );
  assert.deepEqual(await file.read(), { list: [0] });
  assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
});

test("`JsonFile.update()` removes what a process that died left unfinished, and nothing else", async () => {
  const names = ["numbers.json.txt", "numbers.json.tmp", "other.json.0123456789abcdef.tmp"];
  await using folder = await temporaryFolder(Object.fromEntries(names.map((name) => [name, ""])));
  await folder.write("numbers.json.0123456789abcdef.tmp", '{"version":1');
  await numbersFile(folder.path).update(add);
  assert.deepEqual((await readdir(folder.path)).sort(), ["numbers.json", ...names].sort());
});

test("`JsonFile` reads a file with a byte order mark, as editors on Windows write it", async () => {
  await using folder = await temporaryFolder({ "numbers.json": '\ufeff{"version":1,"list":[7]}' });
  assert.deepEqual(await numbersFile(folder.path).read(), { list: [7] });
});

test("`JsonFile` leaves a file alone that a newer version wrote", async () => {
  const content = '{"version":2,"list":{}}';
  await using folder = await temporaryFolder({ "numbers.json": content });
  await chmod(join(folder.path, "numbers.json"), 0o600);
  const file = numbersFile(folder.path);
  await assert.rejects(file.read(), suggests(/Use that version/));
  await assert.rejects(file.update(add), suggests(/Use that version/));
  assert.equal(await readFile(file.path, "utf8"), content);
  assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
});

test(
  "`JsonFile` refuses what is no file, and leaves it where it is",
  { skip: isWindows },
  async () => {
    const makers: Readonly<Record<string, (path: string) => unknown>> = {
      "a directory": (path) => mkdir(path),
      "a symbolic link": (path) => symlink("elsewhere.json", path),
      "not a regular file": (path) => execFileSync("mkfifo", [path]),
    };
    for (const [what, make] of Object.entries(makers)) {
      await using folder = await temporaryFolder({ "elsewhere.json": '{"version":1,"list":[]}' });
      const file = numbersFile(folder.path);
      await make(file.path);
      for (const call of [() => file.read(), () => file.update(add)]) {
        await assert.rejects(call(), (error) => {
          assert.match((error as Error).message, new RegExp(`^Cannot use ".*": it is ${what}$`));
          return suggests(/move it away/)(error);
        });
      }
      assert.deepEqual((await readdir(folder.path)).sort(), ["elsewhere.json", "numbers.json"]);
    }
  },
);

test("`JsonFile.update()` writes nothing once its lock was taken over", async () => {
  await using folder = await temporaryFolder();
  const file = numbersFile(folder.path);
  await file.update(add);
  const late = file.update((numbers) => {
    rmSync(`${file.path}.lock`);
    return add(numbers);
  });
  await assert.rejects(late, /another process took over ".*numbers\.json\.lock"/);
  assert.deepEqual(await file.read(), { list: [0] });
  assert.deepEqual(await readdir(folder.path), ["numbers.json"]);
});

test("`JsonFile.update()` gives the wait for others up", async () => {
  await using folder = await temporaryFolder();
  const file = numbersFile(folder.path);
  await mkdir(folder.path, { recursive: true });
  await folder.write("numbers.json.lock", "");
  await assert.rejects(
    numbersFile(folder.path, { timeout: 20 }).update(add),
    /Cannot lock the numbers: another process/,
  );
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(numbersFile(folder.path, { signal }).update(add), reason);
  await rm(join(folder.path, "numbers.json.lock"));
  assert.deepEqual(await file.update(add), { list: [0] });
});
