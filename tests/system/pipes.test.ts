import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fstatSync, promises as fs, writeSync } from "node:fs";
import process from "node:process";
import { it } from "node:test";
import { letGoOfPipe } from "../../src/system/files.ts";
import { PipeStock } from "../../src/system/pipes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

it("`letGoOfPipe()` ends the wait for somebody who writes", async () => {
  await using folder = await temporaryFolder({ file: "text" });
  const pipe = `${folder.path}/pipe`;
  execFileSync("mkfifo", [pipe]);
  const read = fs.readFile(pipe, "utf8");
  // The reader may have yet to come.
  const knocking = setInterval(() => letGoOfPipe(pipe), 10);
  assert.equal(await read, "");
  clearInterval(knocking);
});

it("`letGoOfPipe()` leaves everything else alone", async () => {
  await using folder = await temporaryFolder({ file: "text" });
  letGoOfPipe(`${folder.path}/file`);
  letGoOfPipe(`${folder.path}/absent`);
  letGoOfPipe(folder.path);
  assert.equal(await fs.readFile(`${folder.path}/file`, "utf8"), "text");
});

it("`PipeStock` starts one program for many, and gives each pipe to one", {
  skip: process.platform === "win32",
}, async () => {
  await using folder = await temporaryFolder();
  const path = process.env.PATH!;
  const script = `#!/bin/sh\necho made >> "${folder.path}/log"\nPATH="${path}" exec mkfifo "$@"\n`;
  await fs.writeFile(`${folder.path}/mkfifo`, script, { mode: 0o755 });
  const stock = new PipeStock({
    env: { PATH: folder.path, TMPDIR: folder.path },
    cwd: folder.path,
  });
  const taken = (await Promise.all([1, 2, 2].map((count) => stock.take(count)))).flat();
  assert.equal(new Set(taken.map((pipe) => fstatSync(pipe!.writeEnd).ino)).size, 5);
  for (const [index, pipe] of taken.entries()) {
    const reader = pipe!.read();
    writeSync(pipe!.writeEnd, `${index}`);
    pipe!.close();
    assert.equal(String((await reader.toArray()).join("")), `${index}`);
  }
  assert.equal(await fs.readFile(`${folder.path}/log`, "utf8"), "made\n");
  stock.close();
  assert.equal((await fs.readdir(folder.path)).length, 2, "what was made is gone");
  const none = new PipeStock({ env: { PATH: "/nowhere" }, cwd: folder.path });
  assert.deepEqual([await none.take(1), await none.take(1)], [undefined, undefined]);
});
