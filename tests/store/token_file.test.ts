import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { Secret } from "../../src/secret.ts";
import { DamagedFileError } from "../../src/store/store_error.ts";
import { tokenFile } from "../../src/store/token_file.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const ACCOUNT = "https://host:7443";

test("`tokenFile()` keeps tokens by account", async () => {
  await using folder = await temporaryFolder();
  const tokens = tokenFile(folder.path);
  assert.equal(await tokens.get(ACCOUNT), undefined);
  assert.equal(await tokens.delete(ACCOUNT), false);
  await tokens.set(ACCOUNT, new Secret("a7ee-one"));
  await tokens.set("https://other:7443", new Secret("a7ee-other"));
  await tokens.set(ACCOUNT, new Secret("a7ee-two"));
  assert.equal((await tokenFile(folder.path).get(ACCOUNT))?.reveal(), "a7ee-two");
  assert.equal(await tokens.delete(ACCOUNT), true);
  assert.equal(await tokens.delete(ACCOUNT), false);
  assert.equal(await tokens.get(ACCOUNT), undefined);
  assert.equal((await tokens.get("https://other:7443"))?.reveal(), "a7ee-other");
  if (process.platform === "win32") return;
  assert.equal((await stat(join(folder.path, "tokens.json"))).mode & 0o777, 0o600);
});

test("`tokenFile()` takes any account for a name, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const tokens = tokenFile(folder.path);
  for (const account of ["__proto__", "constructor", "toString", ""]) {
    assert.equal(await tokens.get(account), undefined);
    assert.equal(await tokens.delete(account), false);
    await tokens.set(account, new Secret(`a7ee-${account}`));
    assert.equal((await tokens.get(account))?.reveal(), `a7ee-${account}`);
  }
});

test("`tokenFile()` is not read where others can read it", {
  skip: process.platform === "win32",
}, async () => {
  await using folder = await temporaryFolder();
  const tokens = tokenFile(folder.path);
  await tokens.set(ACCOUNT, new Secret("a7ee-one"));
  await chmod(join(folder.path, "tokens.json"), 0o640);
  await assert.rejects(tokens.get(ACCOUNT), { name: "StoreError", exitCode: 74 });
  await assert.rejects(tokens.set(ACCOUNT, new Secret("a7ee-two")), { name: "StoreError" });
  await assert.rejects(tokens.delete(ACCOUNT), { name: "StoreError" });
});

test("`tokenFile()` sets a damaged file aside before it writes", async () => {
  const damaged = [
    '{"version":1,"tokens":["a7ee-one"]}',
    '{"version":1,"tokens":{"a":1}}',
    '{"version":1}',
  ];
  for (const content of damaged) {
    await using folder = await temporaryFolder({ "tokens.json": content });
    await chmod(join(folder.path, "tokens.json"), 0o600);
    const warnings: string[] = [];
    const tokens = tokenFile(folder.path, { onWarning: (warning) => warnings.push(warning) });
    await assert.rejects(tokens.get(ACCOUNT), DamagedFileError);
    await tokens.set(ACCOUNT, new Secret("a7ee-two"));
    assert.equal((await tokens.get(ACCOUNT))?.reveal(), "a7ee-two");
    assert.equal(warnings.length, 1);
    const [aside] = (await readdir(folder.path)).filter((name) => name.includes("damaged"));
    assert.equal(await readFile(join(folder.path, aside!), "utf8"), content);
    if (process.platform === "win32") continue;
    assert.equal((await stat(join(folder.path, aside!))).mode & 0o777, 0o600);
  }
});
