import assert from "node:assert/strict";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import dotenv from "dotenv";
import { EnvFile, readEnvFile } from "../../src/connection/env_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** What `dotenv` 17 makes of a file; `undefined` for no `ADC_TOKEN` at all. */
const FILES: readonly [text: string, token: string | undefined][] = [
  // Lines that @std/dotenv reads otherwise.
  ["ADC_TOKEN=a7ee-ab$cd", "a7ee-ab$cd"],
  ["ADC_TOKEN=a7ee-${HOME}", "a7ee-${HOME}"],
  ["ADC_TOKEN=`a7ee-abc`", "a7ee-abc"],
  ["ADC_TOKEN: a7ee-abc", "a7ee-abc"],
  ["ADC_TOKEN='it''s'", "it''s"],
  // Spellings.
  ["ADC_TOKEN=a7ee-abc", "a7ee-abc"],
  ["export ADC_TOKEN=a7ee-abc", "a7ee-abc"],
  ["  export   ADC_TOKEN = a7ee-abc  ", "a7ee-abc"],
  ["ADC_TOKEN =a7ee-abc", "a7ee-abc"],
  ["ADC_TOKEN= a7ee-abc", "a7ee-abc"],
  ["\tADC_TOKEN\t=\ta7ee-abc\t", "a7ee-abc"],
  ["ADC_TOKEN=a=b==", "a=b=="],
  ["ADC_TOKEN=a b", "a b"],
  ["ADC_TOKEN", undefined],
  ["adc_token=a7ee-abc", undefined],
  ["X.ADC_TOKEN=a7ee-abc", undefined],
  ["exportADC_TOKEN=a7ee-abc", undefined],
  ["", undefined],
  ["\n\n", undefined],
  // Comments.
  ["#ADC_TOKEN=a7ee-abc", undefined],
  ["  # ADC_TOKEN=a7ee-abc", undefined],
  ["ADC_TOKEN=a7ee-abc # mine", "a7ee-abc"],
  ["ADC_TOKEN=a7ee-abc#mine", "a7ee-abc"],
  ["ADC_TOKEN='a7ee-abc#mine' # mine", "a7ee-abc#mine"],
  ['ADC_TOKEN="a7ee-abc#mine"#', "a7ee-abc#mine"],
  ["ADC_TOKEN=`a#b`", "a#b"],
  ["ADC_TOKEN=#a7ee-abc", ""],
  // Quotes.
  ['ADC_TOKEN="a7ee-abc"', "a7ee-abc"],
  ["ADC_TOKEN='a7ee-abc'", "a7ee-abc"],
  ['ADC_TOKEN="a\\nb"', "a\nb"],
  ["ADC_TOKEN='a\\nb'", "a\\nb"],
  ['ADC_TOKEN="a\nb"', "a\nb"],
  ["ADC_TOKEN='a\nb'\nX=1", "a\nb"],
  ['ADC_TOKEN=" a7ee-abc "', " a7ee-abc "],
  ['ADC_TOKEN="a7ee-abc', '"a7ee-abc'],
  ["ADC_TOKEN=a7ee-abc'", "a7ee-abc'"],
  ['ADC_TOKEN="a\'b"', "a'b"],
  ['ADC_TOKEN="a\\"b"', 'a\\"b'],
  // Emptiness, repetition, and other systems' files.
  ["ADC_TOKEN=", ""],
  ["ADC_TOKEN=\nX=1", ""],
  ['ADC_TOKEN=""', ""],
  ["ADC_TOKEN=   ", ""],
  ["ADC_TOKEN=a\nADC_TOKEN=b", "b"],
  ["ADC_TOKEN=a\nADC_TOKEN=", ""],
  ["X=1\r\nADC_TOKEN=a7ee-abc\r\nY=2\r\n", "a7ee-abc"],
  ["X=1\rADC_TOKEN=a7ee-abc\r", "a7ee-abc"],
  ["\ufeffADC_TOKEN=a7ee-abc", "a7ee-abc"],
  ["ADC_TOKEN=a7ee-\u00fc", "a7ee-\u00fc"],
  ["toString=x\nconstructor=y\nADC_TOKEN=a7ee-abc", "a7ee-abc"],
];

test("`readEnvFile()` reads every line as `dotenv`, which ADC uses, does", async () => {
  await using folder = await temporaryFolder();
  for (const [text, token] of FILES) {
    const path = await folder.write(".env", text);
    const line = JSON.stringify(text);
    const processEnv: Record<string, string> = {};
    dotenv.config({ path, processEnv, quiet: true });
    assert.equal(processEnv.ADC_TOKEN, token, `dotenv changed its mind about ${line}`);
    const file = await readEnvFile(".env", folder.path);
    assert.equal(file.get("ADC_TOKEN"), token, line);
    assert.deepEqual(Object.fromEntries(file.entries()), processEnv, line);
    assert.equal(file.exists, true);
    assert.equal(file.unreadable, undefined);
  }
});

test("`readEnvFile()` finds nothing where there is no file", async () => {
  await using folder = await temporaryFolder({ "plain": "" });
  for (const name of [".env", "no/such/.env", "plain/.env", join(folder.path, "absent")]) {
    const file = await readEnvFile(name, folder.path);
    assert.deepEqual([file.name, file.exists, file.unreadable], [name, false, undefined]);
    assert.equal(file.get("ADC_TOKEN"), undefined);
    assert.deepEqual([...file.entries()], []);
  }
});

test("`readEnvFile()` passes over a folder named `.env`, as ADC does", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, ".env"));
  const file = await readEnvFile(".env", folder.path);
  assert.deepEqual([file.exists, file.unreadable], [false, undefined]);
});

test("`readEnvFile()` says that a file is there and cannot be read", async (t) => {
  await using folder = await temporaryFolder();
  // A link to itself is a file that nobody can read, not even root.
  await symlink("loop", join(folder.path, "loop"));
  const loop = await readEnvFile("loop", folder.path);
  assert.deepEqual([loop.exists, loop.unreadable], [true, "ELOOP"]);
  assert.deepEqual([...loop.entries()], []);
  await t.test("also where its permissions forbid it", {
    skip: process.getuid?.() === 0 && "root reads every file",
  }, async () => {
    await chmod(await folder.write(".env", "ADC_TOKEN=a7ee-abc"), 0);
    const file = await readEnvFile(".env", folder.path);
    assert.deepEqual([file.exists, file.unreadable], [true, "EACCES"]);
  });
});

test("`readEnvFile()` follows a relative path from the working directory given", async () => {
  await using folder = await temporaryFolder({ "sub/ci.env": "A=1" });
  for (const name of ["sub/ci.env", join(folder.path, "sub/ci.env")]) {
    const file = await readEnvFile(name, folder.path);
    assert.deepEqual([file.name, file.get("A")], [name, "1"]);
  }
});

test("`EnvFile` shows no value when it is printed", () => {
  const file = new EnvFile(".env", { ADC_TOKEN: "a7ee-example" });
  assert.equal(file.get("ADC_TOKEN"), "a7ee-example");
  for (const text of [inspect(file, { depth: 9, showHidden: true }), JSON.stringify(file)]) {
    assert.ok(!text.includes("a7ee-example"), text);
  }
});
