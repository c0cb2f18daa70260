import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { promises as fs } from "node:fs";
import { it } from "node:test";
import { letGoOfPipe } from "../../src/system/files.ts";
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
