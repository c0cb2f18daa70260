import assert from "node:assert/strict";
import { createWriteStream, openSync, readFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { main } from "../../../src/cli/main.ts";
import { fakeIo } from "../../support/fake_io.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const TOKEN = "a7ee-canary%token";
const IN_ACTION = { GITHUB_ACTIONS: "true", ADC_RUN_ACTION: "true" };

async function authToken(
  env: Record<string, string>,
  { args = [], token = TOKEN, more = {} }: {
    readonly args?: readonly string[];
    readonly token?: string;
    readonly more?: object;
  } = {},
): Promise<ReturnType<typeof fakeIo>> {
  await using folder = await temporaryFolder();
  const file = await folder.write("token", token);
  await chmod(file, 0o600);
  const io = fakeIo({
    env: { ADC_RUN_CONFIG_DIR: folder.path, ADC_TOKEN_FILE: file, ...env },
    cwd: folder.path,
    ...more,
  });
  assert.equal(await main(["auth", "token", ...args], io), 0);
  return io;
}

it("`maskInRunner()` tells GitHub's runner a token of a file where our action asks for it", async () => {
  const io = await authToken(IN_ACTION);
  assert.deepEqual(io.err, ["::add-mask::a7ee-canary%25token\n"]);
  assert.deepEqual(io.out, [`${TOKEN}\n`]);
});

it("`maskInRunner()` says nothing in a step of anybody's own, or with --json", async () => {
  const cases: Parameters<typeof authToken>[] = [
    [{ GITHUB_ACTIONS: "true" }],
    [{ GITHUB_ACTIONS: "true", ADC_RUN_ACTION: "false" }],
    [{ ADC_RUN_ACTION: "true" }],
    [IN_ACTION, { args: ["--json"] }],
  ];
  for (const each of cases) assert.deepEqual((await authToken(...each)).err, []);
});

it("`maskInRunner()` tells no token that the environment has", async () => {
  assert.deepEqual((await authToken({ ...IN_ACTION, ADC_TOKEN: TOKEN })).err, []);
  const copied = await authToken({ ...IN_ACTION, MY_SECRET: ` ${TOKEN}\n` });
  assert.deepEqual(copied.err, []);
});

it("`maskInRunner()` asks for a mask of each token in a list", async () => {
  const env = {
    ...IN_ACTION,
    ADC_BACKEND: "apisix-standalone",
    ADC_SERVER: "https://a.example,https://b.example",
  };
  const { err } = await authToken(env, { token: "one-canary,two-canary" });
  assert.deepEqual(err, ["::add-mask::one-canary\n", "::add-mask::two-canary\n"]);
});

it("`maskInRunner()` writes the token into no file", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "log");
  const stderr = createWriteStream(path, { fd: openSync(path, "w") });
  await authToken(IN_ACTION, { more: { stderr } });
  await new Promise((resolve) => stderr.end(resolve));
  assert.equal(readFileSync(path, "utf8"), "");
});
