import assert from "node:assert/strict";
import { createWriteStream, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { main } from "../../../src/cli/main.ts";
import { fakeIo } from "../../support/fake_io.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const TOKEN = "a7ee-canary%token";
const ENV = { ADC_TOKEN: TOKEN, GITHUB_ACTIONS: "true" };

it("`adc-run auth token` has GitHub's runner mask the token before it is printed", async () => {
  await using folder = await temporaryFolder();
  const at = (args: readonly string[], env: Record<string, string>) => {
    const io = fakeIo({ env: { ADC_RUN_CONFIG_DIR: folder.path, ...env }, cwd: folder.path });
    return { io, ended: main(["auth", "token", ...args], io) };
  };
  const runner = at([], ENV);
  assert.equal(await runner.ended, 0);
  assert.deepEqual(runner.io.err, ["::add-mask::a7ee-canary%25token\n"]);
  assert.deepEqual(runner.io.out, [`${TOKEN}\n`]);
  for (
    const { io, ended } of [at(["--json"], ENV), at([], { ADC_TOKEN: TOKEN })]
  ) {
    assert.equal(await ended, 0);
    assert.deepEqual(io.err, []);
  }
});

it("`maskInRunner()` asks for a mask of each token in a list", async () => {
  await using folder = await temporaryFolder();
  const env = {
    GITHUB_ACTIONS: "true",
    ADC_TOKEN: "one-canary,two-canary",
    ADC_BACKEND: "apisix-standalone",
    ADC_SERVER: "https://a.example,https://b.example",
    ADC_RUN_CONFIG_DIR: folder.path,
  };
  const io = fakeIo({ env, cwd: folder.path });
  assert.equal(await main(["auth", "token"], io), 0);
  assert.deepEqual(io.err, ["::add-mask::one-canary\n", "::add-mask::two-canary\n"]);
});

it("`maskInRunner()` writes the token into no file", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "log");
  const stderr = createWriteStream(path, { fd: openSync(path, "w") });
  const env = { ...ENV, ADC_RUN_CONFIG_DIR: folder.path };
  assert.equal(await main(["auth", "token"], fakeIo({ env, cwd: folder.path, stderr })), 0);
  await new Promise((resolve) => stderr.end(resolve));
  assert.equal(readFileSync(path, "utf8"), "");
});
