import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { isAbsent, readAtMost, statOrAbsent } from "../../src/system/files.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

it("`readAtMost()` reads what is not too long, from files and from pipes", async () => {
  await using folder = await temporaryFolder({ empty: "", file: "12345" });
  const file = join(folder.path, "file");
  assert.equal(String(await readAtMost(join(folder.path, "empty"), 5)), "");
  assert.equal(String(await readAtMost(file, 5)), "12345");
  assert.equal(await readAtMost(file, 4), undefined);
  const pipe = join(folder.path, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const [limit, length] of [[20_000, 20_000], [19_999, undefined]] as const) {
    const writer = execFile("sh", ["-c", `head -c 20000 /dev/zero >'${pipe}'`]);
    const ended = new Promise((resolve) => writer.once("close", resolve));
    assert.equal((await readAtMost(pipe, limit))?.length, length);
    await ended;
  }
  await assert.rejects(readAtMost(join(folder.path, "absent"), 5), { code: "ENOENT" });
});

it("`statOrAbsent()` takes a file that is not there for no failure, and nothing else", async () => {
  await using folder = await temporaryFolder({ file: "x" });
  assert.equal(statOrAbsent(join(folder.path, "file"))?.size, 1);
  assert.equal(statOrAbsent(join(folder.path, "absent")), undefined);
  assert.equal(statOrAbsent(join(folder.path, "file/below")), undefined);
  assert.throws(() => statOrAbsent(join(folder.path, "x".repeat(300))), { code: "ENAMETOOLONG" });
  await assert.rejects(writeFile(join(folder.path, "file/below"), ""), isAbsent);
});
