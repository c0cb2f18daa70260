import assert from "node:assert/strict";
import { chmod, mkdir, symlink, truncate } from "node:fs/promises";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import dotenv from "dotenv";
import { EnvFile, readEnvFile, readNamedFile } from "../../src/connection/env_file.ts";
import { effectOf, namesFromDotEnv } from "../../src/connection/pinned_target.ts";
import { ConnectionError } from "../../src/errors.ts";
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

test("`readEnvFile()` refuses a file that is larger than 1 MiB, and does not read it", async () => {
  await using folder = await temporaryFolder({ ".env": "", "big.env": "" });
  for (const name of [".env", "big.env"]) await truncate(join(folder.path, name), 1.5e9);
  await assert.rejects(
    readEnvFile(".env", folder.path),
    (error) =>
      error instanceof ConnectionError && error.exitCode === 78 &&
      error.message === "Cannot use .env: it is larger than 1 MiB",
  );
  await assert.rejects(
    readNamedFile("big.env", folder.path),
    (error) => error instanceof ConnectionError && error.exitCode === 64,
  );
});

test("`readEnvFile()` goes through a long run of anything once", async () => {
  await using folder = await temporaryFolder();
  const read = async (text: string) => {
    await folder.write(".env", text);
    const begin = performance.now();
    const file = await readEnvFile(".env", folder.path);
    assert.ok(performance.now() - begin < 2_000);
    return file;
  };
  for (const line of ["\n", "\r\n", " \n", "\t\r", "\u2028", "\u2029 "]) {
    const file = await read(`ONE=1${line.repeat(100_000)}# end${line.repeat(100_000)}TWO=2`);
    assert.deepEqual([...file.entries()], [["ONE", "1"], ["TWO", "2"]]);
  }
  const { ambiguous } = await read(`ONE=1\nTWO=${"${".repeat(500_000)}}`);
  assert.deepEqual([...ambiguous.keys()], ["TWO"]);
});

test("`readEnvFile()` tells a file in UTF-16, in which ADC finds nothing", async () => {
  const text = "ADC_TOKEN=a7ee-example\r\n";
  const little = Buffer.from(`\ufeff${text}`, "utf16le");
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    await using folder = await temporaryFolder();
    await folder.write(".env", bytes);
    const file = await readEnvFile(".env", folder.path);
    assert.deepEqual([file.exists, file.unreadable], [true, "it is UTF-16 text"]);
  }
});

test("an environment file has its names in any case on Windows, where the first one counts", () => {
  const values = { Adc_Tls_Skip_Verify: "1", ADC_TLS_SKIP_VERIFY: "2", Http_Proxy: "http://evil" };
  const file = new EnvFile(".env", values, { platform: "win32" });
  assert.equal(file.get("ADC_TLS_SKIP_VERIFY"), "1");
  assert.equal(file.get("HTTP_PROXY"), "http://evil");
  assert.equal(new EnvFile(".env", values, { platform: "linux" }).get("HTTP_PROXY"), undefined);
  const none = new EnvFile(".env", undefined);
  const at = { dotEnv: file, envFile: file, env: { HTTP_proxy: "http://mine" } };
  assert.deepEqual(namesFromDotEnv(at, "win32"), ["Adc_Tls_Skip_Verify"]);
  assert.equal(namesFromDotEnv({ ...at, envFile: none }, "linux").length, 2);
});

test("`effectOf()` knows proxies by both cases of their names, and by any on Windows", () => {
  const both = (name: string) => [name, name.toUpperCase()];
  const proxies = [
    ...["http_proxy", "https_proxy", "all_proxy", "no_proxy"],
    ...["npm_config_proxy", "npm_config_http_proxy", "npm_config_https_proxy"],
    "npm_config_no_proxy",
  ].flatMap(both);
  for (const name of proxies) assert.equal(effectOf(name, "linux"), "proxy", name);
  for (const name of ["Http_Proxy", "nPm_config_proxy"]) {
    assert.equal(effectOf(name, "linux"), undefined, name);
    assert.equal(effectOf(name, "win32"), "proxy", name);
  }
  assert.equal(effectOf("Node_Options", "win32"), "runtime");
  for (const name of ["NODE_ENV", "UPSTREAM", "ADC_SERVER", "PROXY", "MY_HTTP_PROXY"]) {
    assert.equal(effectOf(name, "win32"), undefined, name);
  }
});
