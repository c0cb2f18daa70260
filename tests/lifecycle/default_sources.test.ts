import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { resolveConnection } from "../../src/connection/connection.ts";
import { UsageError } from "../../src/errors.ts";
import { defaultSources } from "../../src/lifecycle/default_sources.ts";
import { Secret } from "../../src/secret.ts";
import { tokenFile } from "../../src/store/token_file.ts";
import { NoTokenError, resolveToken } from "../../src/token/resolve.ts";
import { SOURCE_NAMES } from "../../src/token/sources.ts";
import { fakeKeychain } from "../support/fake_keychain.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const ALL = SOURCE_NAMES;

function names(list?: readonly string[]): string[] {
  return defaultSources({ env: {}, cwd: ".", names: list }).map(({ name }) => name);
}

test("`defaultSources()` gives all sources in the order in which they are asked", () => {
  assert.deepEqual(names(), ALL);
});

test("`defaultSources()` gives the sources that are named, in that order", () => {
  assert.deepEqual(names(["keychain", "env"]), ["keychain", "env"]);
  assert.deepEqual(names(ALL.toReversed()), ALL.toReversed());
});

test("`defaultSources()` refuses unknown names, repeated names, and no names", () => {
  const cases: readonly [names: readonly string[], found: string][] = [
    [["env", "vault"], '"vault" is not a source'],
    [[""], '"" is not a source'],
    [["Env"], '"Env" is not a source'],
    [["env", "file", "env"], '"env" is listed twice'],
    [[], "the list is empty"],
  ];
  for (const [list, found] of cases) {
    assert.throws(
      () => names(list),
      (error) =>
        error instanceof UsageError && error.exitCode === 64 &&
        error.message === `Cannot use these sources: ${found}` &&
        error.suggestion === `List one or more of ${ALL.join(", ")}.`,
    );
  }
});

test("`defaultSources()` finds the token of each source behind those before it", async () => {
  await using folder = await temporaryFolder({
    "token": "in-file\n",
    ".env": "ADC_TOKEN=in-dotenv",
  });
  const evaluate = "deno" in process.versions ? "eval" : "-e";
  const echo = [process.execPath, evaluate, "process.stdout.write('in-command')"];
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    ADC_RUN_CONFIG_DIR: join(folder.path, "adc-run"),
    ADC_TOKEN: "in-env",
    ADC_TOKEN_FILE: "token",
    ADC_TOKEN_COMMAND: JSON.stringify(echo),
  };
  const keychain = fakeKeychain({ "http://localhost:9180": "in-keychain" });
  const find = async (args: readonly string[], list: readonly string[] = ALL) => {
    const options = { env, cwd: folder.path };
    const sources = defaultSources({ ...options, keychain, names: list });
    const connection = await resolveConnection({ ...options, args });
    const { source, token } = await resolveToken({ connection, sources });
    return `${source}: ${token.reveal()}`;
  };
  assert.equal(await find(["sync", "--token", "in-flag"]), "flag: in-flag");
  assert.equal(await find(["sync"]), "env: in-env");
  delete env.ADC_TOKEN;
  assert.equal(await find(["sync"]), "file: in-file");
  delete env.ADC_TOKEN_FILE;
  assert.equal(await find(["sync"]), "dotenv: in-dotenv");
  await folder.write(".env", "");
  assert.equal(await find(["sync"]), "command: in-command");
  delete env.ADC_TOKEN_COMMAND;
  assert.equal(await find(["sync"]), "keychain: in-keychain");
  assert.deepEqual(keychain.asked, ["http://localhost:9180"]);
  await tokenFile(join(folder.path, "adc-run")).set(
    "http://localhost:9180",
    new Secret("in-store"),
  );
  assert.equal(await find(["sync"]), "store: in-store");
  const rest = ALL.filter((name) => name !== "store" && name !== "keychain");
  await assert.rejects(find(["sync"], rest), (error) => {
    assert.ok(error instanceof NoTokenError);
    assert.deepEqual(error.trail.map(({ source }) => source), rest);
    assert.equal(error.trail.at(-1)?.detail, `backend "apisix" has no login`);
    return true;
  });
});
